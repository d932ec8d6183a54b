use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tvshows_core::Table;
use tvshows_export::Format;

use crate::cli::settings::Database;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows export top_shows\n  tvshows export all_shows --output shows.parquet\n  tvshows export database --output copy.db"
)]
pub(crate) struct Export {
    /// Table to export, or `database` for a copy of the whole file
    #[arg(value_name = "TABLE")]
    pub(crate) target: ExportTarget,

    /// csv, ndjson, or parquet; defaults to the extension of the output file, or else csv
    #[arg(long)]
    format: Option<Format>,

    /// Output file, which appears only once it is complete; - for stdout
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) database: Database,
}

impl Export {
    pub(crate) fn format(&self) -> Format {
        let extension = self.output.extension().and_then(|extension| extension.to_str());
        let implied = extension.and_then(|extension| extension.parse().ok());
        self.format.or(implied).unwrap_or(Format::Csv)
    }
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ExportTarget {
    AllShows,
    TopShows,
    TopShowsCast,
    Database,
}

impl ExportTarget {
    /// `None` for the whole database.
    pub(crate) fn table(self) -> Option<Table> {
        match self {
            ExportTarget::AllShows => Some(Table::AllShows),
            ExportTarget::TopShows => Some(Table::TopShows),
            ExportTarget::TopShowsCast => Some(Table::TopShowsCast),
            ExportTarget::Database => None,
        }
    }
}
