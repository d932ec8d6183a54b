use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{join, try_join};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tvshows_core::{
    FinalStatus, RunSession, RunState, RunStatus, Show, ShowFilter, ShowId, StagedBatch,
    StagingState, StoreError, TopShowsCriteria,
};

use crate::database::{BEGIN_READ, BULK_TIMEOUT, Connection, Database, Limit};
use crate::details::Chosen;
use crate::error::Error;
use crate::replicas;
use crate::staging::{self, Attempt, Base, PreparedBatch, StoredVersions};
use crate::{details, matching, publish, runs};

/// How long a publish is repeated while the server is unavailable, so that a failover does not interrupt the run.
const PUBLISH_RETRY_TIME: std::time::Duration = std::time::Duration::from_secs(15);
const PUBLISH_RETRY_DELAY: std::time::Duration = std::time::Duration::from_millis(500);
/// From how many added and changed shows on a publish updates the statistics. Until the server does that, about a minute
/// later, it reads whole tables to look up a few rows.
const MIN_CHANGES_TO_ANALYZE: u32 = 10_000;
/// How long a publish may take longer because of what it deletes and counts.
const TIDY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// A [`RunSession`] in PostgreSQL.
pub(crate) struct PostgresSession {
    pub(crate) database: Database,
    pub(crate) attempt: Attempt,
}

impl PostgresSession {
    /// Begins a transaction that writes, provided that the staging tables still belong to this attempt.
    async fn begin(&self, limit: Limit) -> Result<(Connection, Base), Error> {
        let connection = self.database.connection().await?;
        connection.batch_execute(&limit.begin_write()).await?;
        let base = staging::fence(&connection, &self.attempt).await?;
        Ok((connection, base))
    }

    /// Begins a transaction that reads, provided that the staging tables still belong to this attempt.
    async fn begin_read(&self) -> Result<(Connection, Base), Error> {
        let connection = self.database.connection().await?;
        connection.batch_execute(BEGIN_READ).await?;
        let base = staging::check(&connection, &self.attempt).await?;
        Ok((connection, base))
    }

    async fn try_commit(
        &self,
        batch: Option<&PreparedBatch<'_>>,
        status: &RunStatus,
    ) -> Result<(), Error> {
        let Some(batch) = batch else {
            let (connection, _) = self.begin(Limit::Short).await?;
            runs::update(&connection, status).await?;
            return connection.commit().await;
        };
        let connection = self.database.connection().await?;
        let ids = batch.ids();
        // Sent at once: a round trip less for each batch.
        let begin = async { Ok(connection.batch_execute(&Limit::Short.begin_write()).await?) };
        let fence = staging::fence(&connection, &self.attempt);
        let stored = StoredVersions::read(&connection, &ids);
        let ((), base, stored) = try_join!(begin, fence, stored)?;
        batch.stage(&connection, base, stored, status).await?;
        connection.release();
        Ok(())
    }

    /// Returns the final status, and the number of the snapshot if it is a new one.
    async fn try_publish(
        &self,
        top: &[ShowId],
        details: &Chosen,
        at: Timestamp,
        final_status: &FinalStatus,
    ) -> Result<(RunStatus, Option<i64>), Error> {
        let (connection, base) = match self.begin(Limit::Bulk).await {
            Err(Error::Store(StoreError::Fenced)) => return self.published().await,
            begun => begun?,
        };
        let difference = publish::compare(&connection, base, top, details).await?;
        let status = final_status(difference.counts);
        let number = (!difference.is_unchanged).then(|| base.next());
        if difference.is_unchanged {
            publish::publish_fetch_times(&connection, base).await?;
        } else {
            let run = self.attempt.run;
            publish::publish_changes(&connection, base, run, top, details, at).await?;
        }
        runs::upsert(&connection, &status, number).await?;
        connection.commit().await?;
        Ok((status, number))
    }

    /// Returns what this attempt has published, if it has: the answer to its commit may have been lost.
    async fn published(&self) -> Result<(RunStatus, Option<i64>), Error> {
        let connection = self.database.connection().await?;
        let stored = runs::find(&connection, self.attempt.run).await?;
        connection.release();
        let is_published = |status: &RunStatus| {
            status.state == RunState::Succeeded
                && status.attempt == self.attempt.number
                && status.instance == self.attempt.holder
        };
        let stored = stored.filter(|run| is_published(&run.status)).ok_or(StoreError::Fenced)?;
        Ok((stored.status, stored.snapshot))
    }

