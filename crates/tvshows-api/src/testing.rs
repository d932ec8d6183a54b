//! A catalog that tests can watch and break, and the state of a service with it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::task::yield_now;
use tvshows_core::conformance::fixtures::{publish_at, show};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Episode, EpisodeKey, MakeRowWriter, MultiCharacterActor,
    PublishedManifest, ReplicaHealth, Schedule, ScheduleQuery, Show, ShowFilter, ShowId, ShowKey,
    ShowPage, ShowQuery, ShowStats, SnapshotVersion, StoreError, StoreHealth, Table, TopShow,
};
use tvshows_pipeline::{Pipeline, RunLog, Runner, RunnerConfig, RunnerRole};
use tvshows_progress::InProcessTracker;

use crate::cache::response_cache::ResponseCache;
use crate::state::AppState;

#[derive(Default)]
pub(crate) struct TestCatalog {
    store: MemoryStore,
    /// How often data was read.
    reads: AtomicUsize,
    /// Whether reading data fails.
    pub(crate) is_failing: AtomicBool,
    pub(crate) replica: Mutex<Option<ReplicaHealth>>,
}

impl TestCatalog {
    pub(crate) fn of_store(store: MemoryStore) -> TestCatalog {
        TestCatalog { store, ..TestCatalog::default() }
    }

    /// Publishes this many shows.
    pub(crate) async fn publish(&self, shows: u32) {
        publish_at(&self.store, (1..=shows).map(show).collect(), shows.into()).await;
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Relaxed)
    }

    async fn read(&self) -> Result<(), StoreError> {
        self.reads.fetch_add(1, Relaxed);
        yield_now().await;
        if self.is_failing.load(Relaxed) { Err(StoreError::DatabaseBusy) } else { Ok(()) }
    }
}

#[async_trait]
impl Catalog for TestCatalog {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        self.store.snapshot_version().await
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        self.read().await?;
        self.store.shows(query).await
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        self.read().await?;
        self.store.show(key).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.read().await?;
        self.store.top_shows(limit).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.read().await?;
        self.store.multi_character_actors().await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        self.read().await?;
        self.store.stats().await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        self.store.manifest().await
    }

    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError> {
        self.store.export(table, filter, rows).await
    }

    async fn backup_to(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError> {
        self.store.backup_to(file).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        let replica = *self.replica.lock().unwrap();
        Ok(StoreHealth { replica, ..self.store.health().await? })
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.store.integrity_check().await
    }
}

#[async_trait]
impl DetailsCatalog for TestCatalog {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        self.read().await?;
        self.store.cast(show).await
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        self.read().await?;
        self.store.episodes(show).await
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        self.read().await?;
        self.store.find_episodes(key).await
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        self.read().await?;
        self.store.schedule(query).await
    }
}

/// The state of a service whose runs are in memory.
pub(crate) fn app_state(catalog: Arc<dyn Catalog>) -> AppState {
    let store = Arc::new(MemoryStore::default());
    let client = tvmaze_client::Client::builder().build().unwrap();
    let runner = Runner::start(
        Pipeline::new(client, store.clone()),
        RunnerConfig {
            queue: store.clone(),
            lock: store,
            lease: None,
            tracker: Arc::new(InProcessTracker::default()),
            instance: "here".into(),
            on_end: Arc::new(|_| {}),
            role: RunnerRole::Worker,
        },
    );
    AppState {
        runner,
        run_log: RunLog::default(),
        responses: ResponseCache::new(catalog.clone()),
        catalog,
        cdn_max_age: None,
        cache_folder: std::env::temp_dir(),
    }
}
