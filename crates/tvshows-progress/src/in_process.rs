use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tvshows_core::{ProgressTracker, RunId, RunStatus, TrackerError};

/// The number of runs in memory. The history in the store has all of them.
const CAPACITY: usize = 256;

/// A tracker for one process.
#[derive(Debug, Default)]
pub struct InProcessTracker {
    runs: Mutex<Runs>,
}

/// The latest statuses, each with the time of its publication.
#[derive(Debug, Default)]
struct Runs {
    statuses: BTreeMap<RunId, (u64, RunStatus)>,
    clock: u64,
}

impl InProcessTracker {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ProgressTracker for InProcessTracker {
    async fn publish_status(&self, status: &RunStatus) -> Result<bool, TrackerError> {
        Ok(self.runs().publish(status))
    }

    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError> {
        Ok(self.runs().statuses.get(&run).map(|(_, status)| status.clone()))
    }

    async fn health(&self) -> Result<(), TrackerError> {
        Ok(())
    }
}

impl Runs {
    fn publish(&mut self, status: &RunStatus) -> bool {
        if let Some((_, visible)) = self.statuses.get(&status.request_id)
            && (visible.state.is_terminal()
                || visible.attempt > status.attempt
                || visible.revision >= status.revision)
        {
            return false;
        }
        self.clock += 1;
        self.statuses.insert(status.request_id, (self.clock, status.clone()));
        if self.statuses.len() > CAPACITY {
            self.evict_oldest();
        }
        true
    }

    fn evict_oldest(&mut self) {
        let oldest = self.statuses.iter().min_by_key(|(_, (published, _))| *published);
        if let Some(run) = oldest.map(|(run, _)| *run) {
            self.statuses.remove(&run);
        }
    }
}
