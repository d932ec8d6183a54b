use std::io::{self, Write};

use tvshows_core::{Column, DateColumns, RowWriter};

use crate::compression::{Compression, Output};
use crate::csv::CsvWriter;
use crate::dialect::Dialect;
use crate::format::Format;
use crate::ndjson::NdjsonWriter;
use crate::parquet::ParquetWriter;

/// How a table is written, in addition to the format.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriterOptions {
    pub compression: Compression,
    /// Affects CSV only.
    pub dialect: Dialect,
    /// The columns of type `Date` in which every value is null or a date according to [`is_date`](crate::is_date).
    /// Affects Parquet only, which stores them as `DATE`; names of other columns are ignored.
    ///
    /// The schema is fixed before the first row is written, so the store determines these columns first. A value that
    /// is not a date fails the export.
    pub date_columns: DateColumns,
}

impl Format {
    /// Starts a file.
    pub fn writer(
        self,
        columns: &'static [Column],
        options: &WriterOptions,
        file: Box<dyn Write + Send>,
    ) -> io::Result<Box<dyn RowWriter>> {
        let output = Output::new(options.compression, file);
        Ok(match self {
            Format::Csv => Box::new(CsvWriter::new(columns, options.dialect, output)?),
            Format::Ndjson => Box::new(NdjsonWriter::new(columns, output)),
            Format::Parquet => {
                Box::new(ParquetWriter::new(columns, &options.date_columns, output)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use tvshows_core::{CellValue, ColumnType};

    use crate::shared_buffer::SharedBuffer;

    use super::*;

    const COLUMNS: &[Column] = &[Column::required("id", ColumnType::Integer)];

    fn write(format: Format, options: &WriterOptions) -> Vec<u8> {
        let file = SharedBuffer::default();
        let mut rows = format.writer(COLUMNS, options, Box::new(file.clone())).unwrap();
        for id in 0..3_000 {
            rows.write_row(&[CellValue::Integer(id)]).unwrap();
        }
        rows.finish().unwrap();
        file.bytes()
    }

    #[test]
    fn every_format_is_compressed_to_its_end() {
        let gzip = WriterOptions { compression: Compression::Gzip, ..WriterOptions::default() };
        for format in Format::ALL {
            let mut content = Vec::new();
            GzDecoder::new(&*write(format, &gzip)).read_to_end(&mut content).unwrap();
            assert_eq!(content, write(format, &WriterOptions::default()), "{format}");
        }
    }

    #[test]
    fn the_dialect_affects_csv_only() {
        let excel = WriterOptions { dialect: Dialect::Excel, ..WriterOptions::default() };
        for format in Format::ALL {
            let is_same = write(format, &excel) == write(format, &WriterOptions::default());
            assert_eq!(is_same, format != Format::Csv, "{format}");
        }
    }
}
