use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};
use tvshows_core::{CellValue, Column, RowWriter};

/// A table as CSV.
pub(crate) struct Csv(Writer<Box<dyn Write + Send>>);

impl Csv {
    pub(crate) fn begin(columns: &[Column], file: Box<dyn Write + Send>) -> io::Result<Csv> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(file);
        writer.write_record(columns.iter().map(|column| column.name)).map_err(io_error)?;
        Ok(Csv(writer))
    }
}

impl RowWriter for Csv {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        for cell in cells {
            let written = match cell {
                CellValue::Null => self.0.write_field(""),
                CellValue::Integer(number) => self.0.write_field(number.to_string()),
                // With its point: a column of numbers is one of numbers in every row.
                CellValue::Real(number) => self.0.write_field(format!("{number:?}")),
                CellValue::Text(text) => self.0.write_field(text),
            };
            written.map_err(io_error)?;
        }
        // Ends the record that the fields made.
        self.0.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

/// The file's own error, so that whoever reads it can tell a pipe that nobody reads.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        // A record without its fields, which no row is.
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::ColumnType;

    use crate::Format;
    use crate::format::tests::Shared;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "id", kind: ColumnType::Integer, optional: false },
        Column { name: "name", kind: ColumnType::Text, optional: false },
        Column { name: "rating", kind: ColumnType::Real, optional: true },
    ];

    fn written(rows: &[[CellValue<'_>; 3]]) -> String {
        let file = Shared::default();
        let mut writer = Format::Csv.writer(COLUMNS, Box::new(file.clone())).unwrap();
        for row in rows {
            writer.write_row(row).unwrap();
        }
        writer.finish().unwrap();
        file.text()
    }

    #[test]
    fn lines_end_as_the_rfc_says_and_quotes_are_doubled() {
        let rows = [
            [CellValue::Integer(1), CellValue::Text("a \"b\", c\r\nd"), CellValue::Real(8.0)],
            [CellValue::Integer(2), CellValue::Text(""), CellValue::Null],
        ];
        assert_eq!(written(&rows), "id,name,rating\r\n1,\"a \"\"b\"\", c\r\nd\",8.0\r\n2,,\r\n");
        assert_eq!(written(&[]), "id,name,rating\r\n", "a header is there in any case");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(rows in prop::collection::vec((any::<i64>(), any::<String>()), 0..8)) {
            let cells: Vec<_> = rows
                .iter()
                .map(|(id, name)| [CellValue::Integer(*id), CellValue::Text(name), CellValue::Null])
                .collect();
            let text = written(&cells);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let read = reader.records().map(|record| {
                let record = record.unwrap();
                (record[0].parse::<i64>().unwrap(), record[1].to_owned())
            });
            prop_assert_eq!(read.collect::<Vec<_>>(), rows);
        }
    }
}
