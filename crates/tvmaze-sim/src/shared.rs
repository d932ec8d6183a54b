use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::config::SimConfig;
use crate::dataset::Dataset;
use crate::fault_injector::{Decision, FaultInjector};

/// The path and query with `embed[]` in this form, since some clients percent-encode the brackets.
pub(crate) fn decode_brackets(path: &str) -> Cow<'_, str> {
    if path.contains("embed%5B%5D") {
        path.replace("embed%5B%5D", "embed[]").into()
    } else {
        path.into()
    }
}

/// The state shared by all connections. It is locked for moments only.
#[derive(Debug)]
pub(crate) struct SharedState(Mutex<State>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dataset: Dataset,
    pub(crate) faults: FaultInjector,
    /// The number of requests for each path and query.
    pub(crate) requests: HashMap<String, u64>,
    /// The number of requests rejected by the rate limit.
    pub(crate) rate_limited: u64,
}

impl SharedState {
    pub(crate) fn new(dataset: Dataset, config: SimConfig) -> Self {
        let faults = FaultInjector::new(config, Instant::now());
        let (requests, rate_limited) = (HashMap::new(), 0);
        Self(Mutex::new(State { dataset, faults, requests, rate_limited }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half-changed, so a poisoned lock is safe to use.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn count(&mut self, path: &str) {
        if let Some(count) = self.requests.get_mut(path) {
            *count += 1;
        } else {
            self.requests.insert(path.to_owned(), 1);
        }
    }

    pub(crate) fn decide(&mut self, path: &str) -> Decision {
        let decision = self.faults.decide(path, Instant::now());
        self.rate_limited += u64::from(matches!(decision, Decision::RateLimited { .. }));
        decision
    }
}
