//! A shared database and the replica that follows it, as one store.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tempfile::TempDir;
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Enqueued, Episode, EpisodeKey, FinalStatus, LockError,
    LockExpiry, MakeRowWriter, MultiCharacterActor, NextRun, Ownership, PublishedManifest, RunId,
    RunLock, RunQueue, RunSession, RunStatus, Schedule, ScheduleQuery, Show, ShowFilter, ShowId,
    ShowKey, ShowMap, ShowPage, ShowQuery, ShowStats, SnapshotSource, SnapshotVersion, StagedBatch,
    StagingState, StoreError, StoreHealth, Table, TopShow, TopShowsCriteria,
};
use tvshows_replica::ReplicaCatalog;
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::PgBouncer;

/// Runs are those of the source, and reads those of the replica, which catches up after each publish.
pub(crate) struct ReplicatedStore<S> {
    source: Arc<S>,
    catalog: Arc<ReplicaCatalog>,
    _folder: TempDir,
    _pooler: Option<PgBouncer>,
}

impl<S: SnapshotSource + 'static> ReplicatedStore<S> {
    pub(crate) async fn new(source: S) -> Box<ReplicatedStore<S>> {
        ReplicatedStore::behind(None, source).await
    }

    /// A source that is reached through `pooler`.
    pub(crate) async fn behind(pooler: Option<PgBouncer>, source: S) -> Box<ReplicatedStore<S>> {
        let folder = tempfile::tempdir().unwrap();
        let copy = SqliteStore::open_copy(&folder.path().join("copy.db")).await.unwrap();
        let source = Arc::new(source);
        let shared = Arc::<S>::clone(&source);
        let staleness = Duration::from_mins(10);
        let catalog = ReplicaCatalog::new(shared, Arc::new(copy), "here".into(), staleness).await;
        let catalog = Arc::new(catalog.unwrap());
        catalog.catch_up().await.unwrap();
        Box::new(ReplicatedStore { source, catalog, _folder: folder, _pooler: pooler })
    }
}

#[async_trait]
impl<S: Send + Sync> Catalog for ReplicatedStore<S> {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        self.catalog.snapshot_version().await
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        self.catalog.shows(query).await
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        self.catalog.show(key).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.catalog.top_shows(limit).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.catalog.multi_character_actors().await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        self.catalog.stats().await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        self.catalog.manifest().await
    }

    async fn last_changes(&self) -> Result<ShowMap<i64>, StoreError> {
        self.catalog.last_changes().await
    }

    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError> {
        self.catalog.export(table, filter, rows).await
    }

    async fn backup_to(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError> {
        self.catalog.backup_to(file).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.catalog.health().await
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.catalog.integrity_check().await
    }
}

#[async_trait]
impl<S: Send + Sync> DetailsCatalog for ReplicatedStore<S> {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        self.catalog.cast(show).await
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        self.catalog.episodes(show).await
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        self.catalog.find_episodes(key).await
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        self.catalog.schedule(query).await
    }
}

#[async_trait]
impl<S: RunQueue> RunQueue for ReplicatedStore<S> {
    async fn database_id(&self) -> Result<String, StoreError> {
        self.source.database_id().await
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        self.source.enqueue(status, except, max_waiting).await
    }

    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError> {
        self.source.next(except).await
    }

    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        self.source.list(limit).await
    }

    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        self.source.get(run).await
    }

    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.source.save_status(status).await
    }

    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.source.finish_unpublished(status).await
    }

    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError> {
        let session = self.source.begin(status, ownership).await?;
        Ok(Box::new(ReplicatedSession { session, catalog: Arc::clone(&self.catalog) }))
    }

    async fn close(&self) {
        self.catalog.close().await;
        self.source.close().await;
    }
}

#[async_trait]
impl<S: RunLock> RunLock for ReplicatedStore<S> {
    async fn acquire(&self, holder: &str, evict: Option<&str>) -> Result<bool, LockError> {
        self.source.acquire(holder, evict).await
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        self.source.renew(holder).await
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        self.source.holder().await
    }

    async fn release(&self, holder: &str) {
        self.source.release(holder).await;
    }

    fn expiry(&self) -> LockExpiry {
        self.source.expiry()
    }
}

struct ReplicatedSession {
    session: Box<dyn RunSession>,
    catalog: Arc<ReplicaCatalog>,
}

#[async_trait]
impl RunSession for ReplicatedSession {
    async fn staging(&self) -> Result<StagingState, StoreError> {
        self.session.staging().await
    }

    async fn discard_staging(&self) -> Result<(), StoreError> {
        self.session.discard_staging().await
    }

    async fn record_stop(&self) -> Result<(), StoreError> {
        self.session.record_stop().await
    }

    async fn start_incremental(&self) -> Result<(), StoreError> {
        self.session.start_incremental().await
    }

    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        self.session.commit(batch, status).await
    }

    async fn staged_show_count(&self) -> Result<u32, StoreError> {
        self.session.staged_show_count().await
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.session.rank_staged(criteria).await
    }

    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError> {
        self.session.matching_shows(filter).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let published = self.session.publish(top, detailed, at, final_status).await?;
        self.catalog.catch_up().await?;
        Ok(published)
    }
}
