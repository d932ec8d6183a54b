use std::io;

use jiff::Timestamp;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type,
};
use parquet::file::writer::SerializedColumnWriter;
use tvshows_core::{CellValue, Column, ColumnType};

use crate::date::days_since_epoch;

/// The values of a column in the current row group.
pub(super) struct ColumnBuffer {
    name: &'static str,
    is_nullable: bool,
    values: Values,
    /// Per row or list element: 1 for a value, 0 for null or an empty list.
    definition_levels: Vec<i16>,
    /// Per list element: 0 for the first of its row, 1 for the others.
    repetition_levels: Vec<i16>,
}

enum Values {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Booleans(Vec<bool>),
    Texts(TextBuffer),
    Lists(TextBuffer),
    Dates(Vec<i32>),
    Timestamps(Vec<i64>),
}

/// Texts in one allocation.
#[derive(Default)]
struct TextBuffer {
    bytes: Vec<u8>,
    /// The end of each text.
    ends: Vec<usize>,
}

impl TextBuffer {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }

    /// Empties the buffer.
    fn take(&mut self) -> Vec<ByteArray> {
        let bytes = ByteArray::from(std::mem::take(&mut self.bytes));
        let mut start = 0;
        let texts = self.ends.drain(..).map(|end| {
            let text = bytes.slice(start, end - start);
            start = end;
            text
        });
        texts.collect()
    }
}

impl ColumnBuffer {
    pub(super) fn new(column: &Column, is_date: bool) -> ColumnBuffer {
        let values = match column.column_type {
            ColumnType::Integer => Values::Integers(Vec::new()),
            ColumnType::Real => Values::Reals(Vec::new()),
            ColumnType::Boolean => Values::Booleans(Vec::new()),
            ColumnType::Date if is_date => Values::Dates(Vec::new()),
            ColumnType::Text | ColumnType::Date | ColumnType::Json => {
                Values::Texts(TextBuffer::default())
            }
            ColumnType::StringList => Values::Lists(TextBuffer::default()),
            ColumnType::Timestamp => Values::Timestamps(Vec::new()),
        };
        ColumnBuffer {
            name: column.name,
            is_nullable: column.is_nullable,
            values,
            definition_levels: Vec::new(),
            repetition_levels: Vec::new(),
        }
    }

    /// The column in the schema language of Parquet.
    ///
    /// Spark cannot read nanoseconds, and polars reads the annotation `JSON` as bytes.
    pub(super) fn schema_field(&self) -> String {
        let name = self.name;
        let repetition = if self.is_nullable { "optional" } else { "required" };
        match self.values {
            Values::Integers(_) => format!("{repetition} int64 {name};"),
            Values::Reals(_) => format!("{repetition} double {name};"),
            Values::Booleans(_) => format!("{repetition} boolean {name};"),
            Values::Texts(_) => format!("{repetition} binary {name} (STRING);"),
            Values::Dates(_) => format!("{repetition} int32 {name} (DATE);"),
            Values::Timestamps(_) => format!("{repetition} int64 {name} (TIMESTAMP(MICROS,true));"),
            Values::Lists(_) => format!(
                "required group {name} (LIST) {{ repeated group list {{ required binary element (STRING); }} }}"
            ),
        }
    }

    pub(super) fn push(&mut self, cell: CellValue<'_>) -> io::Result<()> {
        self.try_push(cell).ok_or_else(|| type_mismatch(self.name, cell))
    }

    fn try_push(&mut self, cell: CellValue<'_>) -> Option<()> {
        match (&mut self.values, cell) {
            (Values::Lists(values), CellValue::Text(text)) => {
                push_list(text, values, &mut self.definition_levels, &mut self.repetition_levels);
                return Some(());
            }
            (Values::Lists(_), _) => return None,
            (_, CellValue::Null) if self.is_nullable => {}
            (Values::Integers(values), CellValue::Integer(number)) => values.push(number),
            (Values::Reals(values), CellValue::Real(number)) => values.push(number),
            (Values::Booleans(values), CellValue::Integer(number)) => values.push(number != 0),
            (Values::Texts(values), CellValue::Text(text)) => values.push(text),
            (Values::Dates(values), CellValue::Text(text)) => values.push(days_since_epoch(text)?),
            (Values::Timestamps(values), CellValue::Text(text)) => {
                values.push(text.parse::<Timestamp>().ok()?.as_microsecond());
            }
            _ => return None,
        }
        self.definition_levels.push(i16::from(cell != CellValue::Null));
        Some(())
    }

    /// Writes the values and empties the buffer.
    pub(super) fn flush_into(&mut self, writer: &mut SerializedColumnWriter<'_>) -> io::Result<()> {
        let is_list = matches!(self.values, Values::Lists(_));
        let levels = Levels {
            definition: (self.is_nullable || is_list).then_some(&*self.definition_levels),
            repetition: is_list.then_some(&*self.repetition_levels),
        };
        match &mut self.values {
            Values::Integers(values) | Values::Timestamps(values) => {
                write_batch::<Int64Type>(writer, values, levels)?;
            }
            Values::Reals(values) => write_batch::<DoubleType>(writer, values, levels)?,
            Values::Booleans(values) => write_batch::<BoolType>(writer, values, levels)?,
            Values::Dates(values) => write_batch::<Int32Type>(writer, values, levels)?,
            Values::Texts(values) | Values::Lists(values) => {
                write_batch::<ByteArrayType>(writer, &mut values.take(), levels)?;
            }
        }
        self.definition_levels.clear();
        self.repetition_levels.clear();
        Ok(())
    }
}

fn push_list(
    text: &str,
    values: &mut TextBuffer,
    definition_levels: &mut Vec<i16>,
    repetition_levels: &mut Vec<i16>,
) {
    if text.is_empty() {
        definition_levels.push(0);
        repetition_levels.push(0);
        return;
    }
    for (index, element) in text.split(',').enumerate() {
        values.push(element);
        definition_levels.push(1);
        repetition_levels.push(i16::from(index > 0));
    }
}

#[derive(Clone, Copy)]
struct Levels<'a> {
    definition: Option<&'a [i16]>,
    repetition: Option<&'a [i16]>,
}

fn write_batch<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: Levels<'_>,
) -> io::Result<()> {
    writer.typed::<T>().write_batch(values, levels.definition, levels.repetition)?;
    values.clear();
    Ok(())
}

fn type_mismatch(column: &str, cell: CellValue<'_>) -> io::Error {
    let message = format!("the value {cell:?} does not have the type of column {column}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
