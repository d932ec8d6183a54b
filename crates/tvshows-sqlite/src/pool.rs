//! The connection pools. Every pragma of a connection is set here.

use std::path::Path;
use std::time::Duration;

use deadpool::managed::{self, PoolError, QueueMode, RecycleError, RecycleResult};
use deadpool_sqlite::{Config, Metrics, PoolConfig, Runtime, TimeoutType};
use rusqlite::Connection;
use tvshows_core::StoreError;

use crate::error::{DbError, SqlResult, from_interact, unavailable};
use crate::sql_functions;

/// Reads are short, and SQLite's readers never wait for each other.
const READERS: usize = 4;
/// An export lasts as long as its client is slow, and must not hold up the readers.
const EXPORTS: usize = 4;
/// How long a statement waits for another process that has locked the file, such as the `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The page cache of the writer: enough for the pages that staging touches, small compared with a run.
const WRITER_CACHE_KIB: i64 = 4 * 1024;
/// The page cache of every other connection.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// SQLite's default of 4096 takes four times as many reads and writes for rows of a kB and more.
const PAGE_BYTES: u32 = 16 * 1024;
/// The size to which the WAL is truncated after a checkpoint.
const WAL_SIZE_LIMIT: i64 = 16 * 1024 * 1024;

pub(crate) type Pool = managed::Pool<Manager>;

/// Opens the one connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Pool, StoreError> {
    pool(path, PoolConfig::new(1), WRITER_CACHE_KIB, |connection| {
        // A committed page must survive a power cut: what is staged is not fetched again.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", WAL_SIZE_LIMIT)?;
        // Tables of others may reference All_Shows. Publishing replaces its rows and must not cascade.
        connection.pragma_update(None, "foreign_keys", false)?;
        // Publishing renames a staging table to All_Shows, which views refer to.
        connection.pragma_update(None, "legacy_alter_table", true)?;
        sql_functions::register(connection)
    })
}

/// Opens connections that cannot write.
pub(crate) fn readers(path: &Path) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(READERS);
    // The connection used last has the most useful page cache.
    config.queue_mode = QueueMode::Lifo;
    pool(path, config, READER_CACHE_KIB, |connection| {
        connection.pragma_update(None, "query_only", true)
    })
}

/// Opens connections for exports. A request for one never waits: an export may take an hour.
pub(crate) fn exports(path: &Path) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(EXPORTS);
    config.timeouts.wait = Some(Duration::ZERO);
    // Not query_only, which would also forbid writing the copy of a backup.
    pool(path, config, READER_CACHE_KIB, |_| Ok(()))
}

fn pool(
    path: &Path,
    config: PoolConfig,
    cache_kib: i64,
    prepare: fn(&Connection) -> SqlResult<()>,
) -> Result<Pool, StoreError> {
    let opener = deadpool_sqlite::Manager::from_config(&Config::new(path), Runtime::Tokio1);
    let manager = Manager { opener, cache_kib, prepare };
    Pool::builder(manager).config(config).runtime(Runtime::Tokio1).build().map_err(unavailable)
}

/// Opens and prepares connections.
pub(crate) struct Manager {
    opener: deadpool_sqlite::Manager,
    cache_kib: i64,
    prepare: fn(&Connection) -> SqlResult<()>,
}

impl managed::Manager for Manager {
    type Type = <deadpool_sqlite::Manager as managed::Manager>::Type;
    type Error = StoreError;

    async fn create(&self) -> Result<Self::Type, StoreError> {
        let connection = self.opener.create().await.map_err(DbError::from)?;
        let (cache_kib, prepare) = (self.cache_kib, self.prepare);
        let prepared = connection.interact(move |connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // Takes effect if the file is still empty.
            connection.pragma_update(None, "page_size", PAGE_BYTES)?;
            // SQLite converts cache_size to pages at once: read the file's page size first.
            connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
            connection.pragma_update(None, "cache_size", -cache_kib)?;
            prepare(connection)
        });
        prepared.await.map_err(from_interact)?.map_err(DbError::from)?;
        Ok(connection)
    }

    /// Runs no query, unlike the manager of deadpool-sqlite: on a blocking thread, that takes as long as
    /// a read.
    async fn recycle(&self, connection: &mut Self::Type, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.is_mutex_poisoned() {
            return Err(RecycleError::message("work on the connection panicked"));
        }
        Ok(())
    }
}

pub(crate) fn from_pool(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(TimeoutType::Wait) => StoreError::TooManyExports,
        error => unavailable(error),
    }
}
