use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tvshows_core::{ProgressTracker, ShowStore};
use tvshows_pipeline::{Pipeline, Runner, give_up_interrupted};
use tvshows_progress::{InProcessTracker, RedisTracker};
use tvshows_sqlite::SqliteStore;
use uuid::Uuid;

use crate::cli::Settings;
use crate::config_error::ConfigError;
use crate::database;
use crate::upstream::Upstream;

/// Less than the ten seconds after which container runtimes kill a process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(9);

/// What happens to a run that an earlier process left unfinished.
pub(crate) enum Interrupted {
    Resume,
    Cancel,
}

/// What runs updates: the database, the progress tracker, the TVmaze client, and the runner that connects them.
pub(crate) struct Engine {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<SqliteStore>,
    _upstream: Upstream,
}

impl Engine {
    /// Opens the database and starts the runner.
    pub(crate) async fn start(
        settings: &Settings,
        interrupted: Interrupted,
    ) -> anyhow::Result<Engine> {
        let store = Arc::new(database::open(&settings.database_path).await?);
        let tracker = tracker(settings)?;
        if let Interrupted::Cancel = interrupted {
            give_up_interrupted(store.as_ref(), tracker.as_ref()).await?;
        }
        let upstream = Upstream::connect(&settings.upstream.tvmaze_base_url).await?;
        let port: Arc<dyn ShowStore> = Arc::<SqliteStore>::clone(&store);
        let pipeline = Pipeline::new(upstream.client.clone(), port).max_age(settings.max_age);
        let instance = format!("tvshows-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let runner = Runner::start(pipeline, tracker, &instance);
        Ok(Engine { runner, store, _upstream: upstream })
    }

    /// Interrupts the current run, joins every task and checkpoints the database into a single file, while `server`
    /// stops concurrently. Gives up after [`SHUTDOWN_TIMEOUT`]; the database is consistent either way.
    pub(crate) async fn shutdown(&self, server: impl Future<Output = ()>) {
        let stopping = async {
            tokio::join!(self.runner.shutdown(), server);
            self.store.close().await;
        };
        if timeout(SHUTDOWN_TIMEOUT, stopping).await.is_err() {
            tracing::warn!("the database is still busy; uncommitted changes will be rolled back");
        }
    }
}

fn tracker(settings: &Settings) -> anyhow::Result<Arc<dyn ProgressTracker>> {
    match settings.redis_url.as_ref().map(SecretString::expose_secret) {
        None | Some("") => Ok(Arc::new(InProcessTracker::default())),
        Some(url) => {
            let format = "must be redis://[user:password@]host[:port][/db], or rediss:// for TLS";
            let invalid = |_| ConfigError { setting: "REDIS_URL", problem: format.into() };
            Ok(Arc::new(RedisTracker::new(url).map_err(invalid)?))
        }
    }
}
