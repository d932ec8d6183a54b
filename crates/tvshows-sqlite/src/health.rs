use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::StoreHealth;

use crate::error::SqlResult;
use crate::read_only::{bytes, companion};

/// What is written to find out whether there is space: more than adding a run to the queue takes.
const PROBE: &[u8] = &[0; 256 * 1024];

/// Reads a row, and examines the file from outside.
pub(crate) fn check(
    connection: &Connection,
    path: &Path,
    is_read_only: bool,
) -> SqlResult<StoreHealth> {
    connection.query_row("SELECT count(*) FROM Top_Shows", [], |_| Ok(()))?;
    let schema = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let folder = path.parent().unwrap_or(path);
    Ok(StoreHealth {
        schema,
        is_writable: !is_read_only && write_probe(folder).is_ok(),
        database_bytes: bytes(path),
        wal_bytes: Some(bytes(&companion(path, "-wal"))),
        free_bytes: fs4::available_space(folder).ok(),
        replica: None,
    })
}

/// Writes to the folder, but not to the database file: closing that would release SQLite's locks.
fn write_probe(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder)?.write_all(PROBE)
}

/// Whether this process may not create files in a folder.
pub(crate) fn is_read_only(folder: &Path) -> bool {
    let refused = tempfile::tempfile_in(folder).err().map(|error| error.kind());
    matches!(refused, Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
}
