//! A runner with its store and its tracker, in the process of the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tvmaze_client::{Client, ClientBuilder, RetryPolicy};
use tvshows_core::{FetchMode, ProgressTracker, RunId, RunParameters, RunStatus, ShowStore};
use tvshows_pipeline::{DEFAULT_MAX_AGE, Pipeline, Runner};
use tvshows_progress::InProcessTracker;
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::{dump_content, dump_tables};

/// Ample for a simulator on the same machine, and short for tests of requests that hang.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// A client that retries twice, almost at once.
fn client(base_url: &str) -> ClientBuilder {
    let retry = RetryPolicy {
        max_retries: 2,
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(2),
        ..RetryPolicy::default()
    };
    Client::builder().base_url(base_url).retry(retry).concurrency(4)
}

/// A database in a temporary folder, and a runner on it.
pub(crate) struct TestEnv {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<dyn ShowStore>,
    settings: Settings,
    folder: TempDir,
}

/// What another process on the same database would need.
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

impl TestEnv {
    pub(crate) async fn new(base_url: &str) -> TestEnv {
        TestEnv::with_tracker(base_url, Arc::new(InProcessTracker::default())).await
    }

    /// A client with a short request timeout.
    pub(crate) async fn with_short_timeout(base_url: &str) -> TestEnv {
        let client = client(base_url).request_timeout(REQUEST_TIMEOUT);
        TestEnv::with_client(client, Arc::new(InProcessTracker::default())).await
    }

    pub(crate) async fn with_tracker(base_url: &str, tracker: Arc<dyn ProgressTracker>) -> TestEnv {
        TestEnv::with_client(client(base_url), tracker).await
    }

    /// Another maximum age of index pages.
    pub(crate) async fn with_max_age(base_url: &str, max_age: Duration) -> TestEnv {
        TestEnv::open(client(base_url), Arc::new(InProcessTracker::default()), max_age).await
    }

    async fn with_client(client: ClientBuilder, tracker: Arc<dyn ProgressTracker>) -> TestEnv {
        TestEnv::open(client, tracker, DEFAULT_MAX_AGE).await
    }

    async fn open(
        client: ClientBuilder,
        tracker: Arc<dyn ProgressTracker>,
        max_age: Duration,
    ) -> TestEnv {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { client: client.build().unwrap(), tracker, max_age };
        let (runner, store) = settings.start(folder.path(), "test").await;
        TestEnv { runner, store, settings, folder }
    }

    /// Stops the runner, which interrupts a run in progress.
    pub(crate) async fn stop(&self) {
        self.runner.shutdown().await;
    }

    /// Starts another runner on the same database, like a restarted process.
    pub(crate) async fn restart(&mut self) {
        (self.runner, self.store) = self.settings.start(self.folder.path(), "next").await;
    }

    /// Another runner on the same database.
    pub(crate) async fn other(&self) -> Runner {
        self.settings.start(self.folder.path(), "other").await.0
    }

    pub(crate) async fn submit(&self, mode: FetchMode) -> RunId {
        let parameters = RunParameters { mode, ..RunParameters::default() };
        self.runner.submit(parameters).await.unwrap().status.request_id
    }

    pub(crate) async fn end_of(&self, run: RunId) -> RunStatus {
        self.runner.end_of(run).await.unwrap().unwrap()
    }

    /// Performs a run with default parameters.
    pub(crate) async fn update(&self) -> RunStatus {
        self.update_with(FetchMode::Auto).await
    }

    /// Performs a full run.
    pub(crate) async fn update_fully(&self) -> RunStatus {
        self.update_with(FetchMode::Full).await
    }

    async fn update_with(&self, mode: FetchMode) -> RunStatus {
        let run = self.submit(mode).await;
        self.end_of(run).await
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("tvshows.db")
    }

    /// Changes the database as another program would.
    pub(crate) fn sql(&self, statement: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(statement).unwrap();
    }

    pub(crate) fn content(&self) -> String {
        dump_content(&self.database())
    }

    pub(crate) fn tables(&self) -> String {
        dump_tables(&self.database())
    }
}
