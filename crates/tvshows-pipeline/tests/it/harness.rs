//! A runner with its store and its tracker, in the process of the test.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;
use tvmaze_client::{Client, ClientBuilder, RetryPolicy};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    CastRow, Catalog, DetailsFilter, FetchMode, Ownership, ProgressTracker, RunEvent, RunId,
    RunLock, RunParameters, RunQueue, RunState, RunStatus, StagingState, Trigger,
};
use tvshows_pipeline::{DEFAULT_MAX_AGE, Pipeline, Runner, RunnerConfig, RunnerRole};
use tvshows_progress::InProcessTracker;
use tvshows_sqlite::SqliteStore;

use crate::faulty_store::FaultyStore;

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

/// Every storage port of one backend.
pub(crate) trait Store: Catalog + RunQueue + RunLock {}

impl<T: Catalog + RunQueue + RunLock> Store for T {}

/// A database, and a runner on it.
pub(crate) struct TestEnv {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<dyn Store>,
    settings: Settings,
}

/// What another process on the same database would need.
struct Settings {
    client: Client,
    database: Database,
    tracker: Arc<dyn ProgressTracker>,
    lease: Option<Arc<dyn RunLock>>,
    max_age: Duration,
    details: DetailsFilter,
    max_details: Option<u32>,
    /// The states that runs were reported to have ended in.
    ends: Arc<Mutex<Vec<RunState>>>,
}

enum Database {
    Memory(MemoryStore),
    Faulty(FaultyStore),
    /// `tvshows.db` in a temporary folder.
    File(TempDir),
}

impl Database {
    async fn open(&self) -> Arc<dyn Store> {
        match self {
            Database::Memory(store) => Arc::new(store.clone()),
            Database::Faulty(store) => Arc::new(store.clone()),
            Database::File(folder) => open_in(folder).await,
        }
    }
}

async fn open_in(folder: &TempDir) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap())
}

impl Settings {
    fn new(client: ClientBuilder) -> Settings {
        Settings {
            client: client.build().unwrap(),
            database: Database::Memory(MemoryStore::default()),
            tracker: Arc::new(InProcessTracker::default()),
            lease: None,
            max_age: DEFAULT_MAX_AGE,
            details: DetailsFilter::Top,
            max_details: None,
            ends: Arc::default(),
        }
    }

    async fn start(&self, instance: &str) -> (Runner, Arc<dyn Store>) {
        self.start_as(RunnerRole::Worker, Arc::clone(&self.tracker), instance).await
    }

    async fn start_as(
        &self,
        role: RunnerRole,
        tracker: Arc<dyn ProgressTracker>,
        instance: &str,
    ) -> (Runner, Arc<dyn Store>) {
        let store = self.database.open().await;
        let catalog: Arc<dyn Catalog> = store.clone();
        let ends = Arc::clone(&self.ends);
        let config = RunnerConfig {
            queue: store.clone(),
            lock: store.clone(),
            lease: self.lease.clone(),
            tracker,
            instance: instance.to_owned(),
            on_end: Arc::new(move |status| ends.lock().unwrap().push(status.state)),
            role,
        };
        let pipeline = Pipeline::new(self.client.clone(), catalog)
            .max_age(self.max_age)
            .details(self.details.clone())
            .max_details(self.max_details);
        (Runner::start(pipeline, config), store)
    }
}

impl TestEnv {
    /// An environment with a database in memory.
    pub(crate) async fn new(base_url: &str) -> TestEnv {
        TestEnv::start(Settings::new(client(base_url))).await
    }

    /// A database in a file.
    pub(crate) async fn on_disk(base_url: &str) -> TestEnv {
        let database = Database::File(tempfile::tempdir().unwrap());
        TestEnv::start(Settings { database, ..Settings::new(client(base_url)) }).await
    }

    /// A client with a short request timeout.
    pub(crate) async fn with_short_timeout(base_url: &str) -> TestEnv {
        let client = client(base_url).request_timeout(REQUEST_TIMEOUT);
        TestEnv::start(Settings::new(client)).await
    }

    /// A store with outages. No request times out during one, because its time is virtual.
    pub(crate) async fn with_outages(base_url: &str, store: &FaultyStore) -> TestEnv {
        let hour = Duration::from_hours(1);
        let client =
            client(base_url).connect_timeout(hour).request_timeout(hour).call_timeout(hour);
        let database = Database::Faulty(store.clone());
        TestEnv::start(Settings { database, ..Settings::new(client) }).await
    }

    /// What several machines share: a tracker and a lease.
    pub(crate) async fn with_shared(
        base_url: &str,
        tracker: Arc<dyn ProgressTracker>,
        lease: Arc<dyn RunLock>,
    ) -> TestEnv {
        let settings = Settings::new(client(base_url));
        TestEnv::start(Settings { tracker, lease: Some(lease), ..settings }).await
    }

