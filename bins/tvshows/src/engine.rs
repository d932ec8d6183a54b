use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use tvshows_core::{Catalog, ProgressTracker, RunLock};
use tvshows_pipeline::{Pipeline, Runner, RunnerConfig, RunnerRole, cancel_interrupted};
use tvshows_progress::{InProcessTracker, RedisTracker};

use crate::cli::Settings;
use crate::config_error::ConfigError;
use crate::database::Stores;
use crate::upstream::Upstream;
use crate::webhook::Webhook;

/// Less than the ten seconds after which container runtimes kill a process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(9);
/// The part of it in which the webhook gets the ends that it has not accepted yet.
const WEBHOOK_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// How a process works on runs.
pub(crate) struct EngineOptions {
    pub(crate) role: RunnerRole,
    pub(crate) interrupted: Interrupted,
    /// Of how many shows a run may fetch the episodes and casts; `None` for any number.
    pub(crate) max_details: Option<u32>,
}

/// What happens to a run that an earlier process left unfinished.
pub(crate) enum Interrupted {
    Resume,
    Cancel,
}

/// Everything that runs updates: the database, the progress tracker, the TVmaze client, and the runner that connects
/// them.
pub(crate) struct Engine {
    pub(crate) runner: Runner,
    pub(crate) stores: Stores,
    pub(crate) webhook: Webhook,
    /// The host and port of Redis.
    pub(crate) redis: Option<String>,
    _upstream: Upstream,
}

impl Engine {
    /// Starts the runner.
    pub(crate) async fn start(
        settings: &Settings,
        stores: Stores,
        options: EngineOptions,
    ) -> anyhow::Result<Engine> {
        let EngineOptions { role, interrupted, max_details } = options;
        let webhook = Webhook::new(&settings.webhook)?;
        let Progress { tracker, lease, redis } = progress(settings, &stores).await?;
        let reporter = webhook.clone();
        let config = RunnerConfig {
            queue: stores.queue.clone(),
            lock: stores.lock.clone(),
            lease,
            tracker,
            instance: stores.instance.clone(),
            on_end: Arc::new(move |status| reporter.deliver(status)),
            role,
        };
        if let Interrupted::Cancel = interrupted {
            cancel_interrupted(&config).await?;
        }
        let upstream = Upstream::connect(&settings.upstream.tvmaze_base_url).await?;
        let pipeline = pipeline(settings, &upstream, stores.catalog.clone(), max_details);
        let runner = Runner::start(pipeline, config);
        Ok(Engine { runner, stores, webhook, redis, _upstream: upstream })
    }

    /// Interrupts the current run, joins every task and checkpoints the database into a single file, while `server`
    /// stops concurrently; then the webhook gets what it has not accepted yet. Gives up after [`SHUTDOWN_TIMEOUT`]; the database is consistent either way.
    pub(crate) async fn shutdown(&self, server: impl Future<Output = ()>) {
        let stopping = async {
            tokio::join!(self.runner.shutdown(), server);
            self.stores.close().await;
        };
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        if timeout_at(deadline, stopping).await.is_err() {
            tracing::warn!("the database is still busy; uncommitted changes will be rolled back");
        }
        let left = deadline.saturating_duration_since(Instant::now());
        self.webhook.shutdown(left.min(WEBHOOK_SHUTDOWN_TIMEOUT)).await;
    }
}

pub(crate) fn pipeline(
    settings: &Settings,
    upstream: &Upstream,
    catalog: Arc<dyn Catalog>,
    max_details: Option<u32>,
) -> Pipeline {
    Pipeline::new(upstream.client.clone(), catalog)
        .max_age(settings.max_age)
        .details(settings.details.clone())
        .max_details(max_details)
}

/// Where progress is published.
struct Progress {
    tracker: Arc<dyn ProgressTracker>,
    /// A lease if several machines can share the tracker, and the lock of the database ends with its process.
    lease: Option<Arc<dyn RunLock>>,
    redis: Option<String>,
}

async fn progress(settings: &Settings, stores: &Stores) -> anyhow::Result<Progress> {
    match settings.redis_url.as_ref().map(SecretString::expose_secret) {
        None | Some("") => Ok(Progress {
            tracker: Arc::new(InProcessTracker::default()),
            lease: None,
            redis: None,
        }),
        Some(url) => {
            let format = "must be redis://[user:password@]host[:port][/db], or rediss:// for TLS";
            let invalid = |_| ConfigError { setting: "redis_url", problem: format.into() };
            let redis = RedisTracker::new(url).map_err(invalid)?;
            let lease = if stores.replica.is_none() {
                Some(Arc::new(redis.run_lock(&stores.queue.database_id().await?)) as _)
            } else {
                None
            };
            let address = redis.address().to_owned();
            Ok(Progress { tracker: Arc::new(redis), lease, redis: Some(address) })
        }
    }
}
