//! All that a run needs, in one place.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tvmaze_client::{Client, ClientBuilder, RetryPolicy};
use tvmaze_sim::{Behaviour, Catalogue, Fault, Simulator};
use tvshows_core::{FetchMode, ProgressTracker, RunId, RunParameters, RunStatus, ShowStore};
use tvshows_pipeline::{DEFAULT_MAX_AGE, Pipeline, Runner};
use tvshows_progress::InProcessTracker;
use tvshows_sqlite::SqliteStore;

/// Long for a simulator on the same machine, short for a test of what hangs.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Two quick retries.
fn client(base_url: &str) -> ClientBuilder {
    let retry = RetryPolicy {
        max_retries: 2,
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(2),
        ..RetryPolicy::default()
    };
    Client::builder().base_url(base_url).retry(retry).concurrency(4)
}

pub(crate) struct World {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<dyn ShowStore>,
    pipeline: Settings,
    folder: TempDir,
}

/// What a new process on the same database needs.
struct Settings {
    client: Client,
    tracker: Arc<dyn ProgressTracker>,
    max_age: Duration,
}

impl Settings {
    async fn start(&self, folder: &Path, instance: &str) -> (Runner, Arc<dyn ShowStore>) {
        let store = SqliteStore::open(&folder.join("tvshows.db")).await.unwrap();
        let store: Arc<dyn ShowStore> = Arc::new(store);
        let pipeline = Pipeline::new(self.client.clone(), Arc::clone(&store)).max_age(self.max_age);
        (Runner::start(pipeline, Arc::clone(&self.tracker), instance), store)
    }
}

impl World {
    pub(crate) async fn new(base_url: &str) -> World {
        World::with_tracker(base_url, Arc::new(InProcessTracker::default())).await
    }

    /// One that does not wait long for an answer.
    pub(crate) async fn impatient(base_url: &str) -> World {
        let client = client(base_url).request_timeout(TIMEOUT);
        World::with(client, Arc::new(InProcessTracker::default())).await
    }

    pub(crate) async fn with_tracker(base_url: &str, tracker: Arc<dyn ProgressTracker>) -> World {
        World::with(client(base_url), tracker).await
    }

    /// One to which index pages are due at another age.
    pub(crate) async fn aged(base_url: &str, max_age: Duration) -> World {
        World::aging(client(base_url), Arc::new(InProcessTracker::default()), max_age).await
    }

    async fn with(client: ClientBuilder, tracker: Arc<dyn ProgressTracker>) -> World {
        World::aging(client, tracker, DEFAULT_MAX_AGE).await
    }

    async fn aging(
        client: ClientBuilder,
        tracker: Arc<dyn ProgressTracker>,
        max_age: Duration,
    ) -> World {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = Settings { client: client.build().unwrap(), tracker, max_age };
        let (runner, store) = pipeline.start(folder.path(), "test").await;
        World { runner, store, pipeline, folder }
    }

    /// Stops the runner, so that a run under way is interrupted.
    pub(crate) async fn stop(&self) {
        self.runner.shutdown().await;
    }

    /// Starts another on the same database, as after a stop.
    pub(crate) async fn restart(&mut self) {
        (self.runner, self.store) = self.pipeline.start(self.folder.path(), "next").await;
    }

    /// Another process on the same database.
    pub(crate) async fn other(&self) -> Runner {
        self.pipeline.start(self.folder.path(), "other").await.0
    }

    pub(crate) async fn submit(&self, mode: FetchMode) -> RunId {
        let parameters = RunParameters { mode, ..RunParameters::default() };
        self.runner.submit(parameters).await.unwrap().status.request_id
    }

    pub(crate) async fn end_of(&self, run: RunId) -> RunStatus {
        self.runner.end_of(run).await.unwrap().unwrap()
    }

    /// Does one run with default parameters.
    pub(crate) async fn update(&self) -> RunStatus {
        self.update_with(FetchMode::Auto).await
    }

    /// Does one run that fetches everything.
    pub(crate) async fn update_fully(&self) -> RunStatus {
        self.update_with(FetchMode::Full).await
    }

    async fn update_with(&self, mode: FetchMode) -> RunStatus {
        let run = self.submit(mode).await;
        self.end_of(run).await
    }

    /// Changes the database as somebody with another program.
    pub(crate) fn sql(&self, statement: &str) {
        let path = self.folder.path().join("tvshows.db");
        rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap();
    }

    pub(crate) fn content(&self) -> String {
        crate::content::content(&self.folder.path().join("tvshows.db"))
    }

    pub(crate) fn tables(&self) -> String {
        crate::tables::dump(&self.folder.path().join("tvshows.db"))
    }
}

/// Ten pages of shows, some of them top shows.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::synthetic(2300, 1)
}

pub(crate) async fn simulator(faults: &[&str]) -> Simulator {
    let simulator = Simulator::start("127.0.0.1:0", catalogue(), behaviour(faults)).await;
    simulator.unwrap()
}

pub(crate) fn behaviour(faults: &[&str]) -> Behaviour {
    let faults = faults.iter().map(|fault| fault.parse::<Fault>().unwrap()).collect();
    Behaviour { faults, ..Behaviour::default() }
}
