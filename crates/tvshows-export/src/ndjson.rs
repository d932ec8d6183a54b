use std::io::{self, BufWriter, IntoInnerError, Write};

use serde_json::to_writer;
use tvshows_core::{CellValue, Column, ColumnType, RowWriter};

use crate::compression::Output;

pub(crate) struct NdjsonWriter {
    columns: &'static [Column],
    file: BufWriter<Output>,
}

impl NdjsonWriter {
    pub(crate) fn new(columns: &'static [Column], output: Output) -> NdjsonWriter {
        NdjsonWriter { columns, file: BufWriter::new(output) }
    }

    fn write_cell(&mut self, column_type: ColumnType, cell: CellValue<'_>) -> io::Result<()> {
        let file = &mut self.file;
        match (column_type, cell) {
            (_, CellValue::Null) => file.write_all(b"null")?,
            (ColumnType::Boolean, CellValue::Integer(number)) => to_writer(file, &(number != 0))?,
            (_, CellValue::Integer(number)) => to_writer(file, &number)?,
            (_, CellValue::Real(number)) => to_writer(file, &number)?,
            // The stored JSON is a single line.
            (ColumnType::Json, CellValue::Text(json)) => file.write_all(json.as_bytes())?,
            (ColumnType::StringList, CellValue::Text("")) => file.write_all(b"[]")?,
            (ColumnType::StringList, CellValue::Text(text)) => {
                to_writer(file, &text.split(',').collect::<Vec<_>>())?;
            }
            (_, CellValue::Text(text)) => to_writer(file, text)?,
        }
        Ok(())
    }
}

impl RowWriter for NdjsonWriter {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        let mut separator = b"{";
        for (column, cell) in self.columns.iter().zip(cells) {
            self.file.write_all(separator)?;
            separator = b",";
            to_writer(&mut self.file, column.name)?;
            self.file.write_all(b":")?;
            self.write_cell(column.column_type, *cell)?;
        }
        self.file.write_all(b"}\n")
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.file.into_inner().map_err(IntoInnerError::into_error)?.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::Compression;
    use crate::shared_buffer::SharedBuffer;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::required("id", ColumnType::Integer),
        Column::nullable("voice", ColumnType::Boolean),
        Column::required("genres", ColumnType::StringList),
        Column::nullable("image", ColumnType::Json),
        Column::required("name", ColumnType::Text),
    ];

    fn written(row: &[CellValue<'_>]) -> String {
        let file = SharedBuffer::default();
        let output = Output::new(Compression::None, Box::new(file.clone()));
        let mut writer = Box::new(NdjsonWriter::new(COLUMNS, output));
        writer.write_row(row).unwrap();
        writer.finish().unwrap();
        file.text()
    }

    #[test]
    fn json_is_nested_and_a_list_is_an_array() {
        let image = CellValue::Text("{\"medium\":null}");
        let row = [
            CellValue::Integer(1),
            CellValue::Integer(0),
            CellValue::Text("A,B C"),
            image,
            CellValue::Text("x"),
        ];
        assert_eq!(
            written(&row),
            "{\"id\":1,\"voice\":false,\"genres\":[\"A\",\"B C\"],\"image\":{\"medium\":null},\"name\":\"x\"}\n"
        );
        let row = [
            CellValue::Integer(1),
            CellValue::Null,
            CellValue::Text(""),
            CellValue::Null,
            CellValue::Text(""),
        ];
        let read: Value = serde_json::from_str(&written(&row)).unwrap();
        assert_eq!(read, json!({"id": 1, "voice": null, "genres": [], "image": null, "name": ""}));
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_and_read_back(id: i64, name: String) {
            let row =
                [CellValue::Integer(id), CellValue::Null, CellValue::Text(""), CellValue::Null, CellValue::Text(&name)];
            let text = written(&row);
            prop_assert_eq!(text.lines().count(), 1);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!((read["id"].as_i64(), read["name"].as_str()), (Some(id), Some(&*name)));
        }
    }
}
