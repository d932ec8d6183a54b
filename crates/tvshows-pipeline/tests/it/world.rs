//! All that a run needs, in one place.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tvmaze_client::{Client, ClientBuilder, RetryPolicy};
use tvmaze_sim::{Behaviour, Catalogue, Fault, Simulator};
use tvshows_core::{Mode, ProgressTracker, RunParameters, RunStatus, ShowStore};
use tvshows_pipeline::{DEFAULT_MAX_AGE, Pipeline, Runner};
use tvshows_progress::InProcessTracker;
use tvshows_store::SqliteStore;

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
    folder: TempDir,
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
        let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
        let store: Arc<dyn ShowStore> = Arc::new(store);
        let pipeline = Pipeline::new(client.build().unwrap(), Arc::clone(&store)).max_age(max_age);
        World { runner: Runner::start(pipeline, tracker, "test"), store, folder }
    }

    /// Does one run with default parameters.
    pub(crate) async fn update(&self) -> RunStatus {
        self.update_with(Mode::Auto).await
    }

    /// Does one run that fetches everything.
    pub(crate) async fn update_fully(&self) -> RunStatus {
        self.update_with(Mode::Full).await
    }

    async fn update_with(&self, mode: Mode) -> RunStatus {
        let parameters = RunParameters { mode, ..RunParameters::default() };
        let submission = self.runner.submit(parameters).unwrap();
        self.runner.end_of(submission.status.request_id).await.unwrap().unwrap()
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
