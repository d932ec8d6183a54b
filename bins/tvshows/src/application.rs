use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tvshows_core::{ProgressTracker, ShowStore};
use tvshows_pipeline::{Pipeline, Runner, give_up_interrupted};
use tvshows_progress::{InProcessTracker, RedisTracker};
use tvshows_sqlite::SqliteStore;
use uuid::Uuid;

use crate::cli::{Database, Settings};
use crate::config::WrongSetting;
use crate::upstream::Upstream;

/// Less than the ten seconds after which containers are killed.
const STOP: Duration = Duration::from_secs(9);

/// Everything that works together in this process, wired.
pub(crate) struct Application {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<SqliteStore>,
    _upstream: Upstream,
}

impl Application {
    /// Opens the database and starts the runner, which goes on with a run that was interrupted.
    pub(crate) async fn build(settings: &Settings) -> anyhow::Result<Application> {
        let (store, tracker) = (open(settings).await?, tracker(settings)?);
        Application::wire(settings, store, tracker).await
    }

    /// The same, but a run that was interrupted is given up.
    pub(crate) async fn build_anew(settings: &Settings) -> anyhow::Result<Application> {
        let (store, tracker) = (open(settings).await?, tracker(settings)?);
        give_up_interrupted(store.as_ref(), tracker.as_ref()).await?;
        Application::wire(settings, store, tracker).await
    }

    async fn wire(
        settings: &Settings,
        store: Arc<SqliteStore>,
        tracker: Arc<dyn ProgressTracker>,
    ) -> anyhow::Result<Application> {
        let upstream = Upstream::at(&settings.upstream.tvmaze_base_url).await?;
        let ports: Arc<dyn ShowStore> = Arc::<SqliteStore>::clone(&store);
        let pipeline = Pipeline::new(upstream.client.clone(), ports).max_age(settings.max_age);
        let instance = format!("tvshows-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let runner = Runner::start(pipeline, tracker, &instance);
        Ok(Application { runner, store, _upstream: upstream })
    }

    /// Stops the run under way, joins every task and leaves the database as one whole file, while
    /// `also` stops what else there is. Gives up after [`STOP`]: the database is safe either way.
    pub(crate) async fn shutdown(&self, also: impl Future<Output = ()>) {
        let stopping = async {
            tokio::join!(self.runner.shutdown(), also);
            self.store.close().await;
        };
        if timeout(STOP, stopping).await.is_err() {
            tracing::warn!("the database is still busy; what is not committed is rolled back");
        }
    }
}

async fn open(settings: &Settings) -> anyhow::Result<Arc<SqliteStore>> {
    let path = &settings.database_path;
    let store = SqliteStore::open(path).await.with_context(|| path.display().to_string())?;
    Ok(Arc::new(store))
}

/// The database of a command that reads, which makes none.
pub(crate) async fn open_existing(database: &Database) -> anyhow::Result<SqliteStore> {
    let path = &database.database_path;
    // An empty file is what somebody made a name with.
    if path.metadata().map_or(true, |file| file.len() == 0) {
        bail!("there is no database at {}; `tvshows update` makes one", path.display());
    }
    SqliteStore::open(path).await.with_context(|| path.display().to_string())
}

fn tracker(settings: &Settings) -> anyhow::Result<Arc<dyn ProgressTracker>> {
    match settings.redis_url.as_ref().map(SecretString::expose_secret) {
        None | Some("") => Ok(Arc::new(InProcessTracker::default())),
        Some(url) => {
            let form = "must be redis://[user:password@]host[:port][/db], or rediss:// for TLS";
            let wrong = |_| WrongSetting { setting: "REDIS_URL", problem: form.into() };
            Ok(Arc::new(RedisTracker::new(url).map_err(wrong)?))
        }
    }
}
