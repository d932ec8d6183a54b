use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{
    AsyncCommands, FromRedisValue, IntoConnectionInfo, RedisError, Script, ScriptInvocation, cmd,
};
use deadpool_redis::{Config, Connection, Pool, PoolError, Runtime};
use metrics::{counter, histogram};
use tokio::time::{Instant, timeout};
use tvshows_core::{ProgressTracker, RunId, RunStatus, TrackerError};

use crate::hash_fields;
use crate::redis_lease::RedisLease;

/// How long the status of a run that no process works on stays in Redis.
pub const ENDED_RUN_TTL: Duration = Duration::from_hours(7 * 24);
/// How long the status of a live run stays without a change, in case its process died.
pub const LIVE_RUN_TTL: Duration = Duration::from_hours(24);
/// The time limit for an operation, including connecting. Progress that arrives later would be useless.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// A tracker in Redis, shared by all processes that use the server. It connects on first use, and reconnects
/// after Redis was unavailable.
pub struct RedisTracker {
    client: RedisClient,
    publish_status: Script,
}

impl RedisTracker {
    /// Uses the Redis server at `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with
    /// a certificate that the system trusts.
    ///
    /// # Errors
    ///
    /// The URL is invalid. The error does not contain it, since it may hold a password.
    pub fn new(url: &str) -> Result<RedisTracker, TrackerError> {
        // Explicit, because rustls panics if its features allow several. It may have been installed already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let invalid = |source| TrackerError::Unavailable { backend: "Redis".into(), source };
        let info = url.into_connection_info().map_err(|error| invalid(error.into()))?;
        let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1));
        let pool = pool.map_err(|error| invalid(error.into()))?;
        let client = RedisClient { pool, address: info.addr().to_string().into() };
        let publish_status = Script::new(include_str!("publish_status.lua"));
        Ok(RedisTracker { client, publish_status })
    }

    /// Returns the host and the port of the server.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.client.address
    }

    /// Returns the lock on the runs of a database, for all processes that use the same server.
    #[must_use]
    pub fn run_lock(&self, database_id: &str) -> RedisLease {
        RedisLease::new(self.client.clone(), database_id)
    }
}

#[async_trait]
impl ProgressTracker for RedisTracker {
    async fn publish_status(&self, status: &RunStatus) -> Result<bool, TrackerError> {
        let ttl = if status.state.is_active() { LIVE_RUN_TTL } else { ENDED_RUN_TTL };
        let mut script = self.publish_status.key(key(status.request_id));
        script.arg(status.attempt).arg(status.revision).arg(ttl.as_secs());
        for (field, value) in hash_fields::encode(status)? {
            script.arg(field).arg(value);
        }
        self.client.invoke("publish_status", &script).await
    }

    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError> {
        let stored = self
            .client
            .run("status", |mut connection| async move { connection.hgetall(key(run)).await });
        hash_fields::decode(run, stored.await?)
    }

    async fn health(&self) -> Result<(), TrackerError> {
        self.client
            .run("health", |mut connection| async move {
                // A Redis server that is out of memory replies to PING and rejects every write.
                cmd("SET")
                    .arg("pipeline:check")
                    .arg(1)
                    .arg("EX")
                    .arg(60)
                    .query_async::<()>(&mut connection)
                    .await
            })
            .await
    }
}

/// The connections to a Redis server.
#[derive(Clone)]
pub(crate) struct RedisClient {
    pool: Pool,
    address: Arc<str>,
}

impl RedisClient {
    pub(crate) async fn invoke<T: FromRedisValue>(
        &self,
        operation: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, TrackerError> {
        self.run(
            operation,
            |mut connection| async move { script.invoke_async(&mut connection).await },
        )
        .await
    }

    /// Runs an operation within [`OPERATION_TIMEOUT`] and records its metrics.
    pub(crate) async fn run<T, F>(
        &self,
        operation: &'static str,
        work: impl FnOnce(Connection) -> F,
    ) -> Result<T, TrackerError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let started = Instant::now();
        let result = timeout(OPERATION_TIMEOUT, async {
            let connection = self.pool.get().await.map_err(|error| match error {
                // Without the words of the pool.
                PoolError::Backend(error) => self.unavailable(error),
                error => self.unavailable(error),
            })?;
            work(connection).await.map_err(|error| self.unavailable(error))
        });
        let no_response = |_| self.unavailable(format!("no response within {OPERATION_TIMEOUT:?}"));
        let result = result.await.map_err(no_response).flatten();
        histogram!("tvshows_tracker_operation_duration_seconds", "operation" => operation)
            .record(started.elapsed());
        counter!("tvshows_tracker_errors_total", "operation" => operation)
            .increment(u64::from(result.is_err()));
        result
    }

    fn unavailable(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> TrackerError {
        let backend = format!("Redis at {}", self.address);
        TrackerError::Unavailable { backend, source: source.into() }
    }
}

fn key(run: RunId) -> String {
    format!("pipeline:{run}")
}
