use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};
use tokio::time::{Instant, sleep};
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Enqueued, Episode, EpisodeKey, LockError, LockExpiry,
    MakeRowWriter, MultiCharacterActor, NextRun, Ownership, PublishedManifest, RunId, RunLock,
    RunQueue, RunSession, RunState, RunStatus, Schedule, ScheduleQuery, Show, ShowFilter, ShowId,
    ShowKey, ShowPage, ShowQuery, ShowStats, SnapshotVersion, StoreError, StoreHealth, Table,
    TopShow,
};

use crate::database::Database;
use crate::error::{SqlResult, from_sql};
use crate::external_ids::ExternalIdIndex;
use crate::facet_index::FacetIndex;
use crate::file_lock::FileLock;
use crate::index_cache::IndexCache;
use crate::interrupted::mark_interrupted;
use crate::migrations::FileKind;
use crate::pool::{self, Access, Pool, from_pool};
use crate::session::SqliteSession;
use crate::snapshot_cache::CHECK_INTERVAL;
use crate::staging::Attempt;
use crate::{copy_file, details, export, health, read, runs, show_query, snapshot, staging, stats};

/// A [`Catalog`], [`RunQueue`] and [`RunLock`] in an SQLite file, or a copy of a shared database.
///
/// Statements run on blocking threads. Dropping a future does not interrupt its transaction.
pub struct SqliteStore {
    pub(crate) database: Database,
    exports: Pool,
    facet_indexes: Arc<IndexCache<FacetIndex>>,
    external_ids: Arc<IndexCache<ExternalIdIndex>>,
    path: PathBuf,
    pub(crate) lock: Arc<FileLock>,
}

impl SqliteStore {
    /// Opens the file at `path`, and creates it or migrates its schema.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReadOnly`] if the file or its folder cannot be written. [`StoreError::InvalidDatabase`] if the file
    /// belongs to another program or a later version, which leaves it unchanged, if it cannot be opened, or if the
    /// `-wal` at its path belongs to another file.
    pub async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        let path = canonical_path(path)?;
        // Also if the file itself is writable: without a lock file, no run could start.
        if path.exists() && health::is_read_only(path.parent().unwrap_or(&path)) {
            return Err(StoreError::ReadOnly);
        }
        let database = Database::open(&path, FileKind::Primary).await?;
        // The file exists now, so links can be resolved.
        let path = canonical_path(&path)?;
        let lock = FileLock::with_files(&path, database.files.record());
        SqliteStore::with_lock(database, path, lock)
    }

    /// Opens the file at `path` as a [`SnapshotCopy`](tvshows_core::SnapshotCopy), and creates it if it is missing. A
    /// copy that has another schema version or is damaged is deleted and created again. The file remains locked until
    /// the store is closed or dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReadOnly`] if the file or its folder cannot be written. [`StoreError::InvalidDatabase`] if another
    /// process uses the file, or if it is not a copy and has data, which leaves it unchanged.
    pub async fn open_copy(path: &Path) -> Result<SqliteStore, StoreError> {
        let path = canonical_path(path)?;
        if health::is_read_only(path.parent().unwrap_or(&path)) {
            return Err(StoreError::ReadOnly);
        }
        let lock = copy_file::prepare(&path).await?;
        let database = Database::open(&path, FileKind::Copy).await?;
        lock.record_copy(database.files.record().as_deref());
        SqliteStore::with_lock(database, path, lock)
    }

    fn with_lock(
        database: Database,
        path: PathBuf,
        lock: FileLock,
    ) -> Result<SqliteStore, StoreError> {
        let exports = pool::exports(&path, Access::ReadWrite, &database.files)?;
        let (facet_indexes, external_ids) = Default::default();
        let lock = Arc::new(lock);
        Ok(SqliteStore { database, exports, facet_indexes, external_ids, path, lock })
    }

    /// Opens the file at `path` without changing it or its folder; needs no write permission. All methods that change
    /// something return [`StoreError::ReadOnly`], and no run is ever next.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidDatabase`] if the file does not exist, belongs to another program, does not have the
    /// current schema, or if an interrupted process left changes next to it that cannot be read without writing.
    pub async fn open_read_only(path: &Path) -> Result<SqliteStore, StoreError> {
        let path = canonical_path(path)?;
        let database = Database::open_read_only(&path).await?;
        let exports = pool::exports(&path, Access::ReadOnly, &database.files)?;
        let (facet_indexes, external_ids) = Default::default();
        let lock = Arc::new(FileLock::new(&path));
        Ok(SqliteStore { database, exports, facet_indexes, external_ids, path, lock })
    }

    /// Whether the file was opened with [`open_read_only`](Self::open_read_only).
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.database.is_read_only()
    }

    /// Reads runs. What was stored as running by a process that died is marked as interrupted.
    async fn read_runs<T: AsMut<[RunStatus]> + Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lock = Arc::clone(&self.lock);
        let read = move |connection: &Connection| {
            let mut runs = work(connection).map_err(from_sql)?;
            for status in runs.as_mut() {
                mark_interrupted(connection, &lock, status)?;
            }
            Ok::<_, StoreError>(runs)
        };
        let runs = self.database.read(read).await?;
        // Another process may have published one of them just now. Its client may request data from this process next.
        sleep(CHECK_INTERVAL).await;
        Ok(runs)
    }

    async fn with_export_connection(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.database.files.check_recent()?;
        let connection = self.exports.get().await.map_err(from_pool)?;
        let run = move |connection: &mut Connection| {
            let result = work(connection);
            // Exports are rare, so the memory is more useful to others than to the next one.
            connection.execute_batch("PRAGMA shrink_memory").map_err(from_sql)?;
            result
        };
        connection.run(run).await
    }
}

