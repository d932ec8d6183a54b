use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use deadpool_sqlite::Pool;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tvshows_core::{
    CastMember, CastRow, Enqueued, FinalStatus, MakeRowWriter, MultiCharacterActor, Ownership,
    PublishedManifest, RunId, RunStatus, Show, ShowId, ShowPage, ShowQuery, ShowStats, ShowStore,
    SnapshotVersion, StagingState, StoreError, StoreHealth, Table, TopShow, TopShowsCriteria,
};

use crate::connection;
use crate::error::{SqlResult, from_interact, from_pool, from_sql};
use crate::freshness::Freshness;
use crate::lock::RunLock;
use crate::readers::Readers;
use crate::staging::Attempt;
use crate::{
    cast_row, catalogue, export, health, history, migrations, published, snapshot, staging, stats,
};

/// A [`ShowStore`] in an SQLite file.
///
/// Work runs on blocking threads. A future that is dropped leaves its transaction to finish by itself.
pub struct SqliteStore {
    writer: Pool,
    readers: Readers,
    freshness: Freshness,
    exports: Pool,
    path: PathBuf,
    lock: RunLock,
    /// The attempt that this store has begun.
    begun: Mutex<Option<Attempt>>,
}

impl SqliteStore {
    /// Opens the file at `path`, making it or bringing its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidDatabase`] for a file of another program or of a later version, which is left as it
    /// is, and for one that cannot be opened or written.
    pub async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        let path = one_spelling(path)?;
        let (writer, readers) = (connection::writer(&path)?, connection::readers(&path)?);
        let (exports, readers) = (connection::exports(&path)?, Readers::of(readers));
        let connection = writer.get().await.map_err(from_pool)?;
        connection.interact(migrations::migrate).await.map_err(from_interact)??;
        let path = one_spelling(&path)?;
        let watched = path.clone();
        let freshness = connection.interact(move |_| Freshness::on(Connection::open(watched)?));
        let freshness = freshness.await.map_err(from_interact)?.map_err(from_sql)?;
        drop(connection);
        let lock = RunLock::beside(&path);
        Ok(SqliteStore { writer, readers, freshness, exports, path, lock, begun: Mutex::default() })
    }

    /// Folds the WAL into the database file, so that the file alone is the whole database, and closes
    /// every connection. Best effort: what fails here is done by whoever opens the file next.
    pub async fn close(&self) {
        self.readers.close();
        self.freshness.close();
        self.exports.close();
        if let Ok(connection) = self.writer.get().await {
            let fold = |connection: &mut Connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            let _ = connection.interact(fold).await;
        }
        self.writer.close();
    }

    /// Reads the whole file and says what is damaged in it, nothing where it is sound. Takes a second or so
    /// for the whole catalogue.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn damage(&self) -> Result<Vec<String>, StoreError> {
        let found = self.read(|connection| {
            let mut check = connection.prepare("PRAGMA integrity_check")?;
            let lines = check.query_map([], |row| row.get::<_, String>(0))?;
            // Some damage ends the check itself.
            let told = |line: SqlResult<String>| match line {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                    Ok(error.to_string())
                }
                line => line,
            };
            lines.map(told).collect::<SqlResult<Vec<_>>>()
        });
        let mut found = found.await?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    async fn write<T: Send + 'static>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.transaction(kind, move |connection| work(connection).map_err(from_sql)).await
    }

    /// Writes for the attempt that this store has begun, if the staging area is still its own: another
    /// process may have taken over.
    async fn write_staged<T: Send + 'static>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let attempt = self.begun().ok_or(StoreError::Fenced)?;
        self.transaction(kind, move |connection| {
            if !staging::is_of(connection, attempt).map_err(from_sql)? {
                return Err(StoreError::Fenced);
            }
            work(connection).map_err(from_sql)
        })
        .await
    }

    /// Stages something, and notes how far the run is with it.
    async fn stage(
        &self,
        kind: &'static str,
        status: &RunStatus,
        work: impl FnOnce(&Connection) -> SqlResult<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let status = status.clone();
        self.write_staged(kind, move |connection| {
            work(connection)?;
            staging::count_progress(connection)?;
            history::write(connection, &status).map(|_| ())
        })
        .await
    }

    /// Does `work` in a transaction, whose time counts among those of its `kind`.
    async fn transaction<T: Send + 'static>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.writer.get().await.map_err(from_pool)?;
        let written = connection.interact(move |connection| {
            let _time = TransactionTime { kind, since: Instant::now() };
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(from_sql)?;
            let answer = work(&transaction)?;
            transaction.commit().map_err(from_sql)?;
            Ok(answer)
        });
        written.await.map_err(from_interact)?
    }

    fn begun(&self) -> Option<Attempt> {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_begun(&self, attempt: Option<Attempt>) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = attempt;
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
    }

    async fn give(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let connection = self.exports.get().await.map_err(from_pool)?;
        let given = connection.interact(move |connection| work(connection));
        given.await.map_err(from_interact)?
    }
}