    /// Another maximum age of index pages.
    pub(crate) async fn with_max_age(base_url: &str, max_age: Duration) -> TestEnv {
        TestEnv::start(Settings { max_age, ..Settings::new(client(base_url)) }).await
    }

    /// An environment with a database in memory that fetches the details of the shows that match `filter`, of at most
    /// `max` shows.
    pub(crate) async fn with_details(base_url: &str, filter: &str, max: Option<u32>) -> TestEnv {
        let settings = Settings::new(client(base_url));
        let details = filter.parse().unwrap();
        TestEnv::start(Settings { details, max_details: max, ..settings }).await
    }

    /// The same with a database in a file.
    pub(crate) async fn with_details_on_disk(base_url: &str, filter: &str) -> TestEnv {
        let database = Database::File(tempfile::tempdir().unwrap());
        let details = filter.parse().unwrap();
        TestEnv::start(Settings { database, details, ..Settings::new(client(base_url)) }).await
    }

    /// The same database with other settings, like a restarted process.
    pub(crate) async fn change_details(&mut self, filter: &str, max_age: Duration) {
        self.stop().await;
        self.settings.details = filter.parse().unwrap();
        self.settings.max_age = max_age;
        self.restart().await;
    }

    /// Sets the limit of details for later processes.
    pub(crate) fn limit_details(&mut self, max: Option<u32>) {
        self.settings.max_details = max;
    }

    async fn start(settings: Settings) -> TestEnv {
        let (runner, store) = settings.start("test").await;
        TestEnv { runner, store, settings }
    }

    /// The states of the runs that were reported as ended.
    pub(crate) fn ends(&self) -> Vec<RunState> {
        self.settings.ends.lock().unwrap().clone()
    }

    /// Stops the runner, which interrupts a run in progress.
    pub(crate) async fn stop(&self) {
        self.runner.shutdown().await;
    }

    /// Starts another runner on the same database, like a restarted process.
    pub(crate) async fn restart(&mut self) {
        (self.runner, self.store) = self.settings.start("next").await;
    }

    /// Another runner on the same database.
    pub(crate) async fn other(&self) -> Runner {
        self.settings.start("other").await.0
    }

    /// A runner on the same database that works on nothing and has another tracker.
    pub(crate) async fn reader(&self) -> Runner {
        let tracker = Arc::new(InProcessTracker::default());
        self.settings.start_as(RunnerRole::Reader, tracker, "reader").await.0
    }

    pub(crate) async fn submit(&self, mode: FetchMode) -> RunId {
        let parameters = RunParameters { mode, ..RunParameters::default() };
        self.runner.submit(parameters, Trigger::Http).await.unwrap().status.request_id
    }

    pub(crate) async fn end_of(&self, run: RunId) -> RunStatus {
        self.runner.wait_until_ended(run).await.unwrap().unwrap()
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

    /// What the next attempt at an interrupted run would find staged, read from a copy of the file.
    pub(crate) async fn staging(&self, run: RunId) -> StagingState {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let store = open_in(&copy).await;
        let mut status = store.get(run).await.unwrap().unwrap();
        let now = status.updated_at;
        status.apply(RunEvent::Started, now);
        let session = store.begin(&status, Ownership::default()).await.unwrap();
        session.staging().await.unwrap()
    }

    /// Opens the file as another program would.
    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.folder().join("tvshows.db")).unwrap()
    }

    fn folder(&self) -> &Path {
        match &self.settings.database {
            Database::File(folder) => folder.path(),
            _ => panic!("the database is not in a file"),
        }
    }

    /// What is published, one row per line, without when it was fetched.
    pub(crate) async fn content(&self) -> String {
        self.dump(false).await
    }

    /// What is published, one row per line.
    pub(crate) async fn tables(&self) -> String {
        self.dump(true).await
    }

    async fn dump(&self, with_times: bool) -> String {
        let catalog = &self.store;
        assert_eq!(catalog.integrity_check().await.unwrap(), [""; 0]);
        let mut rows = Vec::new();
        for (id, version) in catalog.manifest().await.unwrap().shows {
            let show = catalog.show(id.into()).await.unwrap().unwrap();
            rows.push((serde_json::to_string(&show).unwrap(), version.fetched_at().to_string()));
            for episode in catalog.episodes(id).await.unwrap().unwrap_or_default() {
                rows.push((serde_json::to_string(&episode).unwrap(), String::new()));
            }
        }
        for top in catalog.top_shows(1000).await.unwrap() {
            rows.push((serde_json::to_string(&top).unwrap(), String::new()));
            for member in catalog.cast(top.id).await.unwrap().unwrap_or_default() {
                let time = member.processed_at;
                let untimed = CastRow { processed_at: Timestamp::UNIX_EPOCH, ..member };
                rows.push((serde_json::to_string(&untimed).unwrap(), time.to_string()));
            }
        }
        let line = |(row, time): (String, String)| {
            if with_times { format!("{row} {time}\n") } else { format!("{row}\n") }
        };
        rows.into_iter().map(line).collect()
    }
}
