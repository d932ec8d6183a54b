mod column;

use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tvshows_core::{CellValue, Column, RowWriter};

use self::column::ColumnBuffer;
use crate::compression::Output;

/// A row group is buffered in memory up to this number of rows or bytes of text.
const MAX_GROUP_ROWS: usize = 10_000;
const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Uses the column writers of the `parquet` crate without its Arrow half, which would double the compile time.
pub(crate) struct ParquetWriter {
    file: SerializedFileWriter<Output>,
    columns: Vec<ColumnBuffer>,
    rows: usize,
    bytes: usize,
}

impl ParquetWriter {
    pub(crate) fn new(
        columns: &[Column],
        date_columns: &[&str],
        output: Output,
    ) -> io::Result<ParquetWriter> {
        let buffer =
            |column: &Column| ColumnBuffer::new(column, date_columns.contains(&column.name));
        let columns: Vec<_> = columns.iter().map(buffer).collect();
        let fields: String = columns.iter().map(ColumnBuffer::schema_field).collect();
        let schema = parse_message_type(&format!("message table {{ {fields} }}"))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?;
        Ok(ParquetWriter { file, columns, rows: 0, bytes: 0 })
    }

    fn flush_row_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group()?;
        let mut columns = self.columns.iter_mut();
        while let Some((mut writer, column)) = group.next_column()?.zip(columns.next()) {
            column.flush_into(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl RowWriter for ParquetWriter {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(*cell)?;
            self.bytes += if let CellValue::Text(text) = cell { text.len() } else { 0 };
        }
        self.rows += 1;
        if self.rows == MAX_GROUP_ROWS || self.bytes >= MAX_GROUP_BYTES {
            self.flush_row_group()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.flush_row_group()?;
        }
        self.file.into_inner()?.finish()
    }
}

#[cfg(test)]
mod tests {
    use parquet::basic::{LogicalType, TimeUnit};
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use proptest::prelude::*;
    use tvshows_core::ColumnType;

    use crate::shared_buffer::SharedBuffer;
    use crate::{Format, WriterOptions, is_date};

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::required("id", ColumnType::Integer),
        Column::nullable("name", ColumnType::Text),
        Column::required("genres", ColumnType::StringList),
        Column::nullable("rating", ColumnType::Real),
        Column::nullable("self", ColumnType::Boolean),
        Column::required("at", ColumnType::Timestamp),
        Column::nullable("image", ColumnType::Json),
        Column::nullable("ended", ColumnType::Date),
    ];
    const AT: CellValue<'_> = CellValue::Text("2026-11-22T10:00:02.123456789Z");

    fn write<'a>(
        columns: &'static [Column],
        date_columns: &[&'static str],
        rows: impl IntoIterator<Item = Vec<CellValue<'a>>>,
    ) -> io::Result<SerializedFileReader<bytes::Bytes>> {
        let file = SharedBuffer::default();
        let options =
            WriterOptions { date_columns: date_columns.to_vec(), ..WriterOptions::default() };
        let mut writer = Format::Parquet.writer(columns, &options, Box::new(file.clone()))?;
        for row in rows {
            writer.write_row(&row)?;
        }
        writer.finish()?;
        Ok(SerializedFileReader::new(bytes::Bytes::from(file.bytes()))?)
    }

    #[test]
    fn every_kind_of_value_is_read_back() {
        let full = vec![
            CellValue::Integer(1),
            CellValue::Text("é"),
            CellValue::Text("A,B"),
            CellValue::Real(8.1),
            CellValue::Integer(1),
            AT,
            CellValue::Text("{}"),
            CellValue::Text("2019-05-19"),
        ];
        let (none, empty) = (CellValue::Null, CellValue::Text(""));
        let bare = vec![CellValue::Integer(2), none, empty, none, none, AT, none, none];
        let rows: Vec<String> = write(COLUMNS, &["ended"], [full, bare])
            .unwrap()
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        assert_eq!(
            rows,
            [
                "{id: 1, name: \"é\", genres: [\"A\", \"B\"], rating: 8.1, self: true, \
                 at: 2026-11-22 10:00:02.123456 +00:00, image: \"{}\", ended: 2019-05-19}",
                "{id: 2, name: null, genres: [], rating: null, self: null, \
                 at: 2026-11-22 10:00:02.123456 +00:00, image: null, ended: null}",
            ]
        );
    }

