//! The `tvshows` executable as a library, so that tests can use the wiring that ships.
//!
//! [`Application`] is the service, from its settings to its socket; [`main`] runs the command line.

mod application;
mod cli;
mod commands;
mod config;
mod config_error;
#[cfg(test)]
mod config_reference;
mod database;
mod engine;
mod logging;
mod metrics;
mod otel;
mod output;
#[cfg(target_os = "linux")]
mod process_metrics;
mod progress_bar;
mod signals;
mod upstream;

use std::process::ExitCode;

pub use application::Application;
pub use cli::{Serve, Settings};

/// Runs the command that the command line of this process names.
#[must_use]
pub fn main() -> ExitCode {
    let cli = config::read().unwrap_or_else(|error| error.exit());
    commands::run(cli.command).unwrap_or_else(|error| {
        if output::is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        output::eprint_line(format!("error: {error:#}"));
        if error.is::<config_error::ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}
