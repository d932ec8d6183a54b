//! Who may work on runs: the owner of a lock that ends with its process, the owner of a lease that expires,
//! or both.
//!
//! The lock decides between the processes on one machine. The lease decides between machines, and against a
//! process that is paused: its lock remains, but its lease expires.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tvshows_core::{LockExpiry, NextRun, Ownership, RunLock, RunState, StoreError};

use crate::runner_config::RunnerConfig;

/// A margin beyond the renewal interval before a lease without a holder counts as abandoned.
const LEASE_GRACE: Duration = Duration::from_secs(2);

pub(crate) struct RunOwnership {
    lock: Arc<dyn RunLock>,
    lease: Option<Arc<dyn RunLock>>,
    instance: String,
    /// Since when the lease of a run that is owned by lease was seen without a holder.
    lease_free_since: Mutex<Option<Instant>>,
}

/// What a process that may own a lock finds out about the previous owner of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviousOwner {
    /// Nobody works on the run.
    None,
    /// It died.
    Died,
    /// It lost its lease, and may be paused or cut off.
    LostLease,
    /// It may be working.
    Active,
}

impl RunOwnership {
    pub(crate) fn new(config: &RunnerConfig) -> RunOwnership {
        let RunnerConfig { lock, lease, instance, .. } = config.clone();
        RunOwnership { lock, lease, instance, lease_free_since: Mutex::default() }
    }

    /// Tries to acquire the lock, and returns whether it did.
    pub(crate) async fn acquire_lock(&self) -> Result<bool, StoreError> {
        let acquired = self.lock.acquire(&self.instance, None).await;
        acquired.map_err(|error| StoreError::Unavailable { source: Box::new(error) })
    }

    pub(crate) async fn previous_owner(&self, run: &NextRun, has_lock: bool) -> PreviousOwner {
        if run.status.state != RunState::Running {
            return if has_lock { PreviousOwner::None } else { PreviousOwner::Active };
        }
        if has_lock && run.ownership.lock {
            // It had the lock that this process has now.
            PreviousOwner::Died
        } else if run.ownership.lease && self.is_lease_abandoned().await {
            PreviousOwner::LostLease
        } else {
            PreviousOwner::Active
        }
    }

    /// Whether the lease has had no holder for longer than a live holder needs to renew it. The lease can be
    /// free for other reasons: Redis may have been restarted.
    async fn is_lease_abandoned(&self) -> bool {
        let Some(lease) = &self.lease else { return false };
        let is_free = matches!(lease.holder().await, Ok(None));
        let mut free_since = self.lease_free_since.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_free {
            *free_since = None;
            return false;
        }
        let free_for = free_since.get_or_insert_with(Instant::now).elapsed();
        free_for > renewal_interval(lease.as_ref()) + LEASE_GRACE
    }

    /// Tries to acquire the lease, and returns how this process owns the run; `None` if it does not. `evict`
    /// names a holder that is known to be dead.
    ///
    /// The lock alone is sufficient if the lease is unavailable.
    pub(crate) async fn acquire_lease(
        &self,
        has_lock: bool,
        evict: Option<&str>,
    ) -> Option<Ownership> {
        let acquired = match &self.lease {
            Some(lease) => lease.acquire(&self.instance, evict).await,
            None if has_lock => return Some(Ownership { lock: true, lease: false }),
            None => return None,
        };
        match acquired {
            Ok(true) => Some(Ownership { lock: has_lock, lease: true }),
            Err(error) if has_lock => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "no lease for the run; the lock alone protects it");
                Some(Ownership { lock: true, lease: false })
            }
            Ok(false) | Err(_) => None,
        }
    }

    /// Renews the lease at intervals. Completes when another process holds it.
    pub(crate) async fn lease_lost(&self) {
        let Some(lease) = &self.lease else { return std::future::pending().await };
        loop {
            sleep(renewal_interval(lease.as_ref())).await;
            // An error is not a loss: the next attempt comes before the lease expires.
            if let Ok(false) = lease.renew(&self.instance).await {
                return;
            }
        }
    }

    pub(crate) async fn release_lock(&self) {
        self.lock.release(&self.instance).await;
    }

    /// Releases the lease, and the lock if `ownership` has it.
    pub(crate) async fn release(&self, ownership: Ownership) {
        if ownership.lock {
            self.release_lock().await;
        }
        if let Some(lease) = &self.lease {
            lease.release(&self.instance).await;
        }
    }
}

/// Returns an interval that leaves time to try again before the lease expires.
fn renewal_interval(lease: &dyn RunLock) -> Duration {
    match lease.expiry() {
        LockExpiry::After(ttl) => ttl / 3,
        LockExpiry::WithProcess => Duration::MAX,
    }
}
