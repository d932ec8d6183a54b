use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use tvshows_core::StoreError;

use crate::error::{IntoStoreError, SqlResult, from_sql, unavailable};
use crate::migrations::{self, FileKind};
use crate::open_files::{FileId, OpenFiles, refuse_foreign_wal};
use crate::pool::{self, Access, Pool, from_pool};
use crate::snapshot_cache::SnapshotCache;

/// How many unused pages one transaction removes: 64 MB.
const MAX_FREED_PAGES: u32 = 4096;

/// The connections that read and write shows and runs.
///
/// Statements run on blocking threads. Dropping a future does not interrupt its transaction.
#[derive(Clone)]
pub(crate) struct Database {
    /// `None` if the file is read-only.
    writer: Option<Pool>,
    readers: Pool,
    pub(crate) files: Arc<OpenFiles>,
    pub(crate) snapshot_cache: Arc<SnapshotCache>,
}

impl Database {
    /// Opens the file, and creates it or migrates its schema.
    pub(crate) async fn open(path: &Path, kind: FileKind) -> Result<Database, StoreError> {
        refuse_foreign_wal(path)?;
        let files = Arc::new(OpenFiles::new(path));
        let writer = pool::writer(path, kind, &files)?;
        let readers = pool::readers(path, Access::ReadWrite, &files)?;
        let connection = writer.get().await.map_err(from_pool)?;
        // Not before it is opened: on an overlay file system, that can replace the file by a copy.
        let opened_file = FileId::read(path).map_err(unavailable)?;
        connection.run(move |connection| migrations::migrate(connection, kind)).await?;
        let opened = Arc::clone(&files);
        connection.run(move |_| opened.remember(opened_file)).await?;
        drop(connection);
        let snapshot_cache =
            Connection::open(path).and_then(SnapshotCache::new).map_err(from_sql)?;
        files.check()?;
        let snapshot_cache = Arc::new(snapshot_cache);
        Ok(Database { writer: Some(writer), readers, files, snapshot_cache })
    }

    /// Opens the file without changing it. It must have the current schema.
    pub(crate) async fn open_read_only(path: &Path) -> Result<Database, StoreError> {
        let files = Arc::new(OpenFiles::new(path));
        let readers = pool::readers(path, Access::ReadOnly, &files)?;
        let connection = readers.get().await.map_err(from_pool)?;
        connection.run(|connection| migrations::require_current(connection)).await?;
        drop(connection);
        let snapshot_cache = Arc::new(SnapshotCache::disabled());
        Ok(Database { writer: None, readers, files, snapshot_cache })
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    pub(crate) async fn read<T: Send + 'static, E: IntoStoreError>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.files.check_recent()?;
        let connection = self.readers.get().await.map_err(from_pool)?;
        connection.run(move |connection| work(connection)).await
    }

    /// Runs `work` in a transaction, and records its duration under `kind`.
    pub(crate) async fn write<T: Send + 'static, E: IntoStoreError>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        let connection = writer.get().await.map_err(from_pool)?;
        let (files, snapshot_cache) = (Arc::clone(&self.files), Arc::clone(&self.snapshot_cache));
        let written = connection.run(move |connection| {
            files.check()?;
            let _timer = TransactionTimer { kind, started: Instant::now() };
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(from_sql)?;
            let result = work(&transaction).map_err(E::into_store_error)?;
            // Again: the work of publishing takes seconds.
            files.check()?;
            transaction.commit().map_err(from_sql)?;
            snapshot_cache.expire();
            Ok::<_, StoreError>(result)
        });
        written.await
    }

    /// Returns the space of unused pages to the file system. Best effort: what fails, the next run uses or frees.
    ///
    /// Does nothing for a file of an earlier release, which lacks what SQLite needs to move pages.
    pub(crate) async fn free_disk_space(&self) {
        let Some(writer) = &self.writer else { return };
        let mut unused = u32::MAX;
        loop {
            // In short transactions, because others may be waiting to write.
            let Ok(connection) = writer.get().await else { return };
            let left = connection.run(|connection| vacuum(connection)).await.unwrap_or_default();
            if left == 0 || left >= unused {
                break;
            }
            unused = left;
        }
        // Truncates the file, unless a reader still needs its old content; then a later checkpoint does.
        let checkpoint = |connection: &mut Connection| -> SqlResult<()> {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        };
        if let Ok(connection) = writer.get().await {
            let _ = connection.run(checkpoint).await;
        }
    }

    /// Frees the writer's page cache at the end of a run, since runs are rare. Best effort.
    pub(crate) async fn shrink_memory(&self) {
        let Some(writer) = &self.writer else { return };
        if let Ok(connection) = writer.get().await {
            let shrink = |connection: &mut Connection| -> SqlResult<()> {
                connection.execute_batch("PRAGMA shrink_memory")
            };
            let _ = connection.run(shrink).await;
        }
    }

    /// Closes every connection and leaves everything in the main file, even if that was moved.
    pub(crate) async fn close(&self) {
        self.snapshot_cache.close();
        // A connection that is in use is closed when its work is done.
        self.readers.close();
        let Some(writer) = &self.writer else { return };
        // SQLite itself leaves a `-wal` alone when it closes a database that was moved.
        if self.files.has_own_wal()
            && let Ok(connection) = writer.get().await
        {
            let checkpoint = |connection: &mut Connection| -> SqlResult<()> {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            let _ = connection.run(checkpoint).await;
        }
        writer.close();
    }
}

/// Removes some unused pages from the end of the file. Returns how many are left.
fn vacuum(connection: &Connection) -> SqlResult<u32> {
    let mut vacuum =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({MAX_FREED_PAGES})"))?;
    // Each step removes one page.
    let mut removed = vacuum.raw_query();
    while removed.next()?.is_some() {}
    connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
}

/// Records the duration of a transaction when it ends, even with an error.
struct TransactionTimer {
    kind: &'static str,
    started: Instant,
}

impl Drop for TransactionTimer {
    fn drop(&mut self) {
        let kind = self.kind;
        metrics::histogram!("tvshows_store_transaction_duration_seconds", "kind" => kind)
            .record(self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio::time::Instant;
    use tvshows_core::SnapshotVersion;

    use super::*;
    use crate::snapshot;

    #[tokio::test]
    async fn a_check_is_no_longer_valid_once_this_process_has_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tvshows.db");
        let database = Database::open(&path, FileKind::Primary).await.unwrap();
        let (cache, now) = (&database.snapshot_cache, Instant::now());
        let version = cache.check(now).unwrap_err();
        cache.insert(version, SnapshotVersion::default());
        cache.check(now).unwrap();
        let failed = database.write("test", |_| Err::<(), _>(StoreError::Fenced)).await;
        assert!(failed.is_err());
        assert_eq!(cache.recent(now), Some(SnapshotVersion::default()));
        let publish = |connection: &Connection| snapshot::bump(connection, Timestamp::UNIX_EPOCH);
        database.write("test", publish).await.unwrap();
        assert_eq!(cache.recent(now), None);
    }
}
