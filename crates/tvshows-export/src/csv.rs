use std::io::{self, Write};

use csv::{IntoInnerError, Terminator, Writer, WriterBuilder};
use tvshows_core::{CellValue, Column, RowWriter};

use crate::compression::Output;
use crate::dialect::Dialect;

pub(crate) struct CsvWriter {
    records: Writer<Output>,
    dialect: Dialect,
}

impl CsvWriter {
    pub(crate) fn new(
        columns: &[Column],
        dialect: Dialect,
        mut output: Output,
    ) -> io::Result<CsvWriter> {
        output.write_all(dialect.prologue().as_bytes())?;
        let mut records = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(output);
        records.write_record(columns.iter().map(|column| column.name)).map_err(io_error)?;
        Ok(CsvWriter { records, dialect })
    }
}

impl RowWriter for CsvWriter {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        for cell in cells {
            let written = match cell {
                CellValue::Null => self.records.write_field(""),
                CellValue::Integer(number) => self.records.write_field(number.to_string()),
                // Always with a decimal point, so that type inference sees one type in the whole column.
                CellValue::Real(number) => self.records.write_field(format!("{number:?}")),
                CellValue::Text(text) => self.records.write_field(&*self.dialect.text(text)),
            };
            written.map_err(io_error)?;
        }
        // Ends the record of the fields above.
        self.records.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.records.into_inner().map_err(IntoInnerError::into_error)?.finish()
    }
}

/// Returns the error of the file itself, so that the caller can recognize a closed pipe.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::ColumnType;

    use crate::Compression;
    use crate::shared_buffer::SharedBuffer;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::required("id", ColumnType::Integer),
        Column::required("name", ColumnType::Text),
        Column::nullable("rating", ColumnType::Real),
    ];

    fn written(dialect: Dialect, rows: &[[CellValue<'_>; 3]]) -> String {
        let file = SharedBuffer::default();
        let output = Output::new(Compression::None, Box::new(file.clone()));
        let mut writer = Box::new(CsvWriter::new(COLUMNS, dialect, output).unwrap());
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
        let written = |rows: &[_]| written(Dialect::Standard, rows);
        assert_eq!(written(&rows), "id,name,rating\r\n1,\"a \"\"b\"\", c\r\nd\",8.0\r\n2,,\r\n");
        assert_eq!(written(&[]), "id,name,rating\r\n", "a header is there in any case");
    }

    #[test]
    fn formulas_are_written_as_they_are_by_default() {
        let row = [CellValue::Integer(-1), CellValue::Text("=1+1"), CellValue::Real(-0.5)];
        assert_eq!(written(Dialect::Standard, &[row]), "id,name,rating\r\n-1,=1+1,-0.5\r\n");
    }

    #[test]
    fn excel_gets_a_byte_order_mark_and_no_formulas_and_negative_numbers() {
        let rows = [
            [CellValue::Integer(-1), CellValue::Text("=1+1"), CellValue::Real(-0.5)],
            [CellValue::Integer(2), CellValue::Text("\r=\"x\""), CellValue::Null],
        ];
        assert_eq!(
            written(Dialect::Excel, &rows),
            "\u{feff}id,name,rating\r\n-1,'=1+1,-0.5\r\n2,\"'\r=\"\"x\"\"\",\r\n"
        );
    }

    fn read(text: &str) -> Vec<(i64, String)> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.records().map(|record| {
            let record = record.unwrap();
            (record[0].parse().unwrap(), record[1].to_owned())
        });
        rows.collect()
    }

    fn with_names(rows: &[(i64, String)]) -> Vec<[CellValue<'_>; 3]> {
        rows.iter()
            .map(|(id, name)| [CellValue::Integer(*id), CellValue::Text(name), CellValue::Null])
            .collect()
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(rows in prop::collection::vec((any::<i64>(), any::<String>()), 0..8)) {
            prop_assert_eq!(read(&written(Dialect::Standard, &with_names(&rows))), rows);
        }

        #[test]
        fn excel_never_sees_a_formula(
            rows in prop::collection::vec((any::<i64>(), "[-=+@\t\r\n ,;'\"a]{0,6}"), 0..8)
        ) {
            let text = written(Dialect::Excel, &with_names(&rows));
            for ((id, cell), (expected_id, name)) in read(&text).iter().zip(&rows) {
                prop_assert_eq!(id, expected_id);
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
                prop_assert!(cell == name || cell.strip_prefix('\'') == Some(name));
            }
        }
    }
}
