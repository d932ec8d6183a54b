use async_trait::async_trait;
use deadpool_redis::redis::{AsyncCommands, Script};
use tvshows_core::{LOCK_TTL, LockError, LockExpiry, RunLock, TrackerError};

use crate::redis::RedisClient;

/// A lock on the runs of one database, held in Redis: a key that expires [`LOCK_TTL`] after its last
/// renewal.
pub struct RedisLease {
    client: RedisClient,
    key: String,
    acquire: Script,
    release: Script,
}

impl RedisLease {
    pub(crate) fn new(client: RedisClient, database_id: &str) -> RedisLease {
        RedisLease {
            client,
            key: format!("pipeline:lease:{database_id}"),
            acquire: Script::new(include_str!("acquire_lease.lua")),
            release: Script::new(include_str!("release_lease.lua")),
        }
    }
}

#[async_trait]
impl RunLock for RedisLease {
    async fn acquire(&self, holder: &str, evict: Option<&str>) -> Result<bool, LockError> {
        let mut script = self.acquire.key(&self.key);
        let milliseconds = u64::try_from(LOCK_TTL.as_millis()).unwrap_or(u64::MAX);
        script.arg(holder).arg(milliseconds).arg(evict.unwrap_or_default());
        self.client.invoke("acquire_lease", &script).await.map_err(lock_error)
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        self.acquire(holder, None).await
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        let key = &self.key;
        self.client
            .run("lease_holder", |mut connection| async move { connection.get(key).await })
            .await
            .map_err(lock_error)
    }

    async fn release(&self, holder: &str) {
        let mut script = self.release.key(&self.key);
        script.arg(holder);
        // A lease that cannot be released expires.
        let _: Result<(), TrackerError> = self.client.invoke("release_lease", &script).await;
    }

    fn expiry(&self) -> LockExpiry {
        LockExpiry::After(LOCK_TTL)
    }
}

fn lock_error(error: TrackerError) -> LockError {
    match error {
        TrackerError::Unavailable { backend, source } => LockError { backend, source },
        error => LockError { backend: "Redis".into(), source: error.into() },
    }
}
