//! The `tvshows` executable as a library, so that tests can use the wiring that ships.
//!
//! [`Application`] is the service, from its settings to its socket; [`main`] runs the command line.

mod application;
mod cli;
mod clock;
mod commands;
mod config;
mod config_error;
#[cfg(test)]
mod config_reference;
mod database;
mod engine;
mod http_client;
mod location;
mod logging;
mod metrics;
mod otel;
mod output;
mod output_file;
#[cfg(target_os = "linux")]
mod process_metrics;
mod progress_bar;
mod run_source;
mod signals;
mod transfer;
mod upstream;
mod webhook;

use std::process::ExitCode;

pub use application::Application;
pub use cli::{Serve, Settings};
use config_error::ConfigError;

/// The exit code for invalid flags and settings.
const EXIT_USAGE: u8 = 2;

/// Runs the command that the command line of this process names.
#[must_use]
pub fn main() -> ExitCode {
    let (cli, sources) = match config::read() {
        Ok(read) => read,
        Err(error) if error.use_stderr() => {
            config::describe(error).lines().for_each(output::eprint_line);
            return ExitCode::from(EXIT_USAGE);
        }
        // The help or the version.
        Err(text) => text.exit(),
    };
    commands::run(cli.command).unwrap_or_else(|error| {
        if output::is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        if let Some(ConfigError { setting, problem }) = error.downcast_ref() {
            output::eprint_line(format!("error: {}: {problem}", sources.describe(setting)));
            return ExitCode::from(EXIT_USAGE);
        }
        output::eprint_line(format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}
