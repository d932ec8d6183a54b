//! The published tables, read whole: their columns, and what takes their rows.

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

/// A text that names no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of all_shows, top_shows, top_shows_cast")]
pub struct ParseTableError;

impl Table {
    /// Every table.
    pub const ALL: [Table; 3] = [Table::AllShows, Table::TopShows, Table::TopShowsCast];

    /// The table's name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::AllShows => "All_Shows",
            Table::TopShows => "Top_Shows",
            Table::TopShowsCast => "Top_Shows_Cast",
        }
    }

    /// The table's columns, in order.
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

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
    /// Whether a row may have no value in it.
    pub optional: bool,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// A text. Days are texts too: TVmaze decides what they look like.
    Text,
    /// 0 or 1.
    Boolean,
    /// A moment in RFC 3339.
    Timestamp,
    /// Texts without commas, joined by commas; none is an empty text.
    StringList,
    /// JSON as text.
    Json,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// What takes the rows of a table, one after the other.
///
/// An error ends the reading: whoever gives rows stops, and does not call `finish`.
pub trait RowWriter: Send {
    /// Takes a row: a cell for each of the table's columns.
    ///
    /// # Errors
    ///
    /// It cannot be written where it should go.
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()>;

    /// Takes note that there are no more rows.
    ///
    /// # Errors
    ///
    /// As for a row.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins to take rows. Called where taking one may wait, and not at all when there will be none.
pub type MakeRowWriter = Box<dyn FnOnce() -> io::Result<Box<dyn RowWriter>> + Send>;

const fn required(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, optional: false }
}

const fn nullable(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, optional: true }
}

const ALL_SHOWS: &[Column] = {
    use ColumnType::{Integer, Json, Real, StringList, Text, Timestamp};
    &[
        required("id", Integer),
        required("name", Text),
        nullable("type", Text),
        nullable("language", Text),
        required("genres", StringList),
        nullable("status", Text),
        nullable("premiered", Text),
        nullable("ended", Text),
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
    use ColumnType::{Integer, Real, StringList, Text, Timestamp};
    &[
        required("id", Integer),
        required("name", Text),
        required("language", Text),
        required("genres", StringList),
        required("premiered", Text),
        nullable("rating_average", Real),
        required("processed_at", Timestamp),
        nullable("weight", Integer),
        required("rank", Integer),
        nullable("updated", Integer),
    ]
};

const TOP_SHOWS_CAST: &[Column] = {
    use ColumnType::{Boolean, Integer, Text, Timestamp};
    &[
        required("show_id", Integer),
        required("show_name", Text),
        required("person_id", Integer),
        required("person_name", Text),
        nullable("person_birthday", Text),
        nullable("person_deathday", Text),
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
