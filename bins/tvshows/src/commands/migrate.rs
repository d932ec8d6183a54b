use std::process::ExitCode;

use crate::cli::Migrate;
use crate::{database, output};

pub(crate) async fn run(options: &Migrate) -> anyhow::Result<ExitCode> {
    let location = options.database.location()?;
    let schema = if options.check {
        database::require_schema(&location).await?
    } else {
        database::migrate(&location).await?
    };
    output::print_line(format!("The schema of {location} is current: version {schema}."))?;
    Ok(ExitCode::SUCCESS)
}
