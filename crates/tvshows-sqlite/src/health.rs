use std::ffi::OsString;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::StoreHealth;

use crate::error::SqlResult;

/// Reads a row, and examines the file from outside.
pub(crate) fn check(connection: &Connection, path: &Path) -> SqlResult<StoreHealth> {
    connection.query_row("SELECT count(*) FROM Top_Shows", [], |_| Ok(()))?;
    let schema = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut wal = OsString::from(path);
    wal.push("-wal");
    let folder = path.parent().unwrap_or(path);
    Ok(StoreHealth {
        schema,
        // Not by opening the database file: closing it would release SQLite's locks.
        is_writable: tempfile::tempfile_in(folder).is_ok(),
        database_bytes: size(path),
        wal_bytes: Some(size(Path::new(&wal))),
        free_bytes: fs4::available_space(folder).ok(),
    })
}

/// The size of a file; 0 if it does not exist.
fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}
