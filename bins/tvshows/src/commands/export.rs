use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use tvshows_core::{Catalog, ShowFilter, ShowQuery, StoreError, Table};
use tvshows_export::{Dialect, WriterOptions};

use crate::cli::{Content, Export};
use crate::database::{self, Need};
use crate::output;
use crate::output_file::Destination;

pub(crate) async fn run(options: &Export) -> anyhow::Result<ExitCode> {
    let cannot_write = || format!("cannot write {}", options.output.display());
    let destination = Destination::from_path(&options.output).with_context(cannot_write)?;
    let content = options.content(!matches!(destination, Destination::File(_)))?;
    let filter = options.filter()?;
    let need = match content {
        Content::Database => Need::Everything,
        Content::Table(Table::Runs, ..) => Need::Runs,
        Content::Table(..) => Need::Shows,
    };
    let stores = database::open_reader(&options.database.location()?, need).await?;
    let catalog = stores.catalog.as_ref();
    match &destination {
        Destination::Stdout if !content.is_text() && io::stdout().is_terminal() => {
            bail!("refusing to write binary data to a terminal; use --output FILE");
        }
        Destination::File(path) if is_same_file(path, &options.database.database_path) => {
            bail!("{} is the database itself; choose another --output", options.output.display());
        }
        _ => {}
    }
    if filter != ShowFilter::default() {
        let query = ShowQuery { filter: filter.clone(), ..ShowQuery::default() };
        output::warn_unmatched(&catalog.shows(query).await?.unmatched);
    }
    let output = destination.open().with_context(cannot_write)?;
    let written = write(catalog, content, filter, options.dialect, output.writer()?).await;
    written.map_err(|error| match error {
        StoreError::ExportAborted { source } => anyhow!(source).context(cannot_write()),
        error => error.into(),
    })?;
    output.finish().with_context(cannot_write)?;
    Ok(ExitCode::SUCCESS)
}

fn is_same_file(output: &Path, database: &Path) -> bool {
    database.canonicalize().is_ok_and(|database| database == output)
}

async fn write(
    catalog: &dyn Catalog,
    content: Content,
    filter: ShowFilter,
    dialect: Dialect,
    file: Box<dyn Write + Send>,
) -> Result<(), StoreError> {
    match content {
        Content::Database => catalog.backup_to(file).await,
        Content::Table(table, format, compression) => {
            let make_writer = move |date_columns| {
                let options = WriterOptions { compression, dialect, date_columns };
                format.writer(table.columns(), &options, file)
            };
            catalog.export(table, filter, Box::new(make_writer)).await
        }
    }
}
