use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use tvshows_core::{ShowFilter, Table};
use tvshows_export::{Compression, Dialect, Format};

use crate::cli::filters::Filters;
use crate::cli::settings::Database;
use crate::config_error::ConfigError;

/// The file endings of a copy of the database.
const DATABASE_ENDINGS: [&str; 3] = ["db", "sqlite", "sqlite3"];

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows export top_shows\n  tvshows export all_shows --output shows.parquet\n  tvshows export all_shows --output shows.csv.gz\n  tvshows export all_shows --genre drama --country US --output dramas.csv\n  tvshows export top_shows --dialect excel --output top.csv\n  tvshows export database --output copy.db"
)]
pub(crate) struct Export {
    /// Table to export (`runs` is the history of updates), or `database` for a copy of the whole file; only `all_shows`
    /// can be filtered
    #[arg(value_name = "TABLE")]
    pub(crate) target: ExportTarget,

    /// csv, ndjson, or parquet; defaults to the ending of the output file, or csv for stdout
    #[arg(long)]
    format: Option<Format>,

    /// Dialect of CSV: standard, with every value as it is, or excel, with a byte order mark and with `'` before text
    /// that a spreadsheet could take for a formula
    #[arg(long, default_value_t)]
    pub(crate) dialect: Dialect,

    /// Output file, which appears only once it is complete; its ending chooses the format: .csv, .ndjson, .jsonl
    /// (each also with .gz), .parquet, or .pq. Pipes and devices are written directly; - for stdout
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) database: Database,

    /// Only shows with these words in the name or summary, as in `tvshows search`
    #[arg(long, help_heading = "Filters")]
    text: Option<String>,

    #[command(flatten)]
    filters: Filters,
}

/// What an export contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A copy of the whole database.
    Database,
    Table(Table, Format, Compression),
}

impl Content {
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Content::Table(_, Format::Csv | Format::Ndjson, Compression::None))
    }
}

impl Export {
    /// Decides what to write. The name of a stream, such as a pipe, need not have an ending.
    pub(crate) fn content(&self, is_stream: bool) -> Result<Content, ConfigError> {
        let ExportTarget::Table(table) = self.target else {
            return self.database_content(is_stream);
        };
        let (format, compression) = self.format_and_compression(is_stream)?;
        if self.dialect != Dialect::default() && format != Format::Csv {
            return Err(invalid("--dialect", format!("applies to csv, not to {format}")));
        }
        Ok(Content::Table(table, format, compression))
    }

    /// The filter of the rows, which only `all_shows` can have.
    pub(crate) fn filter(&self) -> anyhow::Result<ShowFilter> {
        let filter = self.filters.with_text(self.text.as_deref().unwrap_or_default())?;
        let is_filterable = matches!(self.target, ExportTarget::Table(Table::AllShows));
        if !is_filterable && filter != ShowFilter::default() {
            let problem = "only all_shows can be filtered; the others are exported as a whole";
            return Err(invalid("TABLE", problem.into()).into());
        }
        Ok(filter)
    }

    fn format_and_compression(
        &self,
        is_stream: bool,
    ) -> Result<(Format, Compression), ConfigError> {
        let by_ending = Format::from_path(&self.output);
        match (self.format, by_ending) {
            (None, Ok(by_ending)) => Ok(by_ending),
            (None, Err(_)) if is_stream => Ok((Format::Csv, Compression::None)),
            (None, Err(error)) => {
                let file = self.output.display();
                Err(invalid("--output", format!("{file} has an {error}; or give the --format")))
            }
            (Some(format), Ok((by_ending, compression))) if format == by_ending => {
                Ok((format, compression))
            }
            (Some(format), Ok((by_ending, _))) if !is_stream => {
                let file = self.output.display();
                Err(invalid(
                    "--format",
                    format!("{format} contradicts {file}, which means {by_ending}"),
                ))
            }
            (Some(format), _) => Ok((format, Compression::None)),
        }
    }

