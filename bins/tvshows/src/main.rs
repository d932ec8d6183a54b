//! Mirrors TVmaze's catalogue of TV shows into a local SQLite database and serves it.

mod application;
mod bar;
mod cli;
mod commands;
mod config;
mod logging;
mod signals;
mod upstream;

use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    let cli = config::read().unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Command::Serve(options) => commands::serve::run(&options),
        Command::Update(options) => commands::update::run(&options),
        Command::Sim(options) => commands::sim::run(options),
        Command::Openapi => commands::openapi::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
