use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tvshows_core::{ProgressTracker, RunId, RunStatus, TrackerError};

/// How many runs are remembered; the store's history has all of them.
const REMEMBERED: usize = 256;

/// A tracker for one process.
#[derive(Debug, Default)]
pub struct InProcessTracker {
    runs: Mutex<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    statuses: BTreeMap<RunId, (u64, RunStatus)>,
    recorded: u64,
    /// The holder of each lease. They end with the process, like everyone who could hold one.
    leases: BTreeMap<String, String>,
}

impl InProcessTracker {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ProgressTracker for InProcessTracker {
    fn is_shared(&self) -> bool {
        false
    }

    async fn lease(
        &self,
        data: &str,
        holder: &str,
        dead: Option<&str>,
    ) -> Result<bool, TrackerError> {
        let mut runs = self.runs();
        let present = runs.leases.get(data).map(String::as_str);
        let is_free = present.is_none_or(|present| present == holder || Some(present) == dead);
        if is_free {
            runs.leases.insert(data.to_owned(), holder.to_owned());
        }
        Ok(is_free)
    }

    async fn lease_holder(&self, data: &str) -> Result<Option<String>, TrackerError> {
        Ok(self.runs().leases.get(data).cloned())
    }

    async fn release(&self, data: &str, holder: &str) -> Result<(), TrackerError> {
        let mut runs = self.runs();
        if runs.leases.get(data).is_some_and(|present| present == holder) {
            runs.leases.remove(data);
        }
        Ok(())
    }

    async fn record(&self, status: &RunStatus) -> Result<bool, TrackerError> {
        Ok(self.runs().record(status))
    }

    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError> {
        Ok(self.runs().statuses.get(&run).map(|(_, status)| status.clone()))
    }

    async fn check(&self) -> Result<(), TrackerError> {
        Ok(())
    }
}

impl Runs {
    fn record(&mut self, status: &RunStatus) -> bool {
        if let Some((_, visible)) = self.statuses.get(&status.request_id)
            && (visible.state.is_terminal()
                || visible.attempt > status.attempt
                || visible.revision >= status.revision)
        {
            return false;
        }
        self.recorded += 1;
        self.statuses.insert(status.request_id, (self.recorded, status.clone()));
        if self.statuses.len() > REMEMBERED {
            self.forget_the_stalest();
        }
        true
    }

    fn forget_the_stalest(&mut self) {
        let stalest = self.statuses.iter().min_by_key(|(_, (recorded, _))| *recorded);
        if let Some(run) = stalest.map(|(run, _)| *run) {
            self.statuses.remove(&run);
        }
    }
}