#[async_trait]
impl ShowStore for SqliteStore {
    async fn id(&self) -> Result<String, StoreError> {
        self.read(|connection| connection.query_row("SELECT id FROM Data", [], |row| row.get(0)))
            .await
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        most_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        let (status, except) = (status.clone(), except.to_owned());
        // Who joins a run does not wait for one that publishes.
        let (asked, not_these) = (status.clone(), except.clone());
        let equal = self.read(move |connection| history::equal(connection, &asked, &not_these));
        if let Some(run) = equal.await? {
            return Ok(Enqueued::Joined(run));
        }
        self.write("enqueue", move |connection| {
            history::enqueue(connection, &status, &except, most_waiting)
        })
        .await
    }

    async fn next_run(&self, except: &[RunId]) -> Result<Option<RunStatus>, StoreError> {
        let unfinished = self.read(history::unfinished).await?;
        Ok(unfinished.into_iter().find(|run| !except.contains(&run.request_id)))
    }

    async fn claim(&self) -> Result<(), StoreError> {
        self.lock.acquire()
    }

    async fn release(&self) {
        self.lock.release();
    }

    async fn is_claimed(&self) -> Result<bool, StoreError> {
        self.lock.is_held()
    }

    async fn begin(&self, status: &RunStatus, by: Ownership) -> Result<(), StoreError> {
        let (attempt, status) = (attempt(status), status.clone());
        self.transaction("begin", move |connection| {
            let before = history::run(connection, attempt.run).map_err(from_sql)?;
            let is_late = before.is_some_and(|run| run.attempt >= attempt.number);
            if is_late || !history::write(connection, &status).map_err(from_sql)? {
                return Err(StoreError::Fenced);
            }
            staging::take(connection, attempt, by).map_err(from_sql)
        })
        .await?;
        self.set_begun(Some(attempt));
        Ok(())
    }

    async fn rights(&self) -> Result<Ownership, StoreError> {
        self.read(staging::rights).await
    }

    async fn staged(&self) -> Result<StagingState, StoreError> {
        self.read(published::staged).await
    }

    async fn unstage(&self) -> Result<(), StoreError> {
        self.write_staged("unstage", staging::empty).await
    }

    async fn count_resume(&self) -> Result<(), StoreError> {
        self.write_staged("count_resume", staging::count_resume).await
    }

    async fn keep_published(&self) -> Result<(), StoreError> {
        self.write_staged("keep_published", staging::keep_published).await
    }

    async fn stage_pages(
        &self,
        pages: Vec<(u32, Vec<Show>)>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        let stage = move |connection: &Connection| {
            pages
                .iter()
                .try_for_each(|(page, shows)| staging::stage_page(connection, *page, shows, at))
        };
        self.stage("stage_pages", status, stage).await
    }

    async fn stage_shows(
        &self,
        shows: Vec<Show>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        self.stage("stage_shows", status, move |connection| {
            shows.iter().try_for_each(|show| staging::stage_show(connection, show, at))
        })
        .await
    }

