use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// The right to work on the runs of one database. At most one process holds it at a time.
///
/// What a holder writes is fenced as well (see [`RunSession`](super::RunSession)): a holder that loses
/// the lock without noticing cannot publish.
#[async_trait]
pub trait RunLock: Send + Sync {
    /// Tries to acquire the lock for `holder`, and returns whether it did. `evict` names a holder that is
    /// known to be dead: its lock counts as free.
    async fn acquire(&self, holder: &str, evict: Option<&str>) -> Result<bool, LockError>;

    /// Extends the lock of `holder`. Returns `false` if another process holds it now.
    async fn renew(&self, holder: &str) -> Result<bool, LockError>;

    /// Returns the current holder, or `None` if the lock is free.
    async fn holder(&self) -> Result<Option<String>, LockError>;

    /// Releases the lock if `holder` has it. Best effort: a lock that cannot be released expires.
    async fn release(&self, holder: &str);

    /// When the lock of a holder that stops renewing it becomes free.
    fn expiry(&self) -> LockExpiry;
}

/// When a lock becomes free without being released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockExpiry {
    /// When its process ends: a process that acquires it knows that the previous holder is dead.
    WithProcess,
    /// This long after the last renewal: the previous holder may be alive, paused or cut off. A holder stops by its own
    /// clock some seconds before, so the lifetime minus those is the longest outage of the backend that it survives.
    After(Duration),
}

/// The lifetime of a lease in Redis: long enough for several renewals, and short enough that another
/// process takes over soon after the holder has ended.
pub const LOCK_TTL: Duration = Duration::from_secs(15);

/// Why a lock operation failed.
#[derive(Debug, thiserror::Error)]
#[error("{backend} is unavailable")]
pub struct LockError {
    /// What holds the lock, such as `Redis at localhost:6379`.
    pub backend: String,
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl From<LockError> for StoreError {
    fn from(error: LockError) -> StoreError {
        StoreError::Unavailable { source: Box::new(error) }
    }
}
