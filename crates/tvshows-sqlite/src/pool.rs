//! The connection pools. Every pragma of a connection is set here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{self, PoolError, QueueMode, RecycleError, RecycleResult};
use deadpool_sqlite::{Metrics, PoolConfig, Runtime, TimeoutType};
use rusqlite::{Connection, ErrorCode};
use tvshows_core::StoreError;

use crate::error::{IntoStoreError, SqlResult, from_interact, from_sql, unavailable};
use crate::migrations::FileKind;
use crate::open_files::{FileId, OpenFiles, refuse_foreign_wal};
use crate::read_only::{self, FileState};
use crate::sql_functions;

/// Reads are short, and SQLite's readers never wait for each other.
const READERS: usize = 4;
/// An export can take as long as its client is slow, and must not block the readers.
const EXPORTS: usize = 4;
/// How long a statement waits for another process that has locked the file, such as the `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The page cache of the writer: enough for the pages that staging touches, small compared with a run.
const WRITER_CACHE_KIB: i64 = 4 * 1024;
/// The page cache of every other connection: enough for the inner pages of all tables. The operating system caches
/// the others.
const READER_CACHE_KIB: i64 = 1024;
/// With SQLite's default of 4096, rows of more than 1 kB take four times as many reads and writes.
const PAGE_BYTES: u32 = 16 * 1024;
/// The size to which the WAL is truncated after a checkpoint.
const WAL_SIZE_LIMIT: i64 = 16 * 1024 * 1024;

pub(crate) type Pool = managed::Pool<Manager>;

/// How connections open the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Creates a missing file, and completes what an interrupted process left in the WAL.
    ReadWrite,
    /// Changes nothing.
    ReadOnly,
}

/// Opens the one connection that writes.
pub(crate) fn writer(
    path: &Path,
    kind: FileKind,
    files: &Arc<OpenFiles>,
) -> Result<Pool, StoreError> {
    let prepare: fn(&Connection) -> SqlResult<()> = match kind {
        // A committed page must survive a power cut: what is staged is not fetched again.
        FileKind::Primary => |connection| prepare_writer(connection, "FULL"),
        // A power cut may undo the last transactions: the copy is at an earlier position then, and is updated again.
        // It is never damaged, as it could be with OFF.
        FileKind::Copy => |connection| prepare_writer(connection, "NORMAL"),
    };
    let manager = Manager::new(path, Access::ReadWrite, files, WRITER_CACHE_KIB, prepare);
    pool(manager, PoolConfig::new(1))
}

fn prepare_writer(connection: &Connection, synchronous: &str) -> SqlResult<()> {
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "journal_size_limit", WAL_SIZE_LIMIT)?;
    // Users' tables may reference All_Shows. Publishing replaces its rows, which must not cascade.
    connection.pragma_update(None, "foreign_keys", false)?;
    // Publishing renames a staging table to All_Shows, which views refer to.
    connection.pragma_update(None, "legacy_alter_table", true)?;
    sql_functions::register(connection)
}

/// Opens connections for reads.
pub(crate) fn readers(
    path: &Path,
    access: Access,
    files: &Arc<OpenFiles>,
) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(READERS);
    // The connection used last has the most useful page cache.
    config.queue_mode = QueueMode::Lifo;
    let manager = Manager::new(path, access, files, READER_CACHE_KIB, |connection| {
        connection.pragma_update(None, "query_only", true)
    });
    pool(manager, config)
}

/// Opens connections for exports. A request for one never waits: an export may take an hour.
pub(crate) fn exports(
    path: &Path,
    access: Access,
    files: &Arc<OpenFiles>,
) -> Result<Pool, StoreError> {
    let mut config = PoolConfig::new(EXPORTS);
    config.timeouts.wait = Some(Duration::ZERO);
    // Not query_only, which would also forbid writing the copy of a backup.
    pool(Manager::new(path, access, files, READER_CACHE_KIB, |_| Ok(())), config)
}

fn pool(manager: Manager, config: PoolConfig) -> Result<Pool, StoreError> {
    Pool::builder(manager).config(config).runtime(Runtime::Tokio1).build().map_err(unavailable)
}

/// A connection whose work runs on blocking threads.
type BlockingConnection = <deadpool_sqlite::Manager as managed::Manager>::Type;

/// Opens and prepares connections.
pub(crate) struct Manager {
    path: PathBuf,
    access: Access,
    files: Arc<OpenFiles>,
    cache_kib: i64,
    prepare: fn(&Connection) -> SqlResult<()>,
}

