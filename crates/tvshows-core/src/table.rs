//! The published tables: their columns, and the interface for exporting their rows.

use std::io;

use schemars::JsonSchema;
use strum::{Display, EnumString, VariantNames};

use crate::ParseEnumError;

/// A table that can be exported: a published one, or the history of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[derive(Display, EnumString, VariantNames)]
#[schemars(inline, rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[strum(parse_err_ty = ParseEnumError, parse_err_fn = ParseEnumError::new::<Table>)]
pub enum Table {
    AllShows,
    TopShows,
    TopShowsCast,
    Episodes,
    /// All stored casts, including those of the top shows.
    ShowCast,
    /// The history of runs, which is not part of a snapshot.
    Runs,
}

impl Table {
    pub const ALL: [Table; 6] = [
        Table::AllShows,
        Table::TopShows,
        Table::TopShowsCast,
        Table::Episodes,
        Table::ShowCast,
        Table::Runs,
    ];

    /// The name in the database, such as `All_Shows`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::AllShows => "All_Shows",
            Table::TopShows => "Top_Shows",
            Table::TopShowsCast => "Top_Shows_Cast",
            Table::Episodes => "Episodes",
            Table::ShowCast => "Show_Cast",
            Table::Runs => "Runs",
        }
    }

    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Table::AllShows => ALL_SHOWS,
            Table::TopShows => TOP_SHOWS,
            Table::TopShowsCast => TOP_SHOWS_CAST,
            Table::Episodes => EPISODES,
            Table::ShowCast => SHOW_CAST,
            Table::Runs => RUNS,
        }
    }

    pub fn column_names(self) -> impl Iterator<Item = &'static str> {
        self.columns().iter().map(|column| column.name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub is_nullable: bool,
}

impl Column {
    #[must_use]
    pub const fn required(name: &'static str, column_type: ColumnType) -> Column {
        Column { name, column_type, is_nullable: false }
    }

