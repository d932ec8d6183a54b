//! Generates the reference of settings and flags in docs/configuration.md from the command line.

use std::fmt::Write;

use clap::{Arg, Command};

use crate::{cli, config};

const BEGIN: &str =
    "<!-- Generated from the code, do not edit: run `make configuration` to update it. -->\n";

#[test]
fn the_document_of_the_settings_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (by_hand, _) = document.split_once(BEGIN).expect("the line where the reference begins");
    let current = format!("{by_hand}{BEGIN}{}", reference());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, current).unwrap();
    } else {
        let advice = "docs/configuration.md is outdated; run `make configuration` to update it";
        assert!(document == current, "{advice}");
    }
}

fn reference() -> String {
    let mut program = cli::command();
    let keys = config::keys(&program);
    program.build();
    let commands: Vec<_> =
        program.get_subcommands().filter(|command| command.get_name() != "help").collect();
    let mut text = String::from("\n## Settings\n\n");
    text += "| variable | flag | key | default | used by | description |\n| --- | --- | --- | --- | --- | --- |\n";
    let mut seen = Vec::new();
    for setting in commands.iter().flat_map(|command| command.get_arguments()) {
        let Some(variable) = setting.get_env().and_then(|variable| variable.to_str()) else {
            continue;
        };
        if seen.contains(&variable) {
            continue;
        }
        seen.push(variable);
        let key = keys.iter().find(|key| setting.get_id() == key.as_str());
        let key = key.map_or_else(String::new, |key| format!("`{key}`"));
        let users = commands.iter().filter(|command| {
            command.get_arguments().any(|argument| argument.get_env() == setting.get_env())
        });
        let users: Vec<_> = users.map(|command| format!("`{}`", command.get_name())).collect();
        let users = if users.len() == commands.len() { "all".to_owned() } else { users.join(", ") };
        let (flag, default, help) = (flag(setting), default(setting), help(setting));
        writeln!(text, "| `{variable}` | {flag} | {key} | {default} | {users} | {help} |").unwrap();
    }
    text += "\n## Flags of each command\n\nIn addition to the settings above:\n";
    for command in &commands {
        write_flags(&mut text, command);
    }
    text
}

fn write_flags(text: &mut String, command: &Command) {
    let flags = command.get_arguments().filter(|argument| {
        argument.get_env().is_none() && argument.get_id() != "help" && !argument.is_hide_set()
    });
    let rows: Vec<_> = flags
        .map(|each| format!("| {} | {} | {} |\n", flag(each), default(each), help(each)))
        .collect();
    if !rows.is_empty() {
        let name = command.get_name();
        write!(
            text,
            "\n### tvshows {name}\n\n| flag | default | description |\n| --- | --- | --- |\n"
        )
        .unwrap();
        *text += &rows.concat();
    }
}

fn flag(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.first().map_or_else(String::new, |name| format!(" {name}"));
    let value = if argument.get_action().takes_values() { value } else { String::new() };
    let mut text = match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) => format!("`-{short}`, `--{long}{value}`"),
        (Some(long), None) => format!("`--{long}{value}`"),
        _ => format!("`{}`", value.trim()),
    };
    for alias in argument.get_visible_aliases().into_iter().flatten() {
        write!(text, ", `--{alias}{value}`").unwrap();
    }
    text.replace('|', "\\|")
}

fn default(argument: &Arg) -> String {
    let values = argument.get_default_values();
    let values = values.iter().filter_map(|value| value.to_str()).filter(|value| !value.is_empty());
    let values: Vec<_> = values.map(|value| format!("`{value}`")).collect();
    let is_shown = argument.get_action().takes_values() && !argument.is_hide_default_value_set();
    if is_shown { values.join(", ") } else { String::new() }
}

fn help(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = argument.get_possible_values();
    let possible: Vec<_> = possible
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let possible =
        if possible.is_empty() { String::new() } else { format!(": {}", possible.join(", ")) };
    format!("{help}{possible}").replace('|', "\\|")
}