    async fn drop_shows(&self, shows: Vec<ShowId>, status: &RunStatus) -> Result<(), StoreError> {
        self.stage("drop_shows", status, move |connection| staging::drop_shows(connection, &shows))
            .await
    }

    async fn stage_cast(
        &self,
        show: &Show,
        cast: Vec<CastMember>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        let show = show.clone();
        self.stage("stage_cast", status, move |connection| {
            staging::stage_cast(connection, &show, &cast, at)
        })
        .await
    }

    async fn snapshot_size(&self) -> Result<u32, StoreError> {
        self.read(staging::size).await
    }

    async fn rank_snapshot(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.read(move |connection| staging::rank(connection, criteria)).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        at: Timestamp,
        finish: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let top = top.to_owned();
        let published = self.write_staged("publish", move |connection| {
            let status = finish(staging::publish(connection, &top, at)?);
            history::write(connection, &status)?;
            Ok(status)
        });
        let status = published.await?;
        self.set_begun(None);
        Ok(status)
    }

    async fn abandon(&self, status: &RunStatus) -> Result<(), StoreError> {
        let (attempt, status) = (attempt(status), status.clone());
        self.write("abandon", move |connection| {
            if staging::is_of(connection, attempt)? {
                staging::clear(connection)?;
            }
            history::write(connection, &status).map(|_| ())
        })
        .await
    }

    async fn note(&self, status: &RunStatus) -> Result<(), StoreError> {
        let status = status.clone();
        self.write("note", move |connection| history::write(connection, &status).map(|_| ())).await
    }

    async fn published(&self) -> Result<PublishedManifest, StoreError> {
        self.read(published::published).await
    }

    async fn show(&self, id: ShowId) -> Result<Option<Show>, StoreError> {
        self.read(move |connection| published::show(connection, id)).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.read(move |connection| published::top_shows(connection, limit)).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.read(published::multi_character_actors).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        self.read(move |connection| history::newest(connection, limit)).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunStatus>, StoreError> {
        self.read(move |connection| history::run(connection, id)).await
    }

    async fn snapshot(&self) -> Result<SnapshotVersion, StoreError> {
        let version = match self.freshness.known() {
            Ok(snapshot) => return Ok(snapshot),
            Err(version) => version,
        };
        let snapshot = self.read(snapshot::read).await?;
        self.freshness.keep(version, snapshot);
        Ok(snapshot)
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        self.read(move |connection| catalogue::shows(connection, &query)).await
    }

    async fn cast(&self, show: ShowId) -> Result<Vec<CastRow>, StoreError> {
        self.read(move |connection| cast_row::published(connection, show)).await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        self.read(stats::stats).await
    }

    async fn export(&self, table: Table, rows: MakeRowWriter) -> Result<(), StoreError> {
        self.give(move |connection| export::rows(connection, table, rows)).await
    }

    async fn export_all(&self, file: Box<dyn Write + Send>) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.give(move |connection| export::database(connection, &path, file)).await
    }

    async fn check(&self) -> Result<StoreHealth, StoreError> {
        let path = self.path.clone();
        self.read(move |connection| health::of(connection, &path)).await
    }
}

/// Counts the time of a transaction when it ends, however it does.
struct TransactionTime {
    kind: &'static str,
    since: Instant,
}

impl Drop for TransactionTime {
    fn drop(&mut self) {
        let kind = self.kind;
        metrics::histogram!("tvshows_store_transaction_duration_seconds", "kind" => kind)
            .record(self.since.elapsed());
    }
}

/// The one path of a file, whatever links and spellings lead to it: two processes must find one lock.
fn one_spelling(path: &Path) -> Result<PathBuf, StoreError> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let missing = || {
        let reason = format!("{} is not a file in a folder that exists", path.display());
        StoreError::InvalidDatabase { reason }
    };
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(missing()),
    };
    let name = path.file_name().ok_or_else(missing)?;
    Ok(folder.canonicalize().map_err(|_| missing())?.join(name))
}

fn attempt(status: &RunStatus) -> Attempt {
    Attempt { run: status.request_id, number: status.attempt }
}