#[async_trait]
impl Catalog for SqliteStore {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        let (cache, now) = (&self.database.snapshot_cache, Instant::now());
        if let Some(snapshot) = cache.recent(now) {
            return Ok(snapshot);
        }
        self.database.files.check_recent()?;
        let version = match cache.check(now) {
            Ok(snapshot) => return Ok(snapshot),
            Err(version) => version,
        };
        let snapshot = self.database.read(snapshot::current).await?;
        cache.insert(version, snapshot);
        Ok(snapshot)
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        let indexes = Arc::clone(&self.facet_indexes);
        self.database.read(move |connection| show_query::shows(connection, &indexes, &query)).await
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        let external_ids = Arc::clone(&self.external_ids);
        self.database.read(move |connection| read::show(connection, &external_ids, &key)).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.database.read(move |connection| read::top_shows(connection, limit)).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.database.read(read::multi_character_actors).await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        let indexes = Arc::clone(&self.facet_indexes);
        self.database.read(move |connection| stats::stats(connection, &indexes)).await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        self.database.read(read::manifest).await
    }

    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError> {
        let (indexes, lock) = (Arc::clone(&self.facet_indexes), Arc::clone(&self.lock));
        self.with_export_connection(move |connection| {
            export::export_table(connection, &indexes, &lock, table, &filter, rows)
        })
        .await
    }

    async fn backup_to(&self, file: Box<dyn Write + Send>) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.with_export_connection(move |connection| {
            export::export_database(connection, &path, file)
        })
        .await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        let (path, is_read_only) = (self.path.clone(), self.is_read_only());
        self.database.files.check()?;
        let check = move |connection: &_| health::check(connection, &path, is_read_only);
        self.database.read(check).await
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.database.read(integrity_check).await
    }
}

#[async_trait]
impl DetailsCatalog for SqliteStore {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        self.database.read(move |connection| details::cast(connection, show)).await
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        self.database.read(move |connection| details::episodes(connection, show)).await
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        self.database.read(move |connection| details::find_episodes(connection, key)).await
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        let indexes = Arc::clone(&self.facet_indexes);
        self.database.read(move |connection| details::schedule(connection, &indexes, &query)).await
    }
}

