use std::process::ExitCode;

use crate::cli::{self, Completions};
use crate::output;

pub(crate) fn run(options: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut cli::command(), "tvshows", &mut script);
    output::print_exact(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
