//! Which process may work on runs: the holder of the lock, the holder of the lease, or the holder of both.
//!
//! The lock of a database in a file ends with its process: it decides between the processes on one machine. The lease
//! decides between machines, and against a process that is paused: its lock remains, but its lease expires.
//!
//! The lock of a shared database expires, as a lease does, and decides between all processes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tvshows_core::{LockExpiry, NextRun, Ownership, RunId, RunLock, RunState, StoreError};

use crate::runner_config::RunnerConfig;

/// How long before its lock or lease expires a holder that could not renew it stops.
const STOP_MARGIN: Duration = Duration::from_secs(3);
/// How often a lock that expires is renewed. Often, so that its holder outlasts a failover of the database: of the
/// lifetime, at most a second has passed when the failover begins.
const LOCK_RENEWAL_INTERVAL: Duration = Duration::from_secs(1);
/// When a renewal without a response counts as failed, so that there is time for another one.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(3);
/// A margin beyond the renewal interval before a lease without a holder counts as abandoned.
const LEASE_GRACE: Duration = Duration::from_secs(2);

pub(crate) struct RunOwnership {
    lock: Arc<dyn RunLock>,
    lease: Option<Arc<dyn RunLock>>,
    instance: String,
    /// Since when the lease has been seen without a holder while a run is owned by lease.
    lease_free_since: Mutex<Option<Instant>>,
}

/// What happened to the process that owned a run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviousOwner {
    /// No process works on the run.
    None,
    /// It died.
    Died,
    /// Its lock or lease expired. It may be paused or cut off.
    Expired,
    /// It may still be working.
    Active,
}

/// Why a process no longer owns a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnershipLoss {
    /// Another process has taken it over, or ended it.
    Taken,
    /// The lock or the lease could not be renewed, and is about to expire.
    Expiring,
}

impl RunOwnership {
    pub(crate) fn new(config: &RunnerConfig) -> RunOwnership {
        let RunnerConfig { lock, lease, instance, .. } = config.clone();
        RunOwnership { lock, lease, instance, lease_free_since: Mutex::default() }
    }

    /// Tries to acquire the lock, and returns whether it did.
    pub(crate) async fn acquire_lock(&self) -> Result<bool, StoreError> {
        Ok(self.lock.acquire(&self.instance, None).await?)
    }

