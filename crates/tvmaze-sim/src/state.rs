use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::behaviour::{Conduct, Decision};
use crate::{Behaviour, Catalogue, RateLimit};

/// What all connections of one simulator share. No lock outlives a method.
#[derive(Debug)]
pub(crate) struct State {
    catalogue: Mutex<Catalogue>,
    conduct: Mutex<Conduct>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: HashMap<String, u64>,
    rate_limited: u64,
}

impl State {
    pub(crate) fn new(catalogue: Catalogue, behaviour: Behaviour) -> Self {
        Self {
            catalogue: Mutex::new(catalogue),
            conduct: Mutex::new(Conduct::new(behaviour, Instant::now())),
            counts: Mutex::default(),
        }
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        locked(&self.catalogue).clone()
    }

    pub(crate) fn set_catalogue(&self, catalogue: Catalogue) {
        *locked(&self.catalogue) = catalogue;
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *locked(&self.conduct) = Conduct::new(behaviour, Instant::now());
    }

    pub(crate) fn set_limit(&self, limit: Option<RateLimit>) {
        locked(&self.conduct).set_limit(limit, Instant::now());
    }

    pub(crate) fn latency(&self) -> Duration {
        locked(&self.conduct).latency()
    }

    pub(crate) fn decide(&self, path: &str) -> Decision {
        let decision = locked(&self.conduct).decide(path, Instant::now());
        if matches!(decision, Decision::Refuse(_)) {
            locked(&self.counts).rate_limited += 1;
        }
        decision
    }

    pub(crate) fn count(&self, path: &str) {
        let mut counts = locked(&self.counts);
        if let Some(count) = counts.requests.get_mut(path) {
            *count += 1;
        } else {
            counts.requests.insert(path.to_owned(), 1);
        }
    }

    pub(crate) fn requests_for(&self, path: &str) -> u64 {
        locked(&self.counts).requests.get(path).copied().unwrap_or(0)
    }

    pub(crate) fn request_count(&self) -> u64 {
        locked(&self.counts).requests.values().sum()
    }

    pub(crate) fn rate_limited_count(&self) -> u64 {
        locked(&self.counts).rate_limited
    }
}

/// Nothing here is left half-changed by a panic, so a poisoned lock is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
