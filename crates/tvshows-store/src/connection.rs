//! The pools, and every PRAGMA of a connection in one place.

use std::path::Path;
use std::time::Duration;

use deadpool_sqlite::{Config, Hook, HookError, Pool, PoolConfig, Runtime};
use rusqlite::Connection;
use tvshows_core::StoreError;

use crate::error::{SqlResult, unavailable};
use crate::plain_text;

/// Reads are short and SQLite's readers never wait for each other.
const READERS: usize = 4;
/// How long a statement waits for another process that holds the file, such as a person's `sqlite3`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The writer's page cache in KiB: enough for the pages that staging touches, small beside a run.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// What is left of the WAL after a publish was checkpointed.
const WAL_KEPT_BYTES: i64 = 16 * 1024 * 1024;

/// The pool of the one connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Pool, StoreError> {
    pool(path, 1, |connection| {
        // A committed page must survive a power cut: what is staged is not asked for again.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
        plain_text::register(connection)
    })
}

/// The pool of connections that cannot write.
pub(crate) fn readers(path: &Path) -> Result<Pool, StoreError> {
    pool(path, READERS, |connection| connection.pragma_update(None, "query_only", true))
}

fn pool(
    path: &Path,
    size: usize,
    prepare: fn(&Connection) -> SqlResult<()>,
) -> Result<Pool, StoreError> {
    let config = Config { path: path.into(), pool: Some(PoolConfig::new(size)) };
    let prepare_each = Hook::async_fn(move |connection, _| {
        Box::pin(async move {
            let prepared = connection.interact(move |connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                prepare(connection)
            });
            let prepared = prepared.await.map_err(|error| HookError::message(error.to_string()))?;
            prepared.map_err(HookError::Backend)
        })
    });
    let builder = config.builder(Runtime::Tokio1).map_err(unavailable)?;
    builder.post_create(prepare_each).build().map_err(unavailable)
}
