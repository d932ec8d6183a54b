use std::process::ExitCode;

use crate::output;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    output::print_exact(&(tvshows_api::openapi().to_pretty_json()? + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