#[async_trait]
impl RunQueue for SqliteStore {
    async fn database_id(&self) -> Result<String, StoreError> {
        let sql = "SELECT id FROM _Database_Identity";
        self.database.read(move |connection| connection.query_row(sql, [], |row| row.get(0))).await
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let (status, except) = (status.clone(), except.to_owned());
        // Only a new run needs the writer, which publishing may use for seconds.
        let (requested, excluded) = (status.clone(), except.clone());
        let duplicate = self.read_runs(move |connection| {
            let duplicate = runs::find_duplicate(connection, &requested, &excluded)?;
            Ok(Vec::from_iter(duplicate))
        });
        if let Some(run) = duplicate.await?.pop() {
            return Ok(Enqueued::Joined(run));
        }
        self.database
            .write("enqueue", move |connection| {
                runs::enqueue(connection, &status, &except, max_waiting)
            })
            .await
    }

    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError> {
        if self.is_read_only() {
            return Ok(None);
        }
        let (except, lock) = (except.to_owned(), Arc::clone(&self.lock));
        let next = move |connection: &Connection| {
            let mut unfinished = runs::unfinished(connection).map_err(from_sql)?.into_iter();
            let next = unfinished.find(|run| !except.contains(&run.request_id));
            let Some(mut status) = next else { return Ok(None) };
            mark_interrupted(connection, &lock, &mut status)?;
            let ownership = staging::ownership(connection, &status).map_err(from_sql)?;
            let stalled_attempts = staging::stalled_attempts(connection, status.request_id);
            let stalled_attempts = stalled_attempts.map_err(from_sql)?;
            Ok::<_, StoreError>(Some(NextRun { status, ownership, stalled_attempts }))
        };
        self.database.read(next).await
    }

    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        self.read_runs(move |connection| runs::list_newest(connection, limit)).await
    }

    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let find = move |connection: &Connection| runs::find(connection, run).map(Vec::from_iter);
        Ok(self.read_runs(find).await?.pop())
    }

    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError> {
        let status = status.clone();
        self.database
            .write("save_status", move |connection| runs::upsert(connection, &status).map(|_| ()))
            .await
    }

    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError> {
        let (attempt, status) = (Attempt::new(status), status.clone());
        self.database
            .write("finish_unpublished", move |connection| {
                if staging::is_owned_by(connection, attempt)? {
                    match status.state {
                        RunState::Failed => staging::release(connection)?,
                        _ => staging::reset(connection)?,
                    }
                }
                runs::upsert(connection, &status).map(|_| ())
            })
            .await?;
        self.database.free_disk_space().await;
        self.database.shrink_memory().await;
        Ok(())
    }

    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError> {
        let (attempt, status) = (Attempt::new(status), status.clone());
        let begin = move |connection: &Connection| {
            let stored = runs::find(connection, attempt.run).map_err(from_sql)?;
            let is_late = stored.is_some_and(|run| run.attempt >= attempt.number);
            if is_late || !runs::upsert(connection, &status).map_err(from_sql)? {
                return Err(StoreError::Fenced);
            }
            staging::take_over(connection, attempt, ownership, status.mode).map_err(from_sql)
        };
        self.database.write("begin", begin).await?;
        Ok(Box::new(SqliteSession { database: self.database.clone(), attempt }))
    }

    async fn close(&self) {
        self.exports.close();
        self.database.close().await;
    }
}

#[async_trait]
impl RunLock for SqliteStore {
    async fn acquire(&self, holder: &str, _evict: Option<&str>) -> Result<bool, LockError> {
        self.lock.acquire(holder)
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        self.lock.acquire(holder)
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        self.lock.holder()
    }

    async fn release(&self, holder: &str) {
        self.lock.release(holder);
    }

    fn expiry(&self) -> LockExpiry {
        LockExpiry::WithProcess
    }
}

fn integrity_check(connection: &Connection) -> SqlResult<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    // Some kinds of damage make the check itself fail.
    let defect = |line: SqlResult<String>| match line {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(error.to_string())
        }
        line => line,
    };
    let mut defects = lines.map(defect).collect::<SqlResult<Vec<_>>>()?;
    defects.retain(|line| line != "ok");
    if defects.is_empty() { details::defects(connection) } else { Ok(defects) }
}

/// Resolves links and relative parts of a path, so that all processes find the same lock file.
fn canonical_path(path: &Path) -> Result<PathBuf, StoreError> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let missing = || {
        let reason = "the path must be that of a file in an existing folder";
        StoreError::InvalidDatabase { reason: reason.into() }
    };
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(missing()),
    };
    let name = path.file_name().ok_or_else(missing)?;
    Ok(folder.canonicalize().map_err(|_| missing())?.join(name))
}
