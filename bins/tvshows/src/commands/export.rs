use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use tvshows_core::ShowStore;
use tvshows_export::Format;
use tvshows_sqlite::SqliteStore;

use crate::application::open_existing;
use crate::cli::Export;

pub(crate) async fn run(options: &Export) -> anyhow::Result<ExitCode> {
    let store = open_existing(&options.database).await?;
    if options.output == Path::new("-") {
        let is_text = options.what.table().is_some() && options.format() != Format::Parquet;
        if !is_text && io::stdout().is_terminal() {
            bail!("this is nothing for a terminal; choose a file with --output");
        }
        write(&store, options, Box::new(BufWriter::new(io::stdout()))).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // A file of that name is whole, whatever happens meanwhile.
    let unfinished = unfinished(&options.output);
    let named = || unfinished.display().to_string();
    let file = File::create(&unfinished).with_context(named)?;
    let written = write(&store, options, Box::new(BufWriter::new(file))).await;
    let written =
        written.and_then(|()| fs::rename(&unfinished, &options.output).with_context(named));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written.map(|()| ExitCode::SUCCESS)
}

async fn write(
    store: &SqliteStore,
    options: &Export,
    file: Box<dyn Write + Send>,
) -> anyhow::Result<()> {
    match options.what.table() {
        None => store.export_all(file).await?,
        Some(table) => {
            let format = options.format();
            store.export(table, Box::new(move || format.writer(table.columns(), file))).await?;
        }
    }
    Ok(())
}

fn unfinished(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}
