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
const WRITER_CACHE_KIB: i64 = 4 * 1024;
/// The same of every other connection.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// SQLite's own 4096 take four times as many reads and writes for rows of a kB and more.
const PAGE_BYTES: u32 = 16 * 1024;
/// What is left of the WAL after a publish was checkpointed.
const WAL_KEPT_BYTES: i64 = 16 * 1024 * 1024;

/// The pool of the one connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Pool, StoreError> {
    pool(path, PoolConfig::new(1), WRITER_CACHE_KIB, |connection| {
        // A committed page must survive a power cut: what is staged is not asked for again.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
        // Others may refer to All_Shows, whose rows are replaced as a whole: nothing of theirs follows.
        connection.pragma_update(None, "foreign_keys", false)?;
        // A table takes another's name while views speak of both.
        connection.pragma_update(None, "legacy_alter_table", true)?;
        plain_text::register(connection)
    })
}

/// The pool of connections that cannot write.
pub(crate) fn readers(path: &Path) -> Result<Pool, StoreError> {
    pool(path, PoolConfig::new(READERS), READER_CACHE_KIB, |connection| {
        connection.pragma_update(None, "query_only", true)
    })
}

/// The pool of connections for exports. Nobody waits for one: an export may take an hour.
pub(crate) fn exports(path: &Path) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(EXPORTS);
    config.timeouts.wait = Some(Duration::ZERO);
    // Not query_only: SQLite takes the file that a copy is written to for one of the connection's own.
    pool(path, config, READER_CACHE_KIB, |_| Ok(()))
}

fn pool(
    path: &Path,
    config: PoolConfig,
    cache_kib: i64,
    prepare: fn(&Connection) -> SqlResult<()>,
) -> Result<Pool, StoreError> {
    let config = Config { path: path.into(), pool: Some(config) };
    let prepare_each = Hook::async_fn(move |connection, _| {
        Box::pin(async move {
            let prepared = connection.interact(move |connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                // Counts for a file that is still empty.
                connection.pragma_update(None, "page_size", PAGE_BYTES)?;
                // SQLite counts the cache in pages of the size that it knows when it is told: the file's.
                connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
                connection.pragma_update(None, "cache_size", -cache_kib)?;
                prepare(connection)
            });
            let prepared = prepared.await.map_err(|error| HookError::message(error.to_string()))?;
            prepared.map_err(HookError::Backend)
        })
    });
    let builder = config.builder(Runtime::Tokio1).map_err(unavailable)?;
    builder.post_create(prepare_each).build().map_err(unavailable)
}
