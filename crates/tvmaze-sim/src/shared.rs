use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::SimConfig;
use crate::dataset::Dataset;
use crate::fault_injector::{Decision, FaultInjector};
use crate::rate_limit::RateLimit;

/// The state shared by all connections. No lock is held when a method returns.
#[derive(Debug)]
pub(crate) struct SharedState {
    dataset: Mutex<Dataset>,
    faults: Mutex<FaultInjector>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: HashMap<String, u64>,
    rate_limited: u64,
}

impl SharedState {
    pub(crate) fn new(dataset: Dataset, config: SimConfig) -> Self {
        Self {
            dataset: Mutex::new(dataset),
            faults: Mutex::new(FaultInjector::new(config, Instant::now())),
            counts: Mutex::default(),
        }
    }

    pub(crate) fn dataset(&self) -> Dataset {
        lock(&self.dataset).clone()
    }

    pub(crate) fn set_dataset(&self, dataset: Dataset) {
        *lock(&self.dataset) = dataset;
    }

    pub(crate) fn set_config(&self, config: SimConfig) {
        *lock(&self.faults) = FaultInjector::new(config, Instant::now());
    }

    pub(crate) fn set_limit(&self, limit: Option<RateLimit>) {
        lock(&self.faults).set_limit(limit, Instant::now());
    }

    pub(crate) fn latency(&self) -> Duration {
        lock(&self.faults).latency()
    }

    pub(crate) fn decide(&self, path: &str) -> Decision {
        let decision = lock(&self.faults).decide(path, Instant::now());
        if matches!(decision, Decision::RateLimited { .. }) {
            lock(&self.counts).rate_limited += 1;
        }
        decision
    }

    pub(crate) fn count(&self, path: &str) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.requests.get_mut(path) {
            *count += 1;
        } else {
            counts.requests.insert(path.to_owned(), 1);
        }
    }

    pub(crate) fn requests_for(&self, path: &str) -> u64 {
        lock(&self.counts).requests.get(path).copied().unwrap_or(0)
    }

    pub(crate) fn request_count(&self) -> u64 {
        lock(&self.counts).requests.values().sum()
    }

    pub(crate) fn rate_limited_count(&self) -> u64 {
        lock(&self.counts).rate_limited
    }
}

/// A panic cannot leave this state half-changed, so a poisoned lock can still be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