    pub(crate) async fn previous_owner(&self, run: &NextRun, has_lock: bool) -> PreviousOwner {
        if run.status.state != RunState::Running {
            return if has_lock { PreviousOwner::None } else { PreviousOwner::Active };
        }
        if has_lock && run.ownership.lock {
            // It held the lock that this process holds now.
            match self.lock.expiry() {
                LockExpiry::WithProcess => PreviousOwner::Died,
                LockExpiry::After(_) => PreviousOwner::Expired,
            }
        } else if run.ownership.lease && self.is_lease_abandoned().await {
            PreviousOwner::Expired
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
        free_for > lease_renewal_interval(lease.as_ref()).saturating_add(LEASE_GRACE)
    }

    /// Tries to acquire the lease, and returns how this process owns the run; `None` if it does not. `evict`
    /// names a holder that is known to be dead.
    ///
    /// The lock alone is sufficient if there is no lease or the lease is unavailable.
    pub(crate) async fn acquire_lease(
        &self,
        run: RunId,
        has_lock: bool,
        evict: Option<&str>,
    ) -> Option<Ownership> {
        let lock_alone = has_lock.then_some(Ownership { lock: true, lease: false });
        let Some(lease) = &self.lease else { return lock_alone };
        match lease.acquire(&self.instance, evict).await {
            Ok(true) => Some(Ownership { lock: has_lock, lease: true }),
            Ok(false) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run.id = %run, error, "cannot acquire the lease for runs");
                lock_alone
            }
        }
    }

    /// Renews the lock, if it expires, and the lease at intervals. Completes when another process holds one of them,
    /// and before another process can acquire one by which this process owns the run. `acquired_at` is a time before
    /// they were acquired.
    pub(crate) async fn lost(&self, ownership: Ownership, acquired_at: Instant) -> OwnershipLoss {
        let lock_lost = async {
            match self.lock.expiry() {
                LockExpiry::After(_) if ownership.lock => {
                    let lock = self.lock.as_ref();
                    self.renewals_end(lock, LOCK_RENEWAL_INTERVAL, Some(acquired_at)).await
                }
                _ => std::future::pending().await,
            }
        };
        let lease_lost = async {
            let Some(lease) = self.lease.as_deref() else { return std::future::pending().await };
            let acquired_at = ownership.lease.then_some(acquired_at);
            self.renewals_end(lease, lease_renewal_interval(lease), acquired_at).await
        };
        tokio::select! {
            loss = lock_lost => loss,
            loss = lease_lost => loss,
        }
    }

    /// Renews a lock until another process holds it. Without `renewed_at`, the run is not owned by this lock, so it
    /// may expire.
    async fn renewals_end(
        &self,
        lock: &dyn RunLock,
        interval: Duration,
        mut renewed_at: Option<Instant>,
    ) -> OwnershipLoss {
        loop {
            let expiring = async {
                match (lock.expiry(), renewed_at) {
                    // This process's own clock decides: it may be cut off from the lock.
                    (LockExpiry::After(ttl), Some(renewed_at)) => {
                        sleep_until(renewed_at + ttl.saturating_sub(STOP_MARGIN)).await;
                    }
                    _ => std::future::pending().await,
                }
            };
            let renewal = async {
                sleep(interval).await;
                let renewal = lock.renew(&self.instance);
                (Instant::now(), timeout(RENEWAL_TIMEOUT, renewal).await)
            };
            tokio::select! {
                biased;
                () = expiring => return OwnershipLoss::Expiring,
                (asked_at, renewed) = renewal => match renewed {
                    Ok(Ok(true)) => renewed_at = renewed_at.map(|_| asked_at),
                    Ok(Ok(false)) => return OwnershipLoss::Taken,
                    Ok(Err(_)) | Err(_) => {}
                },
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
fn lease_renewal_interval(lease: &dyn RunLock) -> Duration {
    match lease.expiry() {
        LockExpiry::After(ttl) => ttl / 3,
        LockExpiry::WithProcess => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use async_trait::async_trait;
    use tokio::time::advance;
    use tvshows_core::memory::MemoryStore;
    use tvshows_core::{LOCK_TTL, LockError, RunEvent, RunParameters, RunStatus};
    use tvshows_progress::InProcessTracker;

    use super::*;
    use crate::clock::now_millis;
    use crate::runner_config::RunnerRole;

    /// A lease or a lock that expires, of another process; `None` if its backend is unavailable.
    struct Lease(Mutex<Option<bool>>);

    /// A lock whose first renewal gets no response.
    struct LostRenewal(AtomicBool);

    #[async_trait]
    impl RunLock for LostRenewal {
        async fn acquire(&self, _: &str, _: Option<&str>) -> Result<bool, LockError> {
            Ok(true)
        }

        async fn renew(&self, _: &str) -> Result<bool, LockError> {
            if self.0.swap(false, Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(true)
        }

        async fn holder(&self) -> Result<Option<String>, LockError> {
            Ok(None)
        }

        async fn release(&self, _: &str) {}

        fn expiry(&self) -> LockExpiry {
            LockExpiry::After(LOCK_TTL)
        }
    }

    #[async_trait]
    impl RunLock for Lease {
        async fn acquire(&self, _: &str, _: Option<&str>) -> Result<bool, LockError> {
            self.holder().await.map(|holder| holder.is_none())
        }

        async fn renew(&self, holder: &str) -> Result<bool, LockError> {
            self.acquire(holder, None).await
        }

        async fn holder(&self) -> Result<Option<String>, LockError> {
            let is_held = self
                .0
                .lock()
                .unwrap()
                .ok_or_else(|| LockError { backend: "a lease".into(), source: "gone".into() })?;
            Ok(is_held.then(|| "other".to_owned()))
        }

        async fn release(&self, _: &str) {}

        fn expiry(&self) -> LockExpiry {
            LockExpiry::After(LOCK_TTL)
        }
    }

    fn ownership(lease: Option<&Arc<Lease>>) -> RunOwnership {
        let lease = lease.map(|lease| Arc::clone(lease) as Arc<dyn RunLock>);
        with_locks(Arc::new(MemoryStore::default()), lease)
    }

    /// The lock of a shared database, which expires.
    fn expiring_lock(lock: &Arc<Lease>) -> RunOwnership {
        with_locks(Arc::clone(lock) as Arc<dyn RunLock>, None)
    }

    fn with_locks(lock: Arc<dyn RunLock>, lease: Option<Arc<dyn RunLock>>) -> RunOwnership {
        RunOwnership::new(&RunnerConfig {
            queue: Arc::new(MemoryStore::default()),
            lock,
            lease,
            tracker: Arc::new(InProcessTracker::default()),
            instance: "here".to_owned(),
            on_end: Arc::new(|_| {}),
            role: RunnerRole::Worker,
        })
    }

    fn lease(is_held: Option<bool>) -> Arc<Lease> {
        Arc::new(Lease(Mutex::new(is_held)))
    }

    fn running(lock: bool, lease: bool) -> NextRun {
        let parameters = RunParameters::default();
        let mut status = RunStatus::queued(RunId::random(), parameters, "other", now_millis());
        status.apply(RunEvent::Started, now_millis());
        NextRun { status, ownership: Ownership { lock, lease }, stalled_attempts: 1 }
    }

    #[tokio::test]
    async fn the_holder_of_the_lock_of_a_running_run_knows_that_its_process_died() {
        let ownership = ownership(None);
        let owner = async |run, has_lock| ownership.previous_owner(&run, has_lock).await;
        assert_eq!(owner(running(true, false), true).await, PreviousOwner::Died);
        assert_eq!(owner(running(true, false), false).await, PreviousOwner::Active);
        assert_eq!(owner(running(false, true), true).await, PreviousOwner::Active);
    }

    #[tokio::test]
    async fn the_holder_of_an_expired_lock_does_not_know_whether_the_process_died() {
        let ownership = expiring_lock(&lease(Some(false)));
        let owner = ownership.previous_owner(&running(true, false), true).await;
        assert_eq!(owner, PreviousOwner::Expired);
        let acquired = ownership.acquire_lease(RunId::random(), true, None).await;
        assert_eq!(acquired, Some(Ownership { lock: true, lease: false }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_abandoned_when_it_is_not_renewed_for_long() {
        let lease = lease(Some(false));
        let ownership = ownership(Some(&lease));
        let owner = async || ownership.previous_owner(&running(true, true), false).await;
        assert_eq!(owner().await, PreviousOwner::Active, "it may be renewed in a moment");
        advance(Duration::from_secs(8)).await;
        assert_eq!(owner().await, PreviousOwner::Expired);
        *lease.0.lock().unwrap() = Some(true);
        assert_eq!(owner().await, PreviousOwner::Active);
        *lease.0.lock().unwrap() = Some(false);
        assert_eq!(owner().await, PreviousOwner::Active, "the time starts again");
    }

    #[tokio::test]
    async fn the_lock_is_enough_where_the_lease_is_unavailable_and_not_where_another_has_it() {
        let acquired = async |is_held, has_lock| {
            let ownership = ownership(Some(&lease(is_held)));
            ownership.acquire_lease(RunId::random(), has_lock, None).await
        };
        let lock_alone = Some(Ownership { lock: true, lease: false });
        assert_eq!(acquired(None, true).await, lock_alone);
        assert_eq!(acquired(None, false).await, None);
        assert_eq!(acquired(Some(true), true).await, None);
        assert_eq!(acquired(Some(false), true).await, Some(Ownership { lock: true, lease: true }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_cannot_renew_its_lease_stops_before_it_expires() {
        let (lease, start) = (lease(None), Instant::now());
        let ownership = ownership(Some(&lease));
        let loss = ownership.lost(Ownership { lock: true, lease: true }, start).await;
        assert_eq!(loss, OwnershipLoss::Expiring);
        assert!(start.elapsed() + STOP_MARGIN <= LOCK_TTL, "{:?}", start.elapsed());

        // The lock alone does not expire.
        let by_lock = ownership.lost(Ownership { lock: true, lease: false }, start);
        assert!(tokio::time::timeout(LOCK_TTL * 10, by_lock).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_expires_outlasts_a_failover_and_stops_its_holder_before_it_expires() {
        let lock = lease(Some(false));
        let ownership = expiring_lock(&lock);
        let by_lock = Ownership { lock: true, lease: false };
        let lost = ownership.lost(by_lock, Instant::now());
        tokio::pin!(lost);
        for outage in [Duration::ZERO, Duration::from_secs(10)] {
            *lock.0.lock().unwrap() = None;
            assert!(tokio::time::timeout(outage, &mut lost).await.is_err(), "{outage:?}");
            *lock.0.lock().unwrap() = Some(false);
            let later = LOCK_TTL * 10;
            assert!(tokio::time::timeout(later, &mut lost).await.is_err(), "it was renewed");
        }
        let start = Instant::now();
        *lock.0.lock().unwrap() = None;
        assert_eq!(lost.await, OwnershipLoss::Expiring);
        assert!(start.elapsed() + STOP_MARGIN <= LOCK_TTL, "{:?}", start.elapsed());

        *lock.0.lock().unwrap() = Some(true);
        assert_eq!(ownership.lost(by_lock, Instant::now()).await, OwnershipLoss::Taken);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_without_a_response_is_repeated() {
        let ownership = with_locks(Arc::new(LostRenewal(AtomicBool::new(true))), None);
        let lost = ownership.lost(Ownership { lock: true, lease: false }, Instant::now());
        assert!(tokio::time::timeout(LOCK_TTL * 10, lost).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_renewed_is_lost_only_to_another_holder() {
        let (lease, start) = (lease(Some(false)), Instant::now());
        let ownership = ownership(Some(&lease));
        let by_lease = Ownership { lock: true, lease: true };
        let lost = ownership.lost(by_lease, start);
        assert!(tokio::time::timeout(LOCK_TTL * 10, lost).await.is_err(), "it was renewed");
        *lease.0.lock().unwrap() = Some(true);
        assert_eq!(ownership.lost(by_lease, Instant::now()).await, OwnershipLoss::Taken);
    }
}
