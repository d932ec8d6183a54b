//! Reads the settings: flags, then environment variables, then a TOML file, then defaults.
//!
//! A value from the file becomes the default of its flag, so that a single parser validates all of them.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Error, FromArgMatches};
use toml::{Table, Value};

use crate::cli::Cli;

/// The keys of the file.
pub(crate) const KEYS: &[&str] = &[
    "database_path",
    "redis_url",
    "tvmaze_base_url",
    "max_age",
    "schedule",
    "log_format",
    "otel_exporter_otlp_endpoint",
    "host",
    "port",
    "cors_origins",
    "api_token",
    "post_rate_limit",
];

/// Parses the command line, with the environment and the file as defaults.
pub(crate) fn read() -> Result<Cli, Error> {
    let mut command = Cli::command();
    // The values of the file become defaults, so `--config` is parsed first.
    let matches = command.clone().ignore_errors(true).get_matches();
    if let Ok(Some(file)) = matches.try_get_one::<std::path::PathBuf>("config") {
        for (key, value) in read_file(&mut command, file)? {
            command = with_default(command, &key, &value);
        }
    }
    Cli::from_arg_matches(&command.get_matches())
}

fn read_file(command: &mut Command, file: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut invalid = |problem: String| {
        let message = format!("invalid settings file {}: {problem}", file.display());
        command.error(ErrorKind::InvalidValue, message)
    };
    let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    let table: Table = text.parse().map_err(|error| invalid(error_location(&text, &error)))?;
    let mut settings = Vec::new();
    for (key, value) in table {
        if !KEYS.contains(&key.as_str()) {
            let valid = KEYS.join(", ");
            return Err(invalid(format!("unknown key `{key}`; valid keys are {valid}")));
        }
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => return Err(invalid(format!("`{key}` must be a string or an integer"))),
        };
        settings.push((key, text));
    }
    Ok(settings)
}

/// The number of the invalid line and the error, without the line itself, which may contain a secret.
fn error_location(text: &str, error: &toml::de::Error) -> String {
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
    use crate::cli::Command as Subcommand;

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
                Subcommand::Serve(serve) => serve.port,
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
            read_file(&mut Cli::command(), &file).unwrap_err().to_string()
        };
        assert!(refused("prot = 1").contains("unknown key `prot`"));
        assert!(refused("port = [1]").contains("`port` must be"));
        assert!(refused("port = ").contains("tvshows.toml"));
        let broken = refused("port = 1\napi_token = \"secret");
        assert!(broken.contains("line 2") && !broken.contains("secret"), "{broken}");
        let command = with_default(Cli::command(), "port", "many");
        let error = command.try_get_matches_from(["tvshows", "serve"]).unwrap_err().to_string();
        assert!(error.contains("many") && error.contains("--port"), "{error}");
    }
}
