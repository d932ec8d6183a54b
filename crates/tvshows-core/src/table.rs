//! The published tables: their columns, and the interface for exporting their rows.

use std::fmt;
use std::io;
use std::str::FromStr;

/// A published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    AllShows,
    TopShows,
    TopShowsCast,
}

/// A text that is not the name of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of all_shows, top_shows, top_shows_cast")]
pub struct ParseTableError;

impl Table {
    pub const ALL: [Table; 3] = [Table::AllShows, Table::TopShows, Table::TopShowsCast];

    /// The name in the database, such as `All_Shows`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::AllShows => "All_Shows",
            Table::TopShows => "Top_Shows",
            Table::TopShowsCast => "Top_Shows_Cast",
        }
    }

    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Table::AllShows => ALL_SHOWS,
            Table::TopShows => TOP_SHOWS,
            Table::TopShowsCast => TOP_SHOWS_CAST,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Table::AllShows => "all_shows",
            Table::TopShows => "top_shows",
            Table::TopShowsCast => "top_shows_cast",
        })
    }
}

impl FromStr for Table {
    type Err = ParseTableError;

    fn from_str(text: &str) -> Result<Table, ParseTableError> {
        Table::ALL.into_iter().find(|table| table.to_string() == text).ok_or(ParseTableError)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub is_nullable: bool,
}

/// The type of a column's values.
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
    ///
    /// # Errors
    ///
    /// The destination failed.
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()>;

    /// Completes the output after the last row.
    ///
    /// # Errors
    ///
    /// The destination failed.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Creates the writer for a table. Called on a thread that may block, once the first row is about to be
/// written.
pub type MakeRowWriter = Box<dyn FnOnce(DateColumns) -> io::Result<Box<dyn RowWriter>> + Send>;

/// The columns of type [`Date`](ColumnType::Date) that contain nothing but calendar days in this export.
pub type DateColumns = Vec<&'static str>;

const fn required(name: &'static str, column_type: ColumnType) -> Column {
    Column { name, column_type, is_nullable: false }
}

const fn nullable(name: &'static str, column_type: ColumnType) -> Column {
    Column { name, column_type, is_nullable: true }
}

const ALL_SHOWS: &[Column] = {
    use ColumnType::{Date, Integer, Json, Real, StringList, Text, Timestamp};
    &[
        required("id", Integer),
        required("name", Text),
        nullable("type", Text),
        nullable("language", Text),
        required("genres", StringList),
        nullable("status", Text),
        nullable("premiered", Date),
        nullable("ended", Date),
        nullable("rating_average", Real),
        nullable("summary", Text),
        nullable("updated", Integer),
        required("processed_at", Timestamp),
        nullable("url", Text),
        nullable("runtime", Integer),
        nullable("average_runtime", Integer),
        nullable("official_site", Text),
        nullable("weight", Integer),
        nullable("schedule", Json),
        nullable("network", Json),
        nullable("web_channel", Json),
        nullable("dvd_country", Json),
        nullable("externals", Json),
        nullable("image", Json),
        nullable("links", Json),
        nullable("extra", Json),
    ]
};

const TOP_SHOWS: &[Column] = {
    use ColumnType::{Date, Integer, Real, StringList, Text, Timestamp};
    &[
        required("id", Integer),
        required("name", Text),
        required("language", Text),
        required("genres", StringList),
        required("premiered", Date),
        nullable("rating_average", Real),
        required("processed_at", Timestamp),
        nullable("weight", Integer),
        required("rank", Integer),
        nullable("updated", Integer),
    ]
};

const TOP_SHOWS_CAST: &[Column] = {
    use ColumnType::{Boolean, Date, Integer, Text, Timestamp};
    &[
        required("show_id", Integer),
        required("show_name", Text),
        required("person_id", Integer),
        required("person_name", Text),
        nullable("person_birthday", Date),
        nullable("person_deathday", Date),
        nullable("person_gender", Text),
        nullable("person_country_name", Text),
        required("character_id", Integer),
        required("character_name", Text),
        nullable("image", Text),
        required("processed_at", Timestamp),
        nullable("self", Boolean),
        nullable("voice", Boolean),
        required("position", Integer),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_it_is_written() {
        for table in Table::ALL {
            assert_eq!(table.to_string().parse(), Ok(table));
            assert_eq!(table.name().to_lowercase(), table.to_string());
        }
        assert_eq!("runs".parse::<Table>(), Err(ParseTableError));
    }
}
