//! Reads secrets from files, such as those of Docker and of systemd: `API_TOKEN_FILE` instead of `API_TOKEN`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::Setting;
use crate::cli;

/// The settings that can be read from a file.
const SECRETS: [&str; 5] =
    ["api_token", "database_url", "redis_url", "webhook_url", "webhook_secret"];
/// Longer than any secret, in bytes.
const MAX_LENGTH: u64 = 65_536;

/// Adds to a command a setting with the suffix `_file` for each of its secrets.
pub(crate) fn add_file_settings(command: Command) -> Command {
    let secrets = command.get_arguments().filter(|argument| is_secret(argument));
    let files: Vec<_> = secrets.map(file_setting).collect();
    // Otherwise, the help would list them under the last heading of the command.
    command.next_help_heading(None::<&'static str>).args(files)
}

fn is_secret(argument: &Arg) -> bool {
    SECRETS.iter().any(|secret| argument.get_id() == *secret)
}

fn file_setting(secret: &Arg) -> Arg {
    let id = file_id(secret.get_id().as_str());
    let variable = id.to_uppercase();
    let name = secret.get_id().as_str().to_uppercase();
    Arg::new(id.clone())
        .long(id.replace('_', "-"))
        .env(variable)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(format!("File to read {name} from, such as a Docker secret or a systemd credential"))
}

fn file_id(secret: &str) -> String {
    format!("{secret}_file")
}

/// Adds the secrets of the current command that are in files to the settings.
pub(super) fn read_files(settings: &mut Vec<Setting>, flags: &ArgMatches) -> Result<(), String> {
    let Some((name, given)) = flags.subcommand() else { return Ok(()) };
    let program = cli::command();
    let arguments = program.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
    for argument in arguments.filter(|argument| is_secret(argument)) {
        let id = argument.get_id().as_str();
        let Some((file, source)) = file_of(id, settings, given) else { continue };
        let other = if given.value_source(id) == Some(ValueSource::CommandLine) {
            Some(format!("--{}", id.replace('_', "-")))
        } else {
            settings.iter().find(|setting| setting.key == id).map(|setting| setting.source.clone())
        };
        if let Some(other) = other {
            return Err(format!("{other} and {source} are both set; remove one of them"));
        }
        let invalid = |problem| format!("{source}: cannot use {}: {problem}", file.display());
        let value = read(&file).map_err(invalid)?.into();
        let source = format!("{} ({source})", file.display());
        settings.push(Setting { key: id.to_owned(), value, source });
    }
    Ok(())
}

/// The file with a secret, and where its name comes from.
fn file_of(id: &str, settings: &[Setting], given: &ArgMatches) -> Option<(PathBuf, String)> {
    let id = file_id(id);
    if let Some(file) = given.get_one::<PathBuf>(&id) {
        return Some((file.clone(), format!("--{}", id.replace('_', "-"))));
    }
    let setting = settings.iter().find(|setting| setting.key == id)?;
    Some((PathBuf::from(&setting.value), setting.source.clone()))
}

/// Reads a secret, without the newline at its end.
fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_LENGTH).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it must be UTF-8")?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err("it is empty".into()),
        secret => Ok(secret.to_owned()),
    }
}