    #[test]
    fn types_are_those_that_every_reader_knows() {
        let logical_type = |date_columns: &[&'static str], name| {
            let file = write(COLUMNS, date_columns, []).unwrap();
            let schema = file.metadata().file_metadata().schema_descr_ptr();
            let fields = schema.root_schema().get_fields();
            let field = fields.iter().find(|field| field.name() == name).unwrap();
            field.get_basic_info().logical_type_ref().cloned()
        };
        let timestamp = LogicalType::timestamp(true, TimeUnit::MICROS);
        assert_eq!(logical_type(&[], "at"), Some(timestamp));
        assert_eq!(logical_type(&[], "image"), Some(LogicalType::String));
        assert_eq!(logical_type(&[], "ended"), Some(LogicalType::String));
        // Only text columns become dates.
        let dates = ["ended", "id", "image", "premiered"];
        assert_eq!(logical_type(&dates, "ended"), Some(LogicalType::Date));
        assert_eq!(logical_type(&dates, "name"), Some(LogicalType::String));
        assert_eq!(logical_type(&dates, "image"), Some(LogicalType::String));
        assert_eq!(logical_type(&dates, "id"), None);
    }

    #[test]
    fn row_groups_are_bounded() {
        let row = |id| {
            let none = CellValue::Null;
            let (name, genres) = (CellValue::Text("x"), CellValue::Text("A"));
            vec![CellValue::Integer(id), name, genres, none, none, AT, none, none]
        };
        let file = write(COLUMNS, &[], (0..25_000).map(row)).unwrap();
        let groups = file.metadata().row_groups().iter().map(RowGroupMetaData::num_rows);
        assert_eq!(groups.collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        assert_eq!(write(COLUMNS, &[], []).unwrap().metadata().num_row_groups(), 0);
    }

    #[test]
    fn a_value_of_another_type_is_an_error_that_names_its_column() {
        for (column, dates, cell) in [
            (0, &[][..], CellValue::Null),
            (0, &[], CellValue::Text("x")),
            (0, &[], CellValue::Real(1.0)),
            (2, &[], CellValue::Null),
            (5, &[], CellValue::Text("yesterday")),
            (7, &["ended"], CellValue::Text("2021-02-30")),
            (7, &["ended"], CellValue::Text("")),
        ] {
            let columns = &COLUMNS[column..=column];
            let error = write(columns, dates, [vec![cell]]).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{cell:?}");
            assert!(error.to_string().contains(columns[0].name), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_date_column_is_written_exactly_if_every_value_is_a_date(
            values in prop::collection::vec(
                prop::option::of("(15|19|20)[0-9]{2}-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-1])"), 0..4)
        ) {
            let rows: Vec<Vec<CellValue<'_>>> = values
                .iter()
                .map(|value| vec![value.as_deref().map_or(CellValue::Null, CellValue::Text)])
                .collect();
            let file = write(&COLUMNS[7..], &["ended"], rows);
            prop_assert_eq!(file.is_ok(), values.iter().flatten().all(|value| is_date(value)));
            if let Ok(file) = file {
                let read: Vec<_> = file.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
                prop_assert_eq!(read.len(), values.len());
                for (row, value) in read.iter().zip(&values) {
                    let expected = value.as_deref().unwrap_or("null");
                    prop_assert_eq!(row.to_string(), format!("{{ended: {expected}}}"));
                }
            }
        }

        #[test]
        fn any_text_is_read_back(names: Vec<String>) {
            let rows: Vec<_> = names.iter().map(|name| vec![CellValue::Text(name)]).collect();
            let file = write(&COLUMNS[1..2], &[], rows).unwrap();
            let rows = file.get_row_iter(None).unwrap();
            let read: Vec<_> = rows.map(|row| row.unwrap().get_string(0).unwrap().clone()).collect();
            prop_assert_eq!(read, names);
        }
    }
}
