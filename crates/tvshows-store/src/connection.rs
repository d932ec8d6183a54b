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
/// Exports last as long as their clients are slow, and must not hold up the readers.
const EXPORTS: usize = 4;
/// How long a statement waits for another process that holds the file, such as a person's `sqlite3`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The writer's page cache in KiB: enough for the pages that staging touches, small beside a run.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// What is left of the WAL after a publish was checkpointed.
const WAL_KEPT_BYTES: i64 = 16 * 1024 * 1024;

/// The pool of the one connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Pool, StoreError> {
    pool(path, PoolConfig::new(1), |connection| {
        // A committed page must survive a power cut: what is staged is not asked for again.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
        plain_text::register(connection)
    })
}

/// The pool of connections that cannot write.
pub(crate) fn readers(path: &Path) -> Result<Pool, StoreError> {
    pool(path, PoolConfig::new(READERS), |connection| {
        connection.pragma_update(None, "query_only", true)
    })
}

/// The pool of connections for exports. Nobody waits for one: an export may take an hour.
pub(crate) fn exports(path: &Path) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(EXPORTS);
    config.timeouts.wait = Some(Duration::ZERO);
    // Not query_only: SQLite takes the file that a copy is written to for one of the connection's own.
    pool(path, config, |_| Ok(()))
}

fn pool(
    path: &Path,
    config: PoolConfig,
    prepare: fn(&Connection) -> SqlResult<()>,
) -> Result<Pool, StoreError> {
    let config = Config { path: path.into(), pool: Some(config) };
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
