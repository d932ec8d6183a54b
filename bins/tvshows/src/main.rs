//! Mirrors TVmaze's catalogue of TV shows into a local SQLite database and serves it.

mod application;
mod bar;
mod cli;
mod commands;
mod config;
mod logging;
mod metrics;
mod output;
mod process;
#[cfg(test)]
mod reference;
mod signals;
mod traces;
mod upstream;

use std::process::ExitCode;

use cli::Command;
use config::WrongSetting;

fn main() -> ExitCode {
    let cli = config::read().unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Command::Serve(options) => block_on(commands::serve::run(&options)),
        Command::Update(options) => block_on(commands::update::run(&options)),
        Command::Status(options) => block_on(commands::status::run(&options)),
        Command::Runs(options) => block_on(commands::runs::run(&options)),
        Command::Top(options) => block_on(commands::top::run(&options)),
        Command::Show(options) => block_on(commands::show::run(&options)),
        Command::Search(options) => block_on(commands::search::run(&options)),
        Command::Export(options) => block_on(commands::export::run(&options)),
        Command::Healthcheck(options) => block_on(commands::healthcheck::run(&options)),
        Command::Completions(options) => commands::completions::run(&options),
        Command::Sim(options) => block_on(commands::sim::run(options)),
        Command::Verify(options) => block_on(commands::verify::run(&options)),
        Command::Openapi => commands::openapi::run(),
    };
    outcome.unwrap_or_else(|error| {
        if output::is_unread(&error) {
            return ExitCode::SUCCESS;
        }
        output::tell(format!("error: {error:#}"));
        if error.is::<WrongSetting>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

/// Runs a command to its end. A transaction that then still runs is left to be rolled back.
fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}
