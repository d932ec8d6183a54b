use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::time::sleep;
use tvshows_core::{
    FinalStatus, RunSession, RunStatus, Show, ShowFilter, ShowId, StagedBatch, StagingState,
    StoreError, TopShowsCriteria,
};

use crate::database::Database;
use crate::error::{IntoStoreError, SqlResult, from_sql};
use crate::snapshot_cache::CHECK_INTERVAL;
use crate::staging::Attempt;
use crate::{matching, publish, read, runs, staging};

/// A [`RunSession`] in an SQLite file.
pub(crate) struct SqliteSession {
    pub(crate) database: Database,
    pub(crate) attempt: Attempt,
}

impl SqliteSession {
    /// Reads, provided that the staging tables still belong to this attempt.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let fenced = fenced(self.attempt, work);
        self.database.read(fenced).await
    }

    /// Writes, provided that the staging tables still belong to this attempt.
    pub(crate) async fn write<T: Send + 'static, E: IntoStoreError>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let fenced = fenced(self.attempt, work);
        self.database.write(kind, fenced).await
    }
}

fn fenced<T, E: IntoStoreError>(
    attempt: Attempt,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> impl FnOnce(&Connection) -> Result<T, StoreError> {
    move |connection| {
        if !staging::is_owned_by(connection, attempt).map_err(from_sql)? {
            return Err(StoreError::Fenced);
        }
        work(connection).map_err(E::into_store_error)
    }
}

#[async_trait]
impl RunSession for SqliteSession {
    async fn staging(&self) -> Result<StagingState, StoreError> {
        self.read(read::staging).await
    }

    async fn discard_staging(&self) -> Result<(), StoreError> {
        self.write("discard_staging", staging::discard).await
    }

    async fn record_stop(&self) -> Result<(), StoreError> {
        self.write("record_stop", staging::reset_stalled).await
    }

    async fn start_incremental(&self) -> Result<(), StoreError> {
        self.write("start_incremental", staging::start_incremental).await
    }

    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        let kind = match batch.as_deref() {
            None => "save_status",
            Some(StagedBatch::Pages { .. }) => "stage_pages",
            Some(StagedBatch::Shows { .. }) => "stage_shows",
            Some(StagedBatch::Deletions(_)) => "stage_deletions",
        };
        let status = status.clone();
        self.write(kind, move |connection| {
            if let Some(batch) = &batch {
                staging::stage(connection, batch)?;
            }
            runs::upsert(connection, &status).map(|_| ())
        })
        .await
    }

    async fn staged_show_count(&self) -> Result<u32, StoreError> {
        self.read(staging::count_shows).await
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.read(move |connection| staging::rank(connection, criteria)).await
    }

    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError> {
        self.read(move |connection| matching::next_shows(connection, &filter)).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let (top, detailed) = (top.to_owned(), detailed.to_owned());
        let publish = move |connection: &Connection| {
            let status = final_status(publish::publish(connection, &top, &detailed, at)?);
            runs::upsert(connection, &status)?;
            Ok::<_, rusqlite::Error>(status)
        };
        let status = self.write("publish", publish).await?;
        self.database.shrink_memory().await;
        // Until the checks of other processes from before the commit are no longer valid.
        sleep(CHECK_INTERVAL).await;
        Ok(status)
    }
}