    /// Deletes what no copy needs any more, and updates the statistics of the tables if the run that ended with `status`
    /// has changed much. Best effort: the next publish does what is left, and the server does the rest by itself.
    async fn tidy(&self, status: &RunStatus) {
        let changed = status.changes.added + status.changes.changed;
        let tidy = async || -> Result<(), Error> {
            let connection = self.database.connection().await?;
            publish::forget_snapshots(&connection).await?;
            while publish::delete_old_versions(&connection).await? {}
            while details::delete_old_versions(&connection).await? {}
            if changed >= MIN_CHANGES_TO_ANALYZE {
                publish::update_statistics(&connection).await?;
            }
            connection.release();
            Ok(())
        };
        let _ = tokio::time::timeout(TIDY_TIMEOUT, tidy()).await;
    }
}

#[async_trait]
impl RunSession for PostgresSession {
    async fn staging(&self) -> Result<StagingState, StoreError> {
        let read = || async move {
            let (connection, base) = self.begin_read().await?;
            let state = staging::state(&connection, base).await?;
            connection.commit().await?;
            Ok(state)
        };
        self.database.run("staging", BULK_TIMEOUT, read).await
    }

    async fn discard_staging(&self) -> Result<(), StoreError> {
        let discard = || async move {
            let (connection, _) = self.begin(Limit::Bulk).await?;
            staging::discard(&connection).await?;
            connection.commit().await
        };
        self.database.run("discard_staging", BULK_TIMEOUT, discard).await
    }

    async fn record_stop(&self) -> Result<(), StoreError> {
        let record = || async move {
            let (connection, _) = self.begin(Limit::Short).await?;
            staging::reset_stalled(&connection).await?;
            connection.commit().await
        };
        self.database.run("record_stop", Limit::Short.timeout(), record).await
    }

