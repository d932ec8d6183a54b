use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use tvshows_core::Catalog;
use tvshows_export::{Format, WriterOptions};
use tvshows_sqlite::SqliteStore;

use crate::cli::Export;
use crate::database;

pub(crate) async fn run(options: &Export) -> anyhow::Result<ExitCode> {
    let store = database::open_existing(&options.database).await?;
    if options.output == Path::new("-") {
        let is_text = options.target.table().is_some() && options.format() != Format::Parquet;
        if !is_text && io::stdout().is_terminal() {
            bail!("refusing to write binary data to a terminal; use --output FILE");
        }
        write(&store, options, Box::new(BufWriter::new(io::stdout()))).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // The output file appears only once it is complete.
    let temp_path = temp_path(&options.output);
    let path = || temp_path.display().to_string();
    let file = File::create(&temp_path).with_context(path)?;
    let written = write(&store, options, Box::new(BufWriter::new(file))).await;
    let written = written.and_then(|()| fs::rename(&temp_path, &options.output).with_context(path));
    if written.is_err() {
        let _ = fs::remove_file(&temp_path);
    }
    written.map(|()| ExitCode::SUCCESS)
}

async fn write(
    store: &SqliteStore,
    options: &Export,
    file: Box<dyn Write + Send>,
) -> anyhow::Result<()> {
    match options.target.table() {
        None => store.backup_to(file).await?,
        Some(table) => {
            let format = options.format();
            let make_writer = move |date_columns| {
                let options = WriterOptions { date_columns, ..WriterOptions::default() };
                format.writer(table.columns(), &options, file)
            };
            store.export(table, Box::new(make_writer)).await?;
        }
    }
    Ok(())
}

fn temp_path(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}
