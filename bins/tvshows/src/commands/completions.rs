use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::output;

pub(crate) fn run(options: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "tvshows", &mut script);
    output::print_exact(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
