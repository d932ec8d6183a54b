//! The runs that this process does not work on. For each run that clients read, one task polls its status.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tvshows_core::{ProgressTracker, RunId, RunQueue, RunStatus, StoreError};

use crate::runner_config::RunnerConfig;
use crate::tasks::Tasks;

/// The polling interval, which is also the maximum age of a returned status.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// After this many polls without a reader, polling stops.
const IDLE_POLLS: u32 = 50;
/// The maximum number of runs to poll at a time, which is more than can be unfinished in one history. The status of
/// any other run is fetched for each call.
const MAX_POLLED: usize = 64;
/// How many ended runs are cached. They no longer change.
const MAX_ENDED: usize = 256;

pub(crate) struct RemoteRuns {
    queue: Arc<dyn RunQueue>,
    tracker: Arc<dyn ProgressTracker>,
    tasks: Tasks,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    ended: HashMap<RunId, RunStatus>,
    polled: HashMap<RunId, Arc<RemoteRun>>,
}

/// A run that is being polled.
struct RemoteRun {
    status: watch::Sender<RunStatus>,
    /// Whether its status was read since the last poll.
    was_read: AtomicBool,
}

impl RemoteRun {
    fn has_readers(&self) -> bool {
        self.was_read.swap(false, Relaxed) || self.status.receiver_count() > 0
    }
}

impl RemoteRuns {
    pub(crate) fn new(config: &RunnerConfig, tasks: Tasks) -> RemoteRuns {
        let (queue, tracker) = (Arc::clone(&config.queue), Arc::clone(&config.tracker));
        RemoteRuns { queue, tracker, tasks, cache: Mutex::default() }
    }

    /// Returns the status of a run, from the cache if possible, and starts to poll it.
    pub(crate) async fn status(
        self: &Arc<Self>,
        run: RunId,
    ) -> Result<Option<RunStatus>, StoreError> {
        let cached = self.cache().get(run);
        if cached.is_some() {
            return Ok(cached);
        }
        let fetched = self.fetch_status(run).await?;
        if let Some(status) = &fetched {
            let new = self.cache().insert(status);
            if let Some(remote) = new {
                self.tasks.spawn(Arc::clone(self).poll(run, remote));
            }
        }
        Ok(fetched)
    }

    /// Subscribes to a run that is being polled.
    pub(crate) fn subscribe(&self, run: RunId) -> Option<watch::Receiver<RunStatus>> {
        Some(self.cache().polled.get(&run)?.status.subscribe())
    }

    /// Discards the cached status of a run that this process has changed.
    pub(crate) fn invalidate(&self, run: RunId) {
        self.cache().polled.remove(&run);
    }

    /// Returns the newest status of a run in the history and the tracker.
    pub(crate) async fn fetch_status(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let stored = self.queue.get(run).await?;
        if stored.as_ref().is_some_and(|status| !status.state.is_active()) {
            return Ok(stored);
        }
        let tracked = self.tracker.status(run).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run, error, "cannot read the progress");
            None
        });
        Ok(tracked.into_iter().chain(stored).max_by_key(|status| status.revision))
    }

    /// Polls a run until it has ended or has no more readers.
    async fn poll(self: Arc<Self>, run: RunId, remote: Arc<RemoteRun>) {
        tokio::select! {
            () = self.poll_until_ended(run, &remote) => {}
            () = self.tasks.shutdown.cancelled() => {}
        }
        let mut cache = self.cache();
        if cache.is_current(run, &remote) {
            cache.polled.remove(&run);
        }
    }

    async fn poll_until_ended(&self, run: RunId, remote: &Arc<RemoteRun>) {
        let mut idle = 0;
        loop {
            sleep(POLL_INTERVAL).await;
            idle = if remote.has_readers() { 0 } else { idle + 1 };
            if idle >= IDLE_POLLS || !self.cache().is_current(run, remote) {
                return;
            }
            let Ok(Some(status)) = self.fetch_status(run).await else { return };
            let mut cache = self.cache();
            if !cache.is_current(run, remote) {
                return;
            }
            let has_ended = status.state.is_terminal();
            if has_ended {
                cache.insert_ended(&status);
            }
            remote.status.send_if_modified(|visible| {
                let is_change = *visible != status;
                *visible = status;
                is_change
            });
            if has_ended {
                return;
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&self, run: RunId) -> Option<RunStatus> {
        let Some(remote) = self.polled.get(&run) else { return self.ended.get(&run).cloned() };
        remote.was_read.store(true, Relaxed);
        Some(remote.status.borrow().clone())
    }

    /// Caches a status. Returns the run if it has to be polled from now on.
    fn insert(&mut self, status: &RunStatus) -> Option<Arc<RemoteRun>> {
        if status.state.is_terminal() {
            self.insert_ended(status);
            return None;
        }
        if self.polled.len() >= MAX_POLLED || self.polled.contains_key(&status.request_id) {
            return None;
        }
        let (run, status) = (status.request_id, watch::Sender::new(status.clone()));
        let remote = Arc::new(RemoteRun { status, was_read: AtomicBool::new(true) });
        self.polled.insert(run, Arc::clone(&remote));
        Some(remote)
    }

    fn insert_ended(&mut self, status: &RunStatus) {
        if self.ended.len() >= MAX_ENDED {
            self.ended.clear();
        }
        self.ended.insert(status.request_id, status.clone());
    }

    /// Whether `remote` is still the cached entry of a run: it may have been invalidated.
    fn is_current(&self, run: RunId, remote: &Arc<RemoteRun>) -> bool {
        self.polled.get(&run).is_some_and(|current| Arc::ptr_eq(current, remote))
    }
}
