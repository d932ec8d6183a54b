use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use tvshows_core::{CellValue, Column, ColumnType, RowWriter};

/// A row group is held in memory until it is whole: these rows, or this much text, whichever comes first.
const GROUP_ROWS: usize = 10_000;
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A table as Parquet.
///
/// The crate's column writers, without its Arrow half: that would double what there is to compile.
pub(crate) struct Parquet {
    file: SerializedFileWriter<Box<dyn Write + Send>>,
    columns: Vec<ColumnBuffer>,
    rows: usize,
    bytes: usize,
}

impl Parquet {
    pub(crate) fn begin(columns: &[Column], file: Box<dyn Write + Send>) -> io::Result<Parquet> {
        let fields: String = columns.iter().map(field).collect();
        let schema = parse_message_type(&format!("message table {{ {fields} }}"))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        Ok(Parquet {
            file: SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?,
            columns: columns.iter().map(ColumnBuffer::of).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    fn end_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group()?;
        let mut columns = self.columns.iter_mut();
        while let Some((mut writer, column)) = group.next_column()?.zip(columns.next()) {
            column.empty_into(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl RowWriter for Parquet {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(*cell)?;
            self.bytes += if let CellValue::Text(text) = cell { text.len() } else { 0 };
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS || self.bytes >= GROUP_BYTES { self.end_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.file.finish()?;
        Ok(())
    }
}

/// A column as a schema in text has it.
fn field(column: &Column) -> String {
    let Column { name, kind, optional } = column;
    let repetition = if *optional { "optional" } else { "required" };
    match kind {
        ColumnType::Integer => format!("{repetition} int64 {name};"),
        ColumnType::Real => format!("{repetition} double {name};"),
        ColumnType::Boolean => format!("{repetition} boolean {name};"),
        ColumnType::Text => format!("{repetition} binary {name} (STRING);"),
        ColumnType::Json => format!("{repetition} binary {name} (JSON);"),
        ColumnType::Timestamp => format!("{repetition} int64 {name} (TIMESTAMP(NANOS,true));"),
        ColumnType::StringList => format!(
            "required group {name} (LIST) {{ repeated group list {{ required binary element (STRING); }} }}"
        ),
    }
}

/// The values of a column in the row group that is being filled.
struct ColumnBuffer {
    kind: ColumnType,
    optional: bool,
    values: Values,
    /// Whether each row, or each word, has a value.
    defined: Vec<i16>,
    /// Whether each word follows another of its row.
    repeated: Vec<i16>,
}

enum Values {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Booleans(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl ColumnBuffer {
    fn of(column: &Column) -> ColumnBuffer {
        let values = match column.kind {
            ColumnType::Integer | ColumnType::Timestamp => Values::Integers(Vec::new()),
            ColumnType::Real => Values::Reals(Vec::new()),
            ColumnType::Boolean => Values::Booleans(Vec::new()),
            ColumnType::Text | ColumnType::Json | ColumnType::StringList => {
                Values::Texts(Vec::new())
            }
        };
        let (kind, optional) = (column.kind, column.optional);
        ColumnBuffer { kind, optional, values, defined: Vec::new(), repeated: Vec::new() }
    }

    fn push(&mut self, cell: CellValue<'_>) -> io::Result<()> {
        if self.kind == ColumnType::StringList {
            return self.push_words(cell);
        }
        self.defined.push(i16::from(cell != CellValue::Null));
        match (&mut self.values, cell) {
            (_, CellValue::Null) if self.optional => {}
            (Values::Integers(values), CellValue::Integer(number)) => values.push(number),
            (Values::Integers(values), CellValue::Text(text)) => values.push(nanoseconds(text)?),
            (Values::Reals(values), CellValue::Real(number)) => values.push(number),
            (Values::Booleans(values), CellValue::Integer(number)) => values.push(number != 0),
            (Values::Texts(values), CellValue::Text(text)) => values.push(bytes(text)),
            _ => return Err(misplaced(cell)),
        }
        Ok(())
    }

    fn push_words(&mut self, cell: CellValue<'_>) -> io::Result<()> {
        let (Values::Texts(values), CellValue::Text(text)) = (&mut self.values, cell) else {
            return Err(misplaced(cell));
        };
        if text.is_empty() {
            self.defined.push(0);
            self.repeated.push(0);
            return Ok(());
        }
        for (place, word) in text.split(',').enumerate() {
            values.push(bytes(word));
            self.defined.push(1);
            self.repeated.push(i16::from(place > 0));
        }
        Ok(())
    }

    fn empty_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> io::Result<()> {
        let is_words = self.kind == ColumnType::StringList;
        let defined = (self.optional || is_words).then_some(&self.defined[..]);
        let repeated = is_words.then_some(&self.repeated[..]);
        match &mut self.values {
            Values::Integers(values) => {
                writer.typed::<Int64Type>().write_batch(values, defined, repeated)?;
                values.clear();
            }
            Values::Reals(values) => {
                writer.typed::<DoubleType>().write_batch(values, defined, repeated)?;
                values.clear();
            }
            Values::Booleans(values) => {
                writer.typed::<BoolType>().write_batch(values, defined, repeated)?;
                values.clear();
            }
            Values::Texts(values) => {
                writer.typed::<ByteArrayType>().write_batch(values, defined, repeated)?;
                values.clear();
            }
        }
        self.defined.clear();
        self.repeated.clear();
        Ok(())
    }
}

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

fn nanoseconds(text: &str) -> io::Result<i64> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let moment: Timestamp = text.parse().map_err(invalid)?;
    let wrong = |_| misplaced(CellValue::Text(text));
    moment.as_nanosecond().try_into().map_err(wrong)
}

fn misplaced(cell: CellValue<'_>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{cell:?} does not fit its column"))
}

#[cfg(test)]
mod tests {
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use crate::Format;
    use crate::format::tests::Shared;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "id", kind: ColumnType::Integer, optional: false },
        Column { name: "name", kind: ColumnType::Text, optional: true },
        Column { name: "genres", kind: ColumnType::StringList, optional: false },
        Column { name: "rating", kind: ColumnType::Real, optional: true },
        Column { name: "self", kind: ColumnType::Boolean, optional: true },
        Column { name: "at", kind: ColumnType::Timestamp, optional: false },
        Column { name: "image", kind: ColumnType::Json, optional: true },
    ];
    const AT: CellValue<'_> = CellValue::Text("2026-11-22T10:00:02.000000001Z");

    fn written(
        rows: impl Iterator<Item = [CellValue<'static>; 7]>,
    ) -> SerializedFileReader<bytes::Bytes> {
        let file = Shared::default();
        let mut writer = Format::Parquet.writer(COLUMNS, Box::new(file.clone())).unwrap();
        for row in rows {
            writer.write_row(&row).unwrap();
        }
        writer.finish().unwrap();
        SerializedFileReader::new(bytes::Bytes::from(file.bytes())).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_read_back() {
        let full = [
            CellValue::Integer(1),
            CellValue::Text("é"),
            CellValue::Text("A,B"),
            CellValue::Real(8.1),
            CellValue::Integer(1),
            AT,
            CellValue::Text("{}"),
        ];
        let (none, words) = (CellValue::Null, CellValue::Text(""));
        let bare = [CellValue::Integer(2), none, words, none, none, AT, none];
        let rows: Vec<String> = written([full, bare].into_iter())
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert!(
            rows[0].contains("id: 1, name: \"é\", genres: [\"A\", \"B\"], rating: 8.1, self: true")
        );
        assert!(rows[1].contains("id: 2, name: null, genres: [], rating: null, self: null"));
    }

    #[test]
    fn groups_are_bounded() {
        let row = |id| {
            let none = CellValue::Null;
            [
                CellValue::Integer(id),
                CellValue::Text("x"),
                CellValue::Text("A"),
                none,
                none,
                AT,
                none,
            ]
        };
        let file = written((0..25_000).map(row));
        let groups = file.metadata().row_groups().iter().map(RowGroupMetaData::num_rows);
        assert_eq!(groups.collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        assert_eq!(written((0..0).map(row)).metadata().num_row_groups(), 0);
    }

    #[test]
    fn a_value_of_another_kind_is_an_error() {
        let mut writer =
            Format::Parquet.writer(&COLUMNS[..1], Box::new(Shared::default())).unwrap();
        for wrong in [CellValue::Null, CellValue::Text("x"), CellValue::Real(1.0)] {
            assert!(writer.write_row(&[wrong]).is_err(), "{wrong:?}");
        }
    }
}
