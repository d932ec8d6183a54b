//! Reads the settings: flags, then environment variables, then a TOML file, then defaults.
//!
//! A value from a variable or the file becomes the default of its flag, so that a single parser validates all of them.
//! clap does not read the variables itself, because it would accept an empty one as a value, and blame the flag for an
//! invalid one.

mod file;
mod secret;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};

use crate::cli::{self, Cli};
use crate::output;

pub(crate) use secret::add_file_settings;

/// A setting that does not come from a flag.
#[derive(Debug)]
struct Setting {
    /// The id of its flag, which is its key in the file.
    key: String,
    value: OsString,
    source: String,
}

/// Where each setting comes from.
pub(crate) struct Sources(HashMap<String, String>);

impl Sources {
    /// Describes the source for an error message, such as `PORT (environment variable)`.
    pub(crate) fn describe<'a>(&'a self, setting: &'a str) -> &'a str {
        self.0.get(setting).map_or(setting, String::as_str)
    }
}

/// Parses the command line, with the environment and the file as defaults.
pub(crate) fn read() -> Result<(Cli, Sources), Error> {
    // Errors in the flags come first, and a request for help before the errors in other sources.
    let flags = match map_arguments(cli::command(), without_variable).try_get_matches() {
        // The help lists the variables.
        Err(error) if is_help(error.kind()) => cli::command().try_get_matches()?,
        flags => flags?,
    };
    let mut settings = settings(&flags)?;
    secret::read_files(&mut settings, &flags).map_err(invalid_value)?;
    let parse = |settings: &[Setting]| with_defaults(cli::command(), settings).try_get_matches();
    let matches = parse(&settings).map_err(|error| {
        let invalid = settings.chunks(1).find_map(|one| Some((&one[0], parse(one).err()?)));
        invalid.map_or(error, |(setting, error)| blame(error, setting))
    })?;
    Ok((Cli::from_arg_matches(&matches)?, sources(settings, &flags)))
}

/// The settings from the environment, and those from the file that the environment does not override.
fn settings(flags: &ArgMatches) -> Result<Vec<Setting>, Error> {
    let program = cli::command();
    let mut settings = variables(&program);
    let config = settings.iter().find(|setting| setting.key == "config");
    let config = config.map(|setting| PathBuf::from(&setting.value));
    if let Some(file) = flags.get_one::<PathBuf>("config").or(config.as_ref()) {
        let mut from_file = file::read(file, &keys(&program)).map_err(invalid_value)?;
        from_file.retain(|setting| settings.iter().all(|variable| variable.key != setting.key));
        settings.extend(from_file);
    }
    Ok(settings)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid_value(problem: String) -> Error {
    cli::command().error(ErrorKind::InvalidValue, output::escape_controls(&problem))
}

/// Describes an error in the command line or a setting, with control characters escaped: clap would remove them.
pub(crate) fn describe(mut error: Error) -> String {
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        if let ContextValue::String(text) = value {
            let escaped = output::escape_controls(&text).into_owned();
            error.insert(kind, ContextValue::String(escaped));
        }
    }
    error.render().to_string()
}