    fn database_content(&self, is_stream: bool) -> Result<Content, ConfigError> {
        let ending = self.output.extension().map(OsStr::to_ascii_lowercase);
        let is_known =
            ending.is_none_or(|ending| DATABASE_ENDINGS.iter().any(|known| ending == **known));
        if self.format.is_some() {
            return Err(invalid("--format", "applies to tables, not to the database".into()));
        }
        if self.dialect != Dialect::default() {
            return Err(invalid("--dialect", "applies to tables, not to the database".into()));
        }
        if !is_stream && !is_known {
            let file = self.output.display();
            let problem = format!("{file} is no name for a database: use .db, .sqlite or .sqlite3");
            return Err(invalid("--output", problem));
        }
        Ok(Content::Database)
    }
}

fn invalid(setting: &'static str, problem: String) -> ConfigError {
    ConfigError { setting, problem }
}

#[derive(Clone, Copy)]
pub(crate) enum ExportTarget {
    Table(Table),
    /// The whole database.
    Database,
}

impl ValueEnum for ExportTarget {
    fn value_variants<'a>() -> &'a [ExportTarget] {
        const {
            &[
                ExportTarget::Table(Table::ALL[0]),
                ExportTarget::Table(Table::ALL[1]),
                ExportTarget::Table(Table::ALL[2]),
                ExportTarget::Table(Table::ALL[3]),
                ExportTarget::Table(Table::ALL[4]),
                ExportTarget::Table(Table::ALL[5]),
                ExportTarget::Database,
            ]
        }
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            ExportTarget::Table(table) => PossibleValue::new(table.to_string()),
            ExportTarget::Database => PossibleValue::new("database"),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCommand {
        #[command(flatten)]
        export: Export,
    }

    fn content(arguments: &str, is_stream: bool) -> Result<Content, String> {
        let command = TestCommand::parse_from(format!("export {arguments}").split(' '));
        command.export.content(is_stream).map_err(|error| error.to_string())
    }

    const CSV: Content = Content::Table(Table::TopShows, Format::Csv, Compression::None);
    const CSV_GZ: Content = Content::Table(Table::TopShows, Format::Csv, Compression::Gzip);
    const NDJSON: Content = Content::Table(Table::TopShows, Format::Ndjson, Compression::None);
    const PARQUET: Content = Content::Table(Table::TopShows, Format::Parquet, Compression::None);

    #[test]
    fn the_ending_chooses_the_format_and_an_explicit_format_agrees_with_it() {
        for (arguments, expected) in [
            ("-o x.csv", CSV),
            ("-o x.jsonl", NDJSON),
            ("-o x.pq", PARQUET),
            ("-o x.csv.gz", CSV_GZ),
            ("-o x.csv.gz --format csv", CSV_GZ),
            ("-o x.txt --format ndjson", NDJSON),
            ("-o x --format csv", CSV),
            ("-o x.csv --dialect excel", CSV),
        ] {
            let chosen = content(&format!("top_shows {arguments}"), false);
            assert_eq!(chosen, Ok(expected), "{arguments}");
        }
        for name in ["x.xlsx", "x.json", "x.parquet.gz", "x.csv.zst", "x.gz", "x"] {
            let error = content(&format!("top_shows -o {name}"), false).unwrap_err();
            assert!(error.contains(name) && error.contains(".ndjson.gz"), "{error}");
        }
        for arguments in ["-o x.parquet --format csv", "-o x.csv.gz --format ndjson"] {
            let error = content(&format!("top_shows {arguments}"), false).unwrap_err();
            assert!(error.contains("contradicts"), "{error}");
        }
        let error = content("top_shows -o x.parquet --dialect excel", false).unwrap_err();
        assert!(error.contains("--dialect"), "{error}");
    }

    #[test]
    fn a_stream_needs_no_ending_and_may_have_any() {
        for (arguments, expected) in [
            ("top_shows", CSV),
            ("top_shows -o pipe", CSV),
            ("top_shows -o pipe.jsonl", NDJSON),
            ("top_shows -o pipe.csv --format parquet", PARQUET),
            ("database -o pipe.csv", Content::Database),
        ] {
            assert_eq!(content(arguments, true), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn a_copy_of_the_database_is_named_like_one() {
        for name in ["x.db", "x.SQLite", "x.sqlite3", "x"] {
            assert_eq!(content(&format!("database -o {name}"), false), Ok(Content::Database));
        }
        for arguments in ["-o x.csv", "-o x.db.gz", "-o x.db --format csv", "--dialect excel"] {
            assert!(content(&format!("database {arguments}"), false).is_err(), "{arguments}");
        }
    }
}
