use std::process::ExitCode;

use crate::cli::Migrate;
use crate::{database, output};

pub(crate) async fn run(options: &Migrate) -> anyhow::Result<ExitCode> {
    let location = options.database.location()?;
    let stores = if options.check {
        database::open_existing(&location).await?
    } else {
        database::open(&location).await?
    };
    let schema = stores.catalog.health().await?.schema;
    stores.queue.close().await;
    output::print_line(format!("The schema of {location} is current: version {schema}."))?;
    Ok(ExitCode::SUCCESS)
}
