//! The file of a copy of a shared database, before it is opened.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tvshows_core::StoreError;

use crate::error::{SqlResult, from_sql, unavailable};
use crate::file_lock::{self, FileLock};
use crate::migrations;
use crate::open_files::{self, refuse_foreign_wal};
use crate::read_only::companion;

/// How long another program may have the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Nothing, or a copy that is intact.
    Usable,
    /// A copy that is damaged or has another schema version.
    Unusable,
    /// A database that is not a copy.
    Primary,
    /// The data of another program.
    Foreign,
}

/// Locks the file for this process, and deletes it if it is a copy that cannot be used.
///
/// Reads the whole file, which takes less time than filling it again.
pub(crate) async fn prepare(path: &Path) -> Result<FileLock, StoreError> {
    let path = path.to_owned();
    let prepared = tokio::task::spawn_blocking(move || {
        let lock = FileLock::lock_copy(&path)?.ok_or_else(in_use)?;
        match examine(&path) {
            Ok(Content::Usable) => return Ok(lock),
            Ok(Content::Unusable) => {}
            Ok(Content::Primary) => return Err(primary()),
            Ok(Content::Foreign) => return Err(migrations::foreign()),
            Err(StoreError::InvalidDatabase { .. } | StoreError::Unavailable { .. })
                if open_files::was_copy(&path) => {}
            Err(error) => return Err(error),
        }
        // If this is interrupted, the next process still knows what it was.
        lock.record_copy(file_lock::recorded_files(&path).as_deref());
        delete(&path).map_err(unavailable)?;
        Ok(lock)
    });
    prepared.await.map_err(unavailable)?
}

fn examine(path: &Path) -> Result<Content, StoreError> {
    refuse_foreign_wal(path)?;
    if !path.exists() {
        return Ok(Content::Usable);
    }
    let connection = Connection::open(path).map_err(from_sql)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(from_sql)?;
    content(&connection).map_err(from_sql)
}

fn content(connection: &Connection) -> SqlResult<Content> {
    if migrations::is_foreign(connection)? {
        return Ok(Content::Foreign);
    }
    if migrations::is_copy(connection)? {
        let is_usable = migrations::has_current_version(connection)? && is_intact(connection)?;
        return Ok(if is_usable { Content::Usable } else { Content::Unusable });
    }
    Ok(if has_data(connection)? { Content::Primary } else { Content::Usable })
}

fn has_data(connection: &Connection) -> SqlResult<bool> {
    Ok(migrations::has_rows(connection, "Runs")? || migrations::has_rows(connection, "All_Shows")?)
}

/// Refuses a database that would lose data if it became a copy.
pub(crate) fn refuse_primary(connection: &Connection) -> Result<(), StoreError> {
    let is_copy = migrations::is_copy(connection).map_err(from_sql)?;
    if !is_copy && has_data(connection).map_err(from_sql)? { Err(primary()) } else { Ok(()) }
}

fn is_intact(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("PRAGMA quick_check(1)", [], |row| Ok(row.get::<_, String>(0)? == "ok"))
}

/// Deletes the file first: it must not be opened without its `-wal`.
fn delete(path: &Path) -> io::Result<()> {
    let files = [path.to_owned(), companion(path, "-wal"), companion(path, "-shm")];
    files.iter().try_for_each(|file| match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    })
}

fn in_use() -> StoreError {
    let reason = "another process uses it; give each replica a DATABASE_PATH of its own";
    StoreError::InvalidDatabase { reason: reason.into() }
}

fn primary() -> StoreError {
    let reason = "it has data and is not a copy of the shared database; choose another DATABASE_PATH, or unset \
                  DATABASE_URL";
    StoreError::InvalidDatabase { reason: reason.into() }
}
