//! Whole tables, and the whole database.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use tempfile::NamedTempFile;
use tvshows_core::{CellValue, MakeRowWriter, StoreError, Table};

use crate::error::{SqlResult, from_sql, unavailable};
use crate::staging;

/// Gives the rows of a table. One statement reads one snapshot, however long that takes.
pub(crate) fn rows(
    connection: &Connection,
    table: Table,
    open: MakeRowWriter,
) -> Result<(), StoreError> {
    let mut sink = open().map_err(not_taken)?;
    let columns: Vec<_> = table.columns().iter().map(|column| column.name).collect();
    let (columns, name) = (columns.join(", "), table.name());
    // The order in which SQLite gives them to whoever asks for none.
    let sql = format!("SELECT {columns} FROM {name} ORDER BY rowid");
    let mut select = connection.prepare_cached(&sql).map_err(from_sql)?;
    let mut rows = select.query([]).map_err(from_sql)?;
    while let Some(row) = rows.next().map_err(from_sql)? {
        sink.write_row(&cells(row, table.columns().len()).map_err(from_sql)?).map_err(not_taken)?;
    }
    sink.finish().map_err(not_taken)
}

fn cells<'row>(row: &'row Row<'_>, width: usize) -> SqlResult<Vec<CellValue<'row>>> {
    let cell = |column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => CellValue::Null,
            ValueRef::Integer(number) => CellValue::Integer(number),
            ValueRef::Real(number) => CellValue::Real(number),
            text => CellValue::Text(text.as_str()?),
        })
    };
    (0..width).map(cell).collect()
}

/// Gives a copy of the database, made in a file beside it, where there is room for one of its size.
///
/// A copy of pages would begin anew whenever a run writes; this reads one snapshot, leaves out what is
/// free, and no run waits for it.
pub(crate) fn database(
    connection: &Connection,
    path: &Path,
    mut sink: Box<dyn Write + Send>,
) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".tvshows-export-").tempfile_in(folder);
    let copy = copy.map_err(unavailable)?;
    fill(connection, &copy).map_err(from_sql)?;
    let mut file = File::open(copy.path()).map_err(unavailable)?;
    io::copy(&mut file, &mut sink).and_then(|_| sink.flush()).map_err(not_taken)
}

fn fill(connection: &Connection, copy: &NamedTempFile) -> SqlResult<()> {
    let path = copy.path();
    let name = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.into()))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    let copy = Connection::open(path)?;
    // What a run under way has staged is nobody's business, and as large as the rest.
    let staged: bool =
        copy.query_row("SELECT EXISTS (SELECT 1 FROM Staged_Run)", [], |row| row.get(0))?;
    if staged {
        // Not worth a journal: a copy that is not finished is thrown away.
        copy.pragma_update(None, "journal_mode", "OFF")?;
        copy.pragma_update(None, "synchronous", "OFF")?;
        staging::clear(&copy)?;
        copy.execute_batch("VACUUM")?;
    }
    Ok(())
}

fn not_taken(source: io::Error) -> StoreError {
    StoreError::ExportAborted { source }
}
