//! Writes every table as Parquet, with invented rows, for `scripts/check-parquet.py`:
//! `cargo run -p tvshows-export --example sample FOLDER`.
//!
//! `TABLE.parquet` has columns of dates; in `TABLE_text_dates.parquet` a date that does not exist makes them text;
//! `TABLE_empty.parquet` has no rows.

use std::fs::File;
use std::path::Path;
use std::{env, io};

use tvshows_core::{CellValue, Column, ColumnType, Table};
use tvshows_export::{Format, WriterOptions};

const DATE_COLUMNS: [&str; 4] = ["premiered", "ended", "person_birthday", "person_deathday"];
/// Enough for three row groups.
const ROWS: i64 = 25_000;

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).ok_or_else(|| io::Error::other("usage: sample FOLDER"))?;
    let folder = Path::new(&folder);
    let dates = WriterOptions { date_columns: DATE_COLUMNS.to_vec(), ..WriterOptions::default() };
    let texts = WriterOptions::default();
    for table in Table::ALL {
        let file = |kind| File::create(folder.join(format!("{table}{kind}.parquet")));
        write(file("")?, table, &dates, ROWS, "9999-12-31")?;
        write(file("_text_dates")?, table, &texts, ROWS, "2021-02-30")?;
        write(file("_empty")?, table, &dates, 0, "")?;
    }
    Ok(())
}

fn write(
    file: File,
    table: Table,
    options: &WriterOptions,
    row_count: i64,
    last_date: &str,
) -> io::Result<()> {
    let mut rows = Format::Parquet.writer(table.columns(), options, Box::new(file))?;
    for row in 0..row_count {
        let date = match row {
            0 => "1583-01-01".to_owned(),
            row if row == row_count - 1 => last_date.to_owned(),
            row => format!("{:04}-02-{:02}", 1950 + row % 80, 1 + row % 28),
        };
        let cells: Vec<_> = table.columns().iter().map(|column| cell(column, row, &date)).collect();
        rows.write_row(&cells)?;
    }
    rows.finish()
}

fn cell<'a>(column: &Column, row: i64, date: &'a str) -> CellValue<'a> {
    if column.is_nullable && row % 7 == 3 {
        return CellValue::Null;
    }
    match column.column_type {
        ColumnType::Integer => CellValue::Integer(row),
        ColumnType::Real => CellValue::Real(8.5),
        ColumnType::Boolean => CellValue::Integer(row % 2),
        ColumnType::Date => CellValue::Text(date),
        ColumnType::Text => CellValue::Text("Größe \"x\", 日本"),
        ColumnType::Timestamp => CellValue::Text("2026-11-22T10:00:02.123456Z"),
        ColumnType::StringList => CellValue::Text(if row % 3 == 0 { "" } else { "Drama,Action" }),
        ColumnType::Json => CellValue::Text("{\"name\":\"HBO\",\"country\":null}"),
    }
}