/// The value of an environment variable. An empty one counts as unset: Compose sets `${X:-}` to an empty string.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The keys of the file: every setting of a command that can be a variable.
pub(crate) fn keys(program: &Command) -> Vec<String> {
    let mut keys = Vec::new();
    for argument in program.get_subcommands().flat_map(Command::get_arguments) {
        let key = argument.get_id().to_string();
        if argument.get_env().is_some() && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn variables(program: &Command) -> Vec<Setting> {
    let mut variables: Vec<Setting> = Vec::new();
    let commands = program.get_subcommands().flat_map(Command::get_arguments);
    for argument in program.get_arguments().chain(commands) {
        let key = argument.get_id().as_str();
        let Some(name) = argument.get_env().and_then(|name| name.to_str()) else { continue };
        if variables.iter().any(|setting| setting.key == key) {
            continue;
        }
        if let Some(value) = variable(name) {
            let source = format!("{name} (environment variable)");
            variables.push(Setting { key: key.to_owned(), value, source });
        }
    }
    variables
}

fn is_help(kind: ErrorKind) -> bool {
    let on_missing = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    kind == ErrorKind::DisplayHelp || kind == on_missing
}

fn with_defaults(command: Command, settings: &[Setting]) -> Command {
    map_arguments(command, |argument| {
        // `sim` has flags of the same names that are not settings.
        if argument.get_env().is_none() {
            return argument;
        }
        let argument = without_variable(argument);
        match settings.iter().find(|setting| argument.get_id() == setting.key.as_str()) {
            Some(setting) => argument.default_value(setting.value.clone()),
            None => argument,
        }
    })
}

fn without_variable(argument: Arg) -> Arg {
    argument.env(None::<&str>)
}

/// Changes the arguments of the program and of its commands.
fn map_arguments(command: Command, map: impl Fn(Arg) -> Arg) -> Command {
    command.mut_args(&map).mut_subcommands(|subcommand| subcommand.mut_args(&map))
}

/// Names the source of an invalid value instead of its flag.
fn blame(mut error: Error, setting: &Setting) -> Error {
    if error.kind() == ErrorKind::InvalidUtf8 {
        let problem = format!("invalid value for '{}': must be UTF-8", setting.source);
        return cli::command().error(ErrorKind::InvalidUtf8, problem);
    }
    error.insert(ContextKind::InvalidArg, ContextValue::String(setting.source.clone()));
    error
}

fn sources(settings: Vec<Setting>, flags: &ArgMatches) -> Sources {
    let settings = settings.into_iter().map(|setting| (setting.key, setting.source));
    let mut sources: HashMap<_, _> = settings.collect();
    let program = cli::command();
    if let Some((command, given)) = flags.subcommand() {
        let arguments =
            program.find_subcommand(command).into_iter().flat_map(Command::get_arguments);
        for argument in arguments {
            let key = argument.get_id().as_str();
            if let Some(flag) = argument.get_long()
                && given.value_source(key) == Some(ValueSource::CommandLine)
            {
                sources.insert(key.to_owned(), format!("--{flag}"));
            }
        }
    }
    Sources(sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Command as Subcommand;

    fn setting(key: &str, value: &str) -> Setting {
        Setting { key: key.into(), value: value.into(), source: format!("{key} of a test") }
    }

    #[test]
    fn the_command_line_is_sound() {
        cli::command().debug_assert();
    }

    #[test]
    fn every_key_is_a_flag_of_serve_and_its_variable_in_lowercase() {
        let command = cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let keys = keys(&command);
        assert!(keys.len() > 10, "{keys:?}");
        for key in keys {
            let argument = serve.get_arguments().find(|argument| argument.get_id() == key.as_str());
            let variable = argument.and_then(Arg::get_env).and_then(|name| name.to_str());
            assert_eq!(variable.map(str::to_lowercase), Some(key));
        }
    }

    #[test]
    fn a_flag_wins_over_a_setting_and_a_setting_over_the_default() {
        let port = |settings: &[Setting], arguments: &[&str]| {
            let command = with_defaults(cli::command(), settings);
            let matches = command.try_get_matches_from(arguments).unwrap();
            match Cli::from_arg_matches(&matches).unwrap().command {
                Subcommand::Serve(serve) => serve.port,
                _ => unreachable!("serve was chosen"),
            }
        };
        let settings = [setting("port", "9000")];
        assert_eq!(port(&[], &["tvshows", "serve"]), 8000);
        assert_eq!(port(&settings, &["tvshows", "serve"]), 9000);
        assert_eq!(port(&settings, &["tvshows", "serve", "--port", "1"]), 1);
    }

    #[test]
    fn a_flag_of_the_same_name_that_is_not_a_setting_keeps_its_default() {
        let command = with_defaults(cli::command(), &[setting("port", "9000")]);
        let matches = command.try_get_matches_from(["tvshows", "sim"]).unwrap();
        match Cli::from_arg_matches(&matches).unwrap().command {
            Subcommand::Sim(sim) => assert_eq!(sim.port, 8080),
            _ => unreachable!("sim was chosen"),
        }
    }

    #[test]
    fn an_invalid_setting_is_blamed_on_its_source() {
        for (key, value) in [("port", "many"), ("log_format", "jsno"), ("schedule", "at four")] {
            let invalid = [setting(key, value)];
            let command = with_defaults(cli::command(), &invalid);
            let error = command.try_get_matches_from(["tvshows", "serve"]).unwrap_err();
            let error = blame(error, &invalid[0]).to_string();
            let start = format!("error: invalid value '{value}' for '{key} of a test'");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
