use std::io::{self, BufWriter, Write};

use serde_json::to_writer;
use tvshows_core::{CellValue, Column, ColumnType, RowWriter};

/// A table as JSON objects, one a line.
pub(crate) struct Ndjson {
    columns: &'static [Column],
    file: BufWriter<Box<dyn Write + Send>>,
}

impl Ndjson {
    pub(crate) fn begin(columns: &'static [Column], file: Box<dyn Write + Send>) -> Ndjson {
        Ndjson { columns, file: BufWriter::new(file) }
    }

    fn cell(&mut self, kind: ColumnType, cell: CellValue<'_>) -> io::Result<()> {
        let file = &mut self.file;
        match (kind, cell) {
            (_, CellValue::Null) => file.write_all(b"null")?,
            (ColumnType::Boolean, CellValue::Integer(number)) => to_writer(file, &(number != 0))?,
            (_, CellValue::Integer(number)) => to_writer(file, &number)?,
            (_, CellValue::Real(number)) => to_writer(file, &number)?,
            // As it is stored: JSON of one line.
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

impl RowWriter for Ndjson {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        let mut separator = b"{";
        for (column, cell) in self.columns.iter().zip(cells) {
            self.file.write_all(separator)?;
            separator = b",";
            to_writer(&mut self.file, column.name)?;
            self.file.write_all(b":")?;
            self.cell(column.kind, *cell)?;
        }
        self.file.write_all(b"}\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::Format;
    use crate::format::tests::Shared;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "id", kind: ColumnType::Integer, optional: false },
        Column { name: "voice", kind: ColumnType::Boolean, optional: true },
        Column { name: "genres", kind: ColumnType::StringList, optional: false },
        Column { name: "image", kind: ColumnType::Json, optional: true },
        Column { name: "name", kind: ColumnType::Text, optional: false },
    ];

    fn written(row: &[CellValue<'_>]) -> String {
        let file = Shared::default();
        let mut writer = Format::Ndjson.writer(COLUMNS, Box::new(file.clone())).unwrap();
        writer.write_row(row).unwrap();
        writer.finish().unwrap();
        file.text()
    }

    #[test]
    fn json_is_nested_and_words_are_an_array() {
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
