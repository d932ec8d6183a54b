mod cancel;
mod completions;
mod copy;
mod export;
mod healthcheck;
mod migrate;
mod openapi;
mod runs;
mod schedule;
mod search;
mod serve;
mod show;
mod sim;
mod status;
mod top;
mod update;
mod verify;

use std::process::ExitCode;

use crate::cli::Command;

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => block_on(serve::run(&options)),
        Command::Update(options) => block_on(update::run(&options)),
        Command::Status(options) => block_on(status::run(&options)),
        Command::Cancel(options) => block_on(cancel::run(&options)),
        Command::Runs(options) => block_on(runs::run(&options)),
        Command::Top(options) => block_on(top::run(&options)),
        Command::Show(options) => block_on(show::run(&options)),
        Command::Search(options) => block_on(search::run(&options)),
        Command::Schedule(options) => block_on(schedule::run(&options)),
        Command::Export(options) => block_on(export::run(&options)),
        Command::Verify(options) => block_on(verify::run(&options)),
        Command::Copy(options) => block_on(copy::run(&options)),
        Command::Migrate(options) => block_on(migrate::run(&options)),
        Command::Sim(options) => block_on(sim::run(options)),
        Command::Healthcheck(options) => block_on(healthcheck::run(&options)),
        Command::Openapi => openapi::run(),
        Command::Completions(options) => completions::run(&options),
    }
}

/// Does not wait for database transactions that are still running; they are rolled back.
fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}
