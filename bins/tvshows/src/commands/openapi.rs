use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    println!("{}", tvshows_api::openapi().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}
