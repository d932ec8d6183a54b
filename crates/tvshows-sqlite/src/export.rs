//! Exports of whole tables and of the whole database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use tempfile::NamedTempFile;
use tvshows_core::{
    CellValue, ColumnType, DateColumns, MakeRowWriter, RunState, ShowFilter, StoreError, Table,
};

use crate::error::{SqlResult, from_sql, unavailable};
use crate::facet_index::FacetIndex;
use crate::file_lock::FileLock;
use crate::index_cache::IndexCache;
use crate::interrupted::mark_interrupted;
use crate::show_query::matching_ids;
use crate::{migrations, runs, staging};

/// Writes the rows of a table; of `All_Shows`, only those that match the filter. All are read from one snapshot, however
/// long the export takes. A run whose process died is `interrupted`, as in the history.
pub(crate) fn export_table(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
    lock: &FileLock,
    table: Table,
    filter: &ShowFilter,
    make_writer: MakeRowWriter,
) -> Result<(), StoreError> {
    // Not from the snapshot below: after the lock is checked, each run is read again.
    let interrupted = match table {
        Table::Runs => interrupted_runs(connection, lock)?,
        _ => BTreeMap::new(),
    };
    // The types of the columns and the rows must come from one snapshot.
    let snapshot = connection.unchecked_transaction().map_err(from_sql)?;
    let mut writer =
        make_writer(date_columns(&snapshot, table).map_err(from_sql)?).map_err(aborted)?;
    let columns: Vec<_> = table.columns().iter().map(|column| column.name).collect();
    let (columns, name) = (columns.join(", "), table.name());
    let is_filtered = table == Table::AllShows && *filter != ShowFilter::default();
    let ids = is_filtered.then(|| matching_ids(&snapshot, indexes, filter)).transpose();
    let ids = ids.map_err(from_sql)?.map(|ids| serde_json::json!(ids).to_string());
    let condition = if is_filtered { "WHERE id IN (SELECT value FROM json_each(?1))" } else { "" };
    let order = match table {
        // Publishing appends the rows of changed shows.
        Table::Episodes | Table::ShowCast => "show_id, position",
        // The same order as without ORDER BY.
        _ => "rowid",
    };
    let sql = format!("SELECT {columns} FROM {name} {condition} ORDER BY {order}");
    let mut select = snapshot.prepare_cached(&sql).map_err(from_sql)?;
    let mut rows = select.query(params_from_iter(ids)).map_err(from_sql)?;
    while let Some(row) = rows.next().map_err(from_sql)? {
        let mut cells = cells(row, table.columns().len()).map_err(from_sql)?;
        // It may have ended since.
        let is_running = || cells.contains(&CellValue::Text(RunState::Running.into_str()));
        let is_interrupted = |id: &str| cells.contains(&CellValue::Text(id)) && is_running();
        let run = interrupted.iter().find(|(id, _)| is_interrupted(id));
        if let Some((_, run)) = run {
            for (cell, column) in cells.iter_mut().zip(table.column_names()) {
                if let Some(value) = run.get(column) {
                    *cell = self::cell(value.into()).map_err(from_sql)?;
                }
            }
        }
        writer.write_row(&cells).map_err(aborted)?;
    }
    writer.finish().map_err(aborted)
}

/// Returns the column values of the runs whose process died, by run id.
fn interrupted_runs(
    connection: &Connection,
    lock: &FileLock,
) -> Result<BTreeMap<String, BTreeMap<String, Value>>, StoreError> {
    let mut interrupted = BTreeMap::new();
    // The runs of a copy work on another file, whose lock they hold.
    if migrations::is_copy(connection).map_err(from_sql)? {
        return Ok(interrupted);
    }
    for mut status in runs::unfinished(connection).map_err(from_sql)? {
        let stored = status.state;
        mark_interrupted(connection, lock, &mut status)?;
        if status.state != stored {
            let values = runs::column_values(&status).map_err(from_sql)?;
            interrupted.insert(status.request_id.to_string(), values);
        }
    }
    Ok(interrupted)
}

/// The columns that contain only dates. Years before 1583 do not count: some readers reject dates before the
/// Gregorian calendar.
fn date_columns(connection: &Connection, table: Table) -> SqlResult<DateColumns> {
    let is_all_dates = |column: &str| {
        // Without '+0 days', SQLite accepts 2021-02-30.
        let sql = format!(
            "SELECT NOT EXISTS (SELECT 1 FROM {} \
             WHERE date({column}, '+0 days') IS NOT {column} OR {column} < '1583')",
            table.name()
        );
        connection.query_row(&sql, [], |row| row.get::<_, bool>(0))
    };
    let mut columns = DateColumns::new();
    for column in table.columns() {
        if column.column_type == ColumnType::Date && is_all_dates(column.name)? {
            columns.push(column.name);
        }
    }
    Ok(columns)
}

fn cells<'row>(row: &'row Row<'_>, width: usize) -> SqlResult<Vec<CellValue<'row>>> {
    (0..width).map(|column| cell(row.get_ref(column)?)).collect()
}

fn cell(value: ValueRef<'_>) -> SqlResult<CellValue<'_>> {
    Ok(match value {
        ValueRef::Null => CellValue::Null,
        ValueRef::Integer(number) => CellValue::Integer(number),
        ValueRef::Real(number) => CellValue::Real(number),
        text => CellValue::Text(text.as_str()?),
    })
}

/// Writes a copy of the database. It is made in a temporary file, which needs space for it: in the same folder, or in
/// the system's if that is read-only.
///
/// A page-by-page backup would restart whenever a run writes. This reads one snapshot, omits free pages, and
/// blocks no run.
pub(crate) fn export_database(
    connection: &Connection,
    path: &Path,
    mut destination: Box<dyn Write + Send>,
) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temp_file = tempfile::Builder::new();
    temp_file.prefix(".tvshows-export-");
    let copy = temp_file.tempfile_in(folder).or_else(|_| temp_file.tempfile());
    let copy = copy.map_err(|error| {
        let reason =
            format!("copying it needs a temporary file: {error}; set TMPDIR to a writable folder");
        StoreError::InvalidDatabase { reason }
    })?;
    vacuum_into(connection, &copy).map_err(from_sql)?;
    let mut file = File::open(copy.path()).map_err(unavailable)?;
    io::copy(&mut file, &mut destination).and_then(|_| destination.flush()).map_err(aborted)
}

fn vacuum_into(connection: &Connection, copy: &NamedTempFile) -> SqlResult<()> {
    let path = copy.path();
    let name = path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(path.into()))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    let copy = Connection::open(path)?;
    if migrations::is_copy(&copy)? {
        // The backup is a database of its own.
        copy.execute("DELETE FROM _Copy_Origin", [])?;
    }
    // Staged data is internal, and can be as large as the rest.
    let has_staging: bool =
        copy.query_row("SELECT EXISTS (SELECT 1 FROM _Staged_Run)", [], |row| row.get(0))?;
    if has_staging {
        // An unfinished copy is discarded, so it needs no journal.
        copy.pragma_update(None, "journal_mode", "OFF")?;
        copy.pragma_update(None, "synchronous", "OFF")?;
        staging::reset(&copy)?;
        copy.execute_batch("VACUUM")?;
    }
    Ok(())
}

fn aborted(source: io::Error) -> StoreError {
    StoreError::ExportAborted { source }
}