    async fn start_incremental(&self) -> Result<(), StoreError> {
        let start = || async move {
            let (connection, _) = self.begin(Limit::Short).await?;
            connection.batch_execute("UPDATE _staged_run SET is_incremental = true").await?;
            connection.commit().await
        };
        self.database.run("start_incremental", Limit::Short.timeout(), start).await
    }

    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        let kind = match batch.as_deref() {
            None => "save_status",
            Some(StagedBatch::Pages { .. }) => "stage_pages",
            Some(StagedBatch::Shows { shows, .. }) if shows.is_empty() => "stage_details",
            Some(StagedBatch::Shows { .. }) => "stage_shows",
            Some(StagedBatch::Deletions(_)) => "stage_deletions",
        };
        let prepared = batch.as_deref().map(PreparedBatch::new);
        let commit = || self.try_commit(prepared.as_ref(), status);
        self.database.run(kind, Limit::Short.timeout(), commit).await
    }

    async fn staged_show_count(&self) -> Result<u32, StoreError> {
        let count = || async move {
            let (connection, base) = self.begin_read().await?;
            let count = publish::count_shows(&connection, base).await?;
            connection.commit().await?;
            Ok(count)
        };
        self.database.run("staged_show_count", BULK_TIMEOUT, count).await
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        let rank = || async move {
            let (connection, base) = self.begin_read().await?;
            let shows = staging::rank(&connection, base, criteria).await?;
            connection.commit().await?;
            Ok(shows)
        };
        self.database.run("rank_staged", BULK_TIMEOUT, rank).await
    }

    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError> {
        let find = || async {
            let (connection, base) = self.begin_read().await?;
            let shows = matching::matching_shows(&connection, base, &filter).await?;
            connection.commit().await?;
            Ok(shows)
        };
        self.database.run("matching_shows", BULK_TIMEOUT, find).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let started = Instant::now();
        let details = Chosen::new(top, detailed);
        let (status, number) = loop {
            let publish = || self.try_publish(top, &details, at, &final_status);
            match self.database.run("publish", BULK_TIMEOUT, publish).await {
                // It may have been committed, so it must not end as failed before the server was asked.
                Err(error) if error.is_transient() && started.elapsed() < PUBLISH_RETRY_TIME => {
                    sleep(PUBLISH_RETRY_DELAY).await;
                }
                published => break published?,
            }
        };
        let copied = async {
            if let Some(number) = number {
                replicas::wait_until_copied(&self.database, number).await;
            }
        };
        join!(copied, self.tidy(&status));
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use tvshows_core::conformance::fixtures::{
        WITH_LOCK, after, at, pages, running, show, success,
    };
    use tvshows_core::{RunEvent, RunLock, RunQueue, SnapshotSource};
    use tvshows_testkit::{PostgresServer, eventually};

    use super::*;
    use crate::PostgresStore;

    /// Starts an attempt.
    async fn session(url: &str, status: &RunStatus) -> PostgresSession {
        let database = Database::new(url).unwrap();
        let connection = database.connection().await.unwrap();
        connection.batch_execute(&Limit::Bulk.begin_write()).await.unwrap();
        let attempt = staging::begin(&connection, status, WITH_LOCK).await.unwrap();
        connection.commit().await.unwrap();
        PostgresSession { database, attempt }
    }

    #[tokio::test]
    async fn a_process_that_is_paused_in_a_transaction_is_overtaken() {
        let url = PostgresServer::shared().await.create_database().await;
        let store = PostgresStore::new(&url).unwrap();
        store.migrate().await.unwrap();
        let status = running();
        assert!(store.acquire(&status.instance, None).await.unwrap());
        let paused = session(&url, &status).await;
        let (connection, _) = paused.begin(Limit::Short).await.unwrap();

        let interrupted = after(&status, RunEvent::Interrupted("it is paused".into()));
        let resumed = after(&interrupted, RunEvent::Started);
        store.begin(&resumed, WITH_LOCK).await.unwrap();

        assert!(connection.commit().await.is_err());
        let late = paused.commit(None, &status).await;
        assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    }

    #[tokio::test]
    async fn a_run_that_begins_while_another_publishes_deletes_nothing_that_is_published() {
        let url = PostgresServer::shared().await.create_database().await;
        let store = PostgresStore::new(&url).unwrap();
        store.migrate().await.unwrap();
        let first = running();
        assert!(store.acquire(&first.instance, None).await.unwrap());
        let session = session(&url, &first).await;
        session.commit(pages(vec![(0, vec![show(1)])], at(2)), &first).await.unwrap();
        let (publishing, base) = session.begin(Limit::Bulk).await.unwrap();
        let (run, none) = (first.request_id, Chosen::new(&[], &[]));
        publish::publish_changes(&publishing, base, run, &[], &none, at(4)).await.unwrap();

        let second = running();
        let publish = async {
            let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity \
                         WHERE datname = current_database() AND wait_event_type = 'Lock')";
            eventually(async || {
                session.database.query("waits", waits, &[]).await.unwrap()[0].get::<_, bool>(0)
            })
            .await;
            publishing.commit().await.unwrap();
        };
        let (begun, ()) = tokio::join!(store.begin(&second, WITH_LOCK), publish);
        begun.unwrap();
        assert_eq!(store.manifest().await.unwrap().shows.len(), 1);
    }

    /// A publish that repeats its commit waits for the replicas, and those who ask for its run do as well.
    #[tokio::test]
    async fn a_snapshot_is_known_after_the_answer_to_its_publish_was_lost() {
        let url = PostgresServer::shared().await.create_database().await;
        let store = PostgresStore::new(&url).unwrap();
        store.migrate().await.unwrap();
        let status = running();
        assert!(store.acquire(&status.instance, None).await.unwrap());
        let session = session(&url, &status).await;
        session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.unwrap();
        let none = Chosen::new(&[], &[]);
        let publish =
            async || session.try_publish(&[], &none, at(4), &success(&status)).await.unwrap().1;
        assert_eq!(publish().await, Some(1));
        for (seconds, recent) in [(2, Some(1)), (6, None)] {
            let sql = "UPDATE _runs SET ended_at = clock_timestamp() - make_interval(secs => $1)";
            let seconds = f64::from(seconds);
            let age = [(&seconds as _, tokio_postgres::types::Type::FLOAT8)];
            session.database.execute("age", sql, &age).await.unwrap();
            assert_eq!(publish().await, Some(1));
            let connection = session.database.connection().await.unwrap();
            let stored = runs::find(&connection, status.request_id).await.unwrap().unwrap();
            assert_eq!(stored.recent_snapshot(), recent);
        }
    }
}
