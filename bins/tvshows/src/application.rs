use std::sync::Arc;

use anyhow::Context;
use tvshows_core::{ProgressTracker, ShowStore};
use tvshows_pipeline::{Pipeline, Runner};
use tvshows_progress::{InProcessTracker, RedisTracker};
use tvshows_store::SqliteStore;
use uuid::Uuid;

use crate::cli::Settings;
use crate::upstream::Upstream;

/// Everything that works together in this process, wired.
pub(crate) struct Application {
    pub(crate) runner: Runner,
    pub(crate) store: Arc<SqliteStore>,
    _upstream: Upstream,
}

impl Application {
    /// Opens the database, reaches for nothing else yet, and starts the runner.
    pub(crate) async fn build(settings: &Settings) -> anyhow::Result<Application> {
        let path = &settings.database_path;
        let store = SqliteStore::open(path).await.with_context(|| path.display().to_string())?;
        let store = Arc::new(store);
        let upstream = Upstream::at(&settings.tvmaze_base_url).await?;
        let ports: Arc<dyn ShowStore> = Arc::<SqliteStore>::clone(&store);
        let pipeline = Pipeline::new(upstream.client.clone(), ports);
        let instance = format!("tvshows-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let runner = Runner::start(pipeline, tracker(settings)?, &instance);
        runner.settle_unfinished().await.with_context(|| path.display().to_string())?;
        Ok(Application { runner, store, _upstream: upstream })
    }

    /// Stops the run under way, joins every task and leaves the database as one whole file.
    pub(crate) async fn shutdown(&self) {
        self.runner.shutdown().await;
        self.store.close().await;
    }
}

fn tracker(settings: &Settings) -> anyhow::Result<Arc<dyn ProgressTracker>> {
    match settings.redis_url.as_deref() {
        None | Some("") => Ok(Arc::new(InProcessTracker::default())),
        Some(url) => {
            let tracker =
                RedisTracker::new(url).context("REDIS_URL must be redis://host[:port][/db]")?;
            Ok(Arc::new(tracker))
        }
    }
}
