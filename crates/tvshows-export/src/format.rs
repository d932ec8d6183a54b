use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use tvshows_core::{Column, RowWriter};

use crate::{csv, ndjson, parquet};

/// A form that a table can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, UTF-8, with a header.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Typed columns in row groups.
    Parquet,
}

/// A text that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be one of csv, ndjson, parquet")
    }
}

impl std::error::Error for UnknownFormat {}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Parquet];

    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Ndjson => "application/x-ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Begins a file of a table with `columns`.
    ///
    /// # Errors
    ///
    /// The beginning cannot be written.
    pub fn writer(
        self,
        columns: &'static [Column],
        file: Box<dyn Write + Send>,
    ) -> io::Result<Box<dyn RowWriter>> {
        Ok(match self {
            Format::Csv => Box::new(csv::Csv::begin(columns, file)?),
            Format::Ndjson => Box::new(ndjson::Ndjson::begin(columns, file)),
            Format::Parquet => Box::new(parquet::Parquet::begin(columns, file)?),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Parquet => "parquet",
        })
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        Format::ALL.into_iter().find(|format| format.to_string() == text).ok_or(UnknownFormat)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A file that can be read while a writer has it.
    #[derive(Clone, Default)]
    pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        pub(crate) fn bytes(&self) -> Vec<u8> {
            self.0.lock().unwrap().clone()
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.bytes()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_format_is_named_as_it_is_written() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!("xlsx".parse::<Format>(), Err(UnknownFormat));
    }
}