    #[must_use]
    pub const fn nullable(name: &'static str, column_type: ColumnType) -> Column {
        Column { name, column_type, is_nullable: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Integer,
    Real,
    Text,
    /// Text that is `YYYY-MM-DD` unless TVmaze sent something else.
    Date,
    /// 0 or 1.
    Boolean,
    /// RFC 3339, UTC.
    Timestamp,
    /// Strings joined by commas; the empty list is the empty text.
    StringList,
    /// JSON text.
    Json,
}

/// A value in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// Writes the rows of a table to a file or a stream.
///
/// After an error the caller stops and does not call `finish`.
pub trait RowWriter: Send {
    /// Writes a row with one value per column of the table.
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()>;

    /// Completes the output after the last row.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Creates the writer for a table. Called on a thread that may block, once the first row is about to be
/// written.
pub type MakeRowWriter = Box<dyn FnOnce(DateColumns) -> io::Result<Box<dyn RowWriter>> + Send>;

/// The columns of type [`Date`](ColumnType::Date) that contain nothing but calendar days in this export.
pub type DateColumns = Vec<&'static str>;

const ALL_SHOWS: &[Column] = &[
    Column::required("id", ColumnType::Integer),
    Column::required("name", ColumnType::Text),
    Column::nullable("type", ColumnType::Text),
    Column::nullable("language", ColumnType::Text),
    Column::required("genres", ColumnType::StringList),
    Column::nullable("status", ColumnType::Text),
    Column::nullable("premiered", ColumnType::Date),
    Column::nullable("ended", ColumnType::Date),
    Column::nullable("rating_average", ColumnType::Real),
    Column::nullable("summary", ColumnType::Text),
    Column::nullable("updated", ColumnType::Integer),
    Column::required("processed_at", ColumnType::Timestamp),
    Column::nullable("url", ColumnType::Text),
    Column::nullable("runtime", ColumnType::Integer),
    Column::nullable("average_runtime", ColumnType::Integer),
    Column::nullable("official_site", ColumnType::Text),
    Column::nullable("weight", ColumnType::Integer),
    Column::nullable("schedule", ColumnType::Json),
    Column::nullable("network", ColumnType::Json),
    Column::nullable("web_channel", ColumnType::Json),
    Column::nullable("dvd_country", ColumnType::Json),
    Column::nullable("externals", ColumnType::Json),
    Column::nullable("image", ColumnType::Json),
    Column::nullable("links", ColumnType::Json),
    Column::nullable("extra", ColumnType::Json),
];

const TOP_SHOWS: &[Column] = &[
    Column::required("id", ColumnType::Integer),
    Column::required("name", ColumnType::Text),
    Column::required("language", ColumnType::Text),
    Column::required("genres", ColumnType::StringList),
    Column::required("premiered", ColumnType::Date),
    Column::nullable("rating_average", ColumnType::Real),
    Column::required("processed_at", ColumnType::Timestamp),
    Column::nullable("weight", ColumnType::Integer),
    Column::required("rank", ColumnType::Integer),
    Column::nullable("updated", ColumnType::Integer),
];

/// Those of `Show_Cast` but for the last one, `extra`.
const TOP_SHOWS_CAST: &[Column] = match SHOW_CAST {
    [columns @ .., _] => columns,
    [] => &[],
};

const EPISODES: &[Column] = &[
    Column::required("id", ColumnType::Integer),
    Column::required("show_id", ColumnType::Integer),
    Column::nullable("season", ColumnType::Integer),
    Column::nullable("number", ColumnType::Integer),
    Column::nullable("type", ColumnType::Text),
    Column::nullable("name", ColumnType::Text),
    Column::nullable("airdate", ColumnType::Date),
    Column::nullable("airtime", ColumnType::Text),
    Column::nullable("airstamp", ColumnType::Text),
    Column::nullable("runtime", ColumnType::Integer),
    Column::nullable("rating_average", ColumnType::Real),
    Column::nullable("summary", ColumnType::Text),
    Column::nullable("image_medium", ColumnType::Text),
    Column::nullable("image_original", ColumnType::Text),
    Column::nullable("url", ColumnType::Text),
    Column::required("processed_at", ColumnType::Timestamp),
    Column::required("position", ColumnType::Integer),
    Column::nullable("extra", ColumnType::Json),
];

const SHOW_CAST: &[Column] = &[
    Column::required("show_id", ColumnType::Integer),
    Column::required("show_name", ColumnType::Text),
    Column::required("person_id", ColumnType::Integer),
    Column::required("person_name", ColumnType::Text),
    Column::nullable("person_birthday", ColumnType::Date),
    Column::nullable("person_deathday", ColumnType::Date),
    Column::nullable("person_gender", ColumnType::Text),
    Column::nullable("person_country_name", ColumnType::Text),
    Column::required("character_id", ColumnType::Integer),
    Column::required("character_name", ColumnType::Text),
    Column::nullable("image", ColumnType::Text),
    Column::required("processed_at", ColumnType::Timestamp),
    Column::nullable("self", ColumnType::Boolean),
    Column::nullable("voice", ColumnType::Boolean),
    Column::required("position", ColumnType::Integer),
    Column::nullable("extra", ColumnType::Json),
];

const RUNS: &[Column] = &[
    Column::required("sequence", ColumnType::Integer),
    Column::required("request_id", ColumnType::Text),
    Column::required("state", ColumnType::Text),
    Column::required("step", ColumnType::Text),
    Column::required("progress", ColumnType::Integer),
    Column::nullable("error", ColumnType::Text),
    Column::required("pages_done", ColumnType::Integer),
    Column::nullable("pages_total", ColumnType::Integer),
    Column::required("shows_seen", ColumnType::Integer),
    Column::required("singles_done", ColumnType::Integer),
    Column::nullable("singles_total", ColumnType::Integer),
    Column::required("casts_done", ColumnType::Integer),
    Column::nullable("casts_total", ColumnType::Integer),
    Column::required("requests", ColumnType::Integer),
    Column::required("retries", ColumnType::Integer),
    Column::required("rate_limited", ColumnType::Integer),
    Column::nullable("started_at", ColumnType::Timestamp),
    Column::required("updated_at", ColumnType::Timestamp),
    Column::nullable("finished_at", ColumnType::Timestamp),
    Column::required("years", ColumnType::Integer),
    Column::required("top", ColumnType::Integer),
    Column::required("mode", ColumnType::Text),
    Column::required("instance", ColumnType::Text),
    Column::required("revision", ColumnType::Integer),
    Column::required("added", ColumnType::Integer),
    Column::required("changed", ColumnType::Integer),
    Column::required("deleted", ColumnType::Integer),
    Column::required("unchanged", ColumnType::Integer),
    Column::required("attempt", ColumnType::Integer),
    Column::required("malformed_shows", ColumnType::Integer),
    Column::nullable("max_requests", ColumnType::Integer),
    Column::nullable("trigger", ColumnType::Text),
    Column::required("steps", ColumnType::Json),
    Column::required("details_done", ColumnType::Integer),
    Column::nullable("details_total", ColumnType::Integer),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_it_is_written() {
        for table in Table::ALL {
            assert_eq!(table.to_string().parse(), Ok(table));
            assert_eq!(table.name().to_lowercase(), table.to_string());
        }
        assert!("_Staged_Shows".parse::<Table>().is_err());
    }
}