impl Manager {
    fn new(
        path: &Path,
        access: Access,
        files: &Arc<OpenFiles>,
        cache_kib: i64,
        prepare: fn(&Connection) -> SqlResult<()>,
    ) -> Manager {
        Manager { path: path.to_owned(), access, files: Arc::clone(files), cache_kib, prepare }
    }
}

impl managed::Manager for Manager {
    type Type = PooledConnection;
    type Error = StoreError;

    async fn create(&self) -> Result<PooledConnection, StoreError> {
        let (path, access) = (self.path.clone(), self.access);
        self.files.check()?;
        if access == Access::ReadOnly {
            refuse_foreign_wal(&path)?;
        }
        // Before it is opened, so that no change goes unnoticed.
        let file = FileId::read(&path).map_err(unavailable)?;
        let unused = match access {
            Access::ReadWrite => None,
            Access::ReadOnly => FileState::read_if_unused(&path),
        };
        let open = move || match access {
            Access::ReadWrite => Connection::open(&path),
            Access::ReadOnly => read_only::open(&path, unused),
        };
        let connection = BlockingConnection::new(Runtime::Tokio1, open).await.map_err(from_sql)?;
        let connection = PooledConnection { connection, path: self.path.clone(), file, unused };
        let (cache_kib, prepare) = (self.cache_kib, self.prepare);
        let prepared = connection.run(move |connection| {
            let prepared = configure(connection, cache_kib).and_then(|()| prepare(connection));
            prepared.map_err(|error| match error.sqlite_error_code() {
                // The file itself is open already.
                Some(ErrorCode::CannotOpen) => no_companion_files(access),
                _ => from_sql(error),
            })
        });
        prepared.await?;
        // The path may have led to another file in the meantime.
        self.files.check()?;
        Ok(connection)
    }

    /// Runs no query, unlike the manager of deadpool-sqlite: on a blocking thread, that takes as long as
    /// a read.
    async fn recycle(
        &self,
        connection: &mut PooledConnection,
        _: &Metrics,
    ) -> RecycleResult<StoreError> {
        if connection.connection.is_mutex_poisoned() {
            return Err(RecycleError::message("work on the connection panicked"));
        }
        let PooledConnection { unused, path, file, .. } = connection;
        // A connection that writes stays open for `Database::close`, and is refused to everyone else.
        if self.access == Access::ReadOnly && FileId::read(path).is_ok_and(|now| now != *file) {
            return Err(RecycleError::message("the file was moved, deleted, or replaced"));
        }
        if unused.is_some() && *unused != FileState::read_if_unused(path) {
            return Err(RecycleError::message("the file is in use or has changed"));
        }
        Ok(())
    }
}

fn configure(connection: &Connection, cache_kib: i64) -> SqlResult<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Takes effect if the file is still empty.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // SQLite converts cache_size to pages at once: read the file's page size first.
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -cache_kib)
}

/// SQLite can neither create `-wal` and `-shm`, nor use existing ones.
fn no_companion_files(access: Access) -> StoreError {
    match access {
        Access::ReadWrite => StoreError::ReadOnly,
        Access::ReadOnly => StoreError::InvalidDatabase {
            reason: "it has changes in its -wal file that cannot be read in a read-only folder; copy both files \
                     to a writable folder"
                .into(),
        },
    }
}

/// A connection from a pool.
pub(crate) struct PooledConnection {
    connection: BlockingConnection,
    path: PathBuf,
    file: Option<FileId>,
    /// The state that the file must remain in; `None` if SQLite's locks protect this connection from changes.
    unused: Option<FileState>,
}

impl PooledConnection {
    /// Runs work on a blocking thread. Dropping the future does not interrupt it.
    pub(crate) async fn run<T: Send + 'static, E: IntoStoreError>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = self.connection.interact(work).await.map_err(from_interact)?;
        // Without locks, the result may be a mixture of old and new pages.
        if self.unused.is_some() && self.unused != FileState::read(&self.path) {
            let reason = "another program has changed the file in the meantime; try again";
            return Err(StoreError::InvalidDatabase { reason: reason.into() });
        }
        result.map_err(E::into_store_error)
    }
}

pub(crate) fn from_pool(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(TimeoutType::Wait) => StoreError::TooManyExports,
        error => unavailable(error),
    }
}
