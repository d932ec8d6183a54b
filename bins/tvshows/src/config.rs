//! Settings, read in one place: flags, then the environment, then a TOML file, then defaults.
//!
//! A value of the file becomes the default of its flag, so that one parser checks all of them.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Error, FromArgMatches};
use toml::{Table, Value};

use crate::cli::Cli;

/// The settings that a file may hold.
pub(crate) const KEYS: &[&str] = &[
    "database_path",
    "redis_url",
    "tvmaze_base_url",
    "max_age",
    "refresh",
    "refresh_every",
    "log_format",
    "otlp_endpoint",
    "host",
    "port",
    "cors_origins",
    "api_token",
    "post_rate_limit",
];

/// A setting whose value only the part that it is for can check.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {problem}")]
pub(crate) struct WrongSetting {
    pub(crate) setting: &'static str,
    pub(crate) problem: String,
}

/// Reads the command line with all that stands behind it.
pub(crate) fn read() -> Result<Cli, Error> {
    let mut command = Cli::command();
    let first_look = command.clone().ignore_errors(true).get_matches();
    if let Ok(Some(file)) = first_look.try_get_one::<std::path::PathBuf>("config") {
        for (key, value) in settings_of(&mut command, file)? {
            command = with_default(command, &key, &value);
        }
    }
    Cli::from_arg_matches(&command.get_matches())
}

/// The file's settings as text, each of them known.
fn settings_of(command: &mut Command, file: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut refuse = |problem: String| {
        command.error(
            ErrorKind::InvalidValue,
            format!("the settings in {}: {problem}", file.display()),
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    let table: Table = text.parse().map_err(|error| refuse(place_and_reason(&text, &error)))?;
    if table.contains_key("refresh") && table.contains_key("refresh_every") {
        return Err(refuse("`refresh` cannot be used with `refresh_every`".into()));
    }
    let mut settings = Vec::new();
    for (key, value) in table {
        if !KEYS.contains(&key.as_str()) {
            return Err(refuse(format!("unknown key `{key}`; known are {}", KEYS.join(", "))));
        }
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => return Err(refuse(format!("`{key}` must be a text or a whole number"))),
        };
        settings.push((key, text));
    }
    Ok(settings)
}

/// What is wrong and in which line, without the line: it may hold a secret.
fn place_and_reason(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

fn with_default(command: Command, key: &str, value: &str) -> Command {
    command.mut_subcommands(|subcommand| {
        if subcommand.get_arguments().any(|argument| argument.get_id() == key) {
            subcommand.mut_arg(key, |argument| argument.default_value(value.to_owned()))
        } else {
            subcommand
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Command as Chosen;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_key_is_a_flag_of_serve() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        for key in KEYS {
            assert!(serve.get_arguments().any(|argument| argument.get_id() == key), "{key}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let command = with_default(Cli::command(), "port", "9000");
        let port = |arguments: &[&str]| {
            let matches = command.clone().try_get_matches_from(arguments).unwrap();
            match Cli::from_arg_matches(&matches).unwrap().command {
                Chosen::Serve(serve) => serve.port,
                _ => unreachable!("serve was chosen"),
            }
        };
        assert_eq!(port(&["tvshows", "serve"]), 9000);
        assert_eq!(port(&["tvshows", "serve", "--port", "1"]), 1);
    }

    #[test]
    fn an_unknown_key_and_a_wrong_value_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tvshows.toml");
        let refused = |text: &str| {
            std::fs::write(&file, text).unwrap();
            settings_of(&mut Cli::command(), &file).unwrap_err().to_string()
        };
        assert!(refused("prot = 1").contains("unknown key `prot`"));
        let both = "refresh = \"0 4 * * *\"\nrefresh_every = \"24h\"";
        assert!(refused(both).contains("`refresh` cannot be used with"));
        assert!(refused("port = [1]").contains("`port` must be"));
        assert!(refused("port = ").contains("tvshows.toml"));
        let broken = refused("port = 1\napi_token = \"secret");
        assert!(broken.contains("line 2") && !broken.contains("secret"), "{broken}");
        let command = with_default(Cli::command(), "port", "many");
        let error = command.try_get_matches_from(["tvshows", "serve"]).unwrap_err().to_string();
        assert!(error.contains("many") && error.contains("--port"), "{error}");
    }
}
