use std::path::Path;

use async_trait::async_trait;
use deadpool_sqlite::Pool;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tvshows_core::{
    CastMember, Finish, MultiCharacterActor, RunId, RunStatus, Show, ShowId, ShowStore, StoreError,
    TopShow, TopShowsCriteria,
};

use crate::connection;
use crate::error::{SqlResult, from_interact, from_pool, from_sql};
use crate::lock::RunLock;
use crate::{history, migrations, published, staging};

/// A [`ShowStore`] in an SQLite file.
///
/// Work runs on blocking threads. A future that is dropped leaves its transaction to finish by itself.
pub struct SqliteStore {
    writer: Pool,
    readers: Pool,
    lock: RunLock,
}

impl SqliteStore {
    /// Opens the file at `path`, making it or bringing its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Incompatible`] for a file of another program or of a later version, which is left
    /// as it is; [`StoreError::Unavailable`] for one that cannot be opened.
    pub async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        let store = SqliteStore {
            writer: connection::writer(path)?,
            readers: connection::readers(path)?,
            lock: RunLock::beside(path),
        };
        let connection = store.writer.get().await.map_err(from_pool)?;
        connection.interact(migrations::migrate).await.map_err(from_interact)??;
        Ok(store)
    }

    /// Folds the WAL into the database file, so that the file alone is the whole database, and closes
    /// every connection. Best effort: what fails here is done by whoever opens the file next.
    pub async fn close(&self) {
        self.readers.close();
        if let Ok(connection) = self.writer.get().await {
            let fold = |connection: &mut Connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            let _ = connection.interact(fold).await;
        }
        self.writer.close();
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.writer.get().await.map_err(from_pool)?;
        let written = connection.interact(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        });
        written.await.map_err(from_interact)?.map_err(from_sql)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.readers.get().await.map_err(from_pool)?;
        let answer = connection.interact(move |connection| work(connection));
        answer.await.map_err(from_interact)?.map_err(from_sql)
    }
}

#[async_trait]
impl ShowStore for SqliteStore {
    async fn begin(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.lock.acquire()?;
        let status = status.clone();
        let begun = self.write(move |connection| {
            staging::clear(connection)?;
            history::write(connection, &status)
        });
        begun.await.inspect_err(|_| self.lock.release())
    }

    async fn stage_page(
        &self,
        page: u32,
        shows: Vec<Show>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |connection| staging::stage_page(connection, page, &shows, at)).await
    }

    async fn stage_show(&self, show: Show, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| staging::stage_show(connection, &show, at)).await
    }

    async fn unstage_show(&self, show: ShowId) -> Result<(), StoreError> {
        self.write(move |connection| staging::unstage_show(connection, show)).await
    }

    async fn staged_shows(&self) -> Result<u32, StoreError> {
        self.read(staging::count).await
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.read(move |connection| staging::rank(connection, criteria)).await
    }

    async fn stage_cast(
        &self,
        show: ShowId,
        cast: Vec<CastMember>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |connection| staging::stage_cast(connection, show, &cast, at)).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        at: Timestamp,
        finish: Finish,
    ) -> Result<RunStatus, StoreError> {
        let top = top.to_owned();
        let published = self.write(move |connection| {
            staging::publish(connection, &top, at)?;
            let status = finish();
            history::write(connection, &status)?;
            Ok(status)
        });
        let status = published.await?;
        self.lock.release();
        Ok(status)
    }

    async fn abandon(&self, status: &RunStatus) -> Result<(), StoreError> {
        let status = status.clone();
        let abandoned = self.write(move |connection| {
            staging::clear(connection)?;
            history::write(connection, &status)
        });
        let abandoned = abandoned.await;
        self.lock.release();
        abandoned
    }

    async fn note(&self, status: &RunStatus) -> Result<(), StoreError> {
        let status = status.clone();
        self.write(move |connection| history::write(connection, &status)).await
    }

    async fn interrupt_unfinished(&self, now: Timestamp) -> Result<Vec<RunStatus>, StoreError> {
        match self.lock.acquire() {
            Err(StoreError::Busy) => return Ok(Vec::new()),
            other => other?,
        }
        let interrupted = self.write(move |connection| {
            let mut unfinished = history::live(connection)?;
            for status in &mut unfinished {
                status.presume_dead(INTERRUPTED, now);
                history::write(connection, status)?;
            }
            Ok(unfinished)
        });
        let interrupted = interrupted.await;
        self.lock.release();
        interrupted
    }

    async fn last_show_id(&self) -> Result<Option<ShowId>, StoreError> {
        self.read(published::last_show_id).await
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

    async fn check(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            connection.query_row("SELECT count(*) FROM Top_Shows", [], |_| Ok(()))
        })
        .await
    }
}

const INTERRUPTED: &str = "the process that ran it ended first; start another update";
