//! How the file is.

use std::ffi::OsString;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::StoreHealth;

use crate::error::SqlResult;

/// Reads a little, and looks at the file from outside. A size that cannot be had is told as 0.
pub(crate) fn of(connection: &Connection, path: &Path) -> SqlResult<StoreHealth> {
    connection.query_row("SELECT count(*) FROM Top_Shows", [], |_| Ok(()))?;
    let schema = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut wal = OsString::from(path);
    wal.push("-wal");
    let folder = path.parent().unwrap_or(path);
    Ok(StoreHealth {
        schema,
        // Not by opening the database: closing it again would end the locks of SQLite.
        is_writable: tempfile::tempfile_in(folder).is_ok(),
        database_bytes: size(path),
        wal_bytes: size(Path::new(&wal)),
        free_bytes: fs4::available_space(folder).unwrap_or_default(),
    })
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}
