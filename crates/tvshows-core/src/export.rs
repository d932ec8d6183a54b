//! The published tables, read whole: their columns, and what takes their rows.

use std::fmt;
use std::io;
use std::str::FromStr;

/// A published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the tables'")]
pub enum Table {
    AllShows,
    TopShows,
    TopShowsCast,
}

/// A text that names no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of all_shows, top_shows, top_shows_cast")]
pub struct UnknownTable;

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
    type Err = UnknownTable;

    fn from_str(text: &str) -> Result<Table, UnknownTable> {
        Table::ALL.into_iter().find(|table| table.to_string() == text).ok_or(UnknownTable)
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
    /// Whether a row may have no value in it.
    pub optional: bool,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// A text. Days are texts too: TVmaze decides what they look like.
    Text,
    /// 0 or 1.
    Boolean,
    /// A moment in RFC 3339.
    Moment,
    /// Texts without commas, joined by commas; none is an empty text.
    Words,
    /// JSON as text.
    Json,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// What takes the rows of a table, one after the other.
///
/// An error ends the reading: whoever gives rows stops, and does not call `finish`.
pub trait RowSink: Send {
    /// Takes a row: a cell for each of the table's columns.
    ///
    /// # Errors
    ///
    /// It cannot be written where it should go.
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()>;

    /// Takes note that there are no more rows.
    ///
    /// # Errors
    ///
    /// As for a row.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins to take rows. Called where taking one may wait, and not at all when there will be none.
pub type OpenRows = Box<dyn FnOnce() -> io::Result<Box<dyn RowSink>> + Send>;

const fn must(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind, optional: false }
}

const fn may(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind, optional: true }
}

const ALL_SHOWS: &[Column] = {
    use ColumnKind::{Integer, Json, Moment, Real, Text, Words};
    &[
        must("id", Integer),
        must("name", Text),
        may("type", Text),
        may("language", Text),
        must("genres", Words),
        may("status", Text),
        may("premiered", Text),
        may("ended", Text),
        may("rating_average", Real),
        may("summary", Text),
        may("updated", Integer),
        must("processed_at", Moment),
        may("url", Text),
        may("runtime", Integer),
        may("average_runtime", Integer),
        may("official_site", Text),
        may("weight", Integer),
        may("schedule", Json),
        may("network", Json),
        may("web_channel", Json),
        may("dvd_country", Json),
        may("externals", Json),
        may("image", Json),
        may("links", Json),
        may("extra", Json),
    ]
};

const TOP_SHOWS: &[Column] = {
    use ColumnKind::{Integer, Moment, Real, Text, Words};
    &[
        must("id", Integer),
        must("name", Text),
        must("language", Text),
        must("genres", Words),
        must("premiered", Text),
        may("rating_average", Real),
        must("processed_at", Moment),
        may("weight", Integer),
        must("rank", Integer),
        may("updated", Integer),
    ]
};

const TOP_SHOWS_CAST: &[Column] = {
    use ColumnKind::{Boolean, Integer, Moment, Text};
    &[
        must("show_id", Integer),
        must("show_name", Text),
        must("person_id", Integer),
        must("person_name", Text),
        may("person_birthday", Text),
        may("person_deathday", Text),
        may("person_gender", Text),
        may("person_country_name", Text),
        must("character_id", Integer),
        must("character_name", Text),
        may("image", Text),
        must("processed_at", Moment),
        may("self", Boolean),
        may("voice", Boolean),
        must("position", Integer),
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
        assert_eq!("runs".parse::<Table>(), Err(UnknownTable));
    }
}
