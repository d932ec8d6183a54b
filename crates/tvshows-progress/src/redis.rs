use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{
    AsyncCommands, FromRedisValue, RedisError, Script, ScriptInvocation, cmd,
};
use deadpool_redis::{Config, Connection, Pool, Runtime};
use metrics::{counter, histogram};
use tokio::time::{Instant, timeout};
use tvshows_core::{LEASE_TTL, ProgressTracker, RunId, RunStatus, TrackerError};

use crate::fields;

/// How long a run that nobody works on stays in Redis.
pub const EXPIRY_OF_ENDED_RUNS: Duration = Duration::from_hours(7 * 24);
/// How long a live run stays without a change: one whose process died unseen must not live for ever.
pub const EXPIRY_OF_LIVE_RUNS: Duration = Duration::from_hours(24);
/// How long an operation may take, connecting included: progress that comes later is of no use.
const PATIENCE: Duration = Duration::from_secs(2);

/// A tracker in Redis, for all processes that use it. Connects when it is first used, and again after
/// Redis was away.
pub struct RedisTracker {
    pool: Pool,
    record: Script,
    lease: Script,
    release: Script,
}

impl RedisTracker {
    /// Takes the URL of a Redis server: `redis://[user:password@]host[:port][/database]`, or `rediss://` for
    /// TLS, whose certificate the system must trust.
    ///
    /// # Errors
    ///
    /// The text is no such URL. The text is not in the error, since it may hold a password.
    pub fn new(url: &str) -> Result<RedisTracker, TrackerError> {
        // Named, since rustls panics where the features of its users leave a choice. Somebody else may have
        // named it before.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1)).map_err(unavailable)?;
        Ok(RedisTracker {
            pool,
            record: Script::new(include_str!("record.lua")),
            lease: Script::new(include_str!("lease.lua")),
            release: Script::new(include_str!("release.lua")),
        })
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        operation: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, TrackerError> {
        self.with_connection(operation, |mut connection| async move {
            script.invoke_async(&mut connection).await
        })
        .await
    }

    /// Works on a connection within [`PATIENCE`].
    async fn with_connection<T, F>(
        &self,
        operation: &'static str,
        work: impl FnOnce(Connection) -> F,
    ) -> Result<T, TrackerError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let since = Instant::now();
        let answer = timeout(PATIENCE, async {
            let connection = self.pool.get().await.map_err(unavailable)?;
            work(connection).await.map_err(unavailable)
        });
        let answer = answer.await.map_err(unavailable).flatten();
        histogram!("tvshows_tracker_operation_duration_seconds", "operation" => operation)
            .record(since.elapsed());
        counter!("tvshows_tracker_errors_total", "operation" => operation)
            .increment(u64::from(answer.is_err()));
        answer
    }
}

#[async_trait]
impl ProgressTracker for RedisTracker {
    fn is_shared(&self) -> bool {
        true
    }

    async fn lease(
        &self,
        data: &str,
        holder: &str,
        dead: Option<&str>,
    ) -> Result<bool, TrackerError> {
        let mut call = self.lease.key(lease_key(data));
        let milliseconds = u64::try_from(LEASE_TTL.as_millis()).unwrap_or(u64::MAX);
        call.arg(holder).arg(milliseconds).arg(dead.unwrap_or_default());
        self.invoke("lease", &call).await
    }

    async fn lease_holder(&self, data: &str) -> Result<Option<String>, TrackerError> {
        let key = lease_key(data);
        self.with_connection(
            "lease_holder",
            |mut connection| async move { connection.get(key).await },
        )
        .await
    }

    async fn release(&self, data: &str, holder: &str) -> Result<(), TrackerError> {
        self.invoke("release", self.release.key(lease_key(data)).arg(holder)).await
    }

    async fn record(&self, status: &RunStatus) -> Result<bool, TrackerError> {
        let expiry =
            if status.state.is_active() { EXPIRY_OF_LIVE_RUNS } else { EXPIRY_OF_ENDED_RUNS };
        let mut call = self.record.key(key(status.request_id));
        call.arg(status.attempt).arg(status.revision).arg(expiry.as_secs());
        for (field, value) in fields::of(status)? {
            call.arg(field).arg(value);
        }
        self.invoke("record", &call).await
    }

    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError> {
        let stored = self.with_connection("status", |mut connection| async move {
            connection.hgetall(key(run)).await
        });
        fields::read(run, stored.await?)
    }

    async fn check(&self) -> Result<(), TrackerError> {
        self.with_connection("check", |mut connection| async move {
            // A Redis without memory left answers a PING and refuses every write.
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

fn key(run: RunId) -> String {
    format!("pipeline:{run}")
}

fn lease_key(data: &str) -> String {
    format!("pipeline:lease:{data}")
}

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TrackerError {
    TrackerError::Unavailable { source: source.into() }
}
