//! The runs that this process does not work on. For each run that clients read, one task polls its status: the tracker
//! at each poll, and the store only once a second while the tracker is up to date.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tvshows_core::{ProgressTracker, RunId, RunQueue, RunState, RunStatus, StoreError};

use crate::runner_config::RunnerConfig;
use crate::tasks::Tasks;

/// The polling interval, which is also the maximum age of a returned status.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long the tracker may have nothing new before the store is polled as well: only the store knows that the process
/// that worked on a run has died. Many processes may follow a run, and share the store.
const STORE_POLL_INTERVAL: Duration = Duration::from_secs(1);
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
    /// Whether the last read from the tracker failed, so that only the first failure is logged.
    is_tracker_failing: AtomicBool,
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
        RemoteRuns {
            queue,
            tracker,
            tasks,
            cache: Mutex::default(),
            is_tracker_failing: AtomicBool::new(false),
        }
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
        let stored = self.queue.get(run).await;
        if matches!(&stored, Ok(Some(status)) if !status.state.is_active()) {
            return stored;
        }
        newest(stored, self.tracked_status(run).await)
    }

    /// Returns the status of a run in the tracker; `None` if the tracker fails.
    async fn tracked_status(&self, run: RunId) -> Option<RunStatus> {
        let tracked = self.tracker.status(run).await;
        let was_failing = self.is_tracker_failing.swap(tracked.is_err(), Relaxed);
        match tracked {
            Ok(status) => {
                if was_failing {
                    tracing::info!("the progress of other processes can be read again");
                }
                status
            }
            Err(error) => {
                if !was_failing {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(run.id = %run, error, "cannot read the progress");
                }
                None
            }
        }
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
        // When there was a change in the tracker, or the store was polled.
        let mut checked_at = Instant::now();
        loop {
            sleep(POLL_INTERVAL).await;
            idle = if remote.has_readers() { 0 } else { idle + 1 };
            if idle >= IDLE_POLLS || !self.cache().is_current(run, remote) {
                return;
            }
            let tracked = self.tracked_status(run).await;
            let source = what_to_read(&remote.status.borrow(), tracked.as_ref());
            let status = match source {
                Read::Tracker => tracked,
                Read::StoreLater if checked_at.elapsed() < STORE_POLL_INTERVAL => continue,
                Read::StoreLater | Read::Store => {
                    // While the store fails, readers have the last status.
                    let Ok(newest) = newest(self.queue.get(run).await, tracked) else { continue };
                    newest
                }
            };
            checked_at = Instant::now();
            let Some(status) = status else { return };
            if status.state.is_active() && status.revision < remote.status.borrow().revision {
                // The store is behind the tracker, which has lost the run.
                continue;
            }
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

/// Where a poll gets its status from.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    /// It has a new status.
    Tracker,
    /// It may have a new status, and the tracker has none.
    Store,
    /// The tracker would have a new status, unless the run's process has died.
    StoreLater,
}

fn what_to_read(visible: &RunStatus, tracked: Option<&RunStatus>) -> Read {
    match tracked {
        Some(tracked) if tracked.revision > visible.revision => {
            // The store says how the run ended, because it knows whether that is saved.
            if tracked.state.is_active() { Read::Tracker } else { Read::Store }
        }
        Some(tracked) if tracked.revision == visible.revision => Read::StoreLater,
        // Nothing changes until a process resumes the run.
        _ if visible.state == RunState::Interrupted => Read::StoreLater,
        _ => Read::Store,
    }
}

/// Returns the newer status. One in the store that is not active is always the newer one. If the store is unavailable,
/// the tracker's is the best there is.
fn newest(
    stored: Result<Option<RunStatus>, StoreError>,
    tracked: Option<RunStatus>,
) -> Result<Option<RunStatus>, StoreError> {
    match stored {
        Err(error) if error.is_transient() && tracked.is_some() => Ok(tracked),
        Ok(Some(stored)) if !stored.state.is_active() => Ok(Some(stored)),
        stored => Ok(tracked.into_iter().chain(stored?).max_by_key(|status| status.revision)),
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

#[cfg(test)]
mod tests {
    use tvshows_core::{RunEvent, RunParameters};

    use super::*;
    use crate::clock::now_millis;

    #[test]
    fn the_store_is_read_where_the_tracker_does_not_know() {
        let mut old =
            RunStatus::queued(RunId::random(), RunParameters::default(), "there", now_millis());
        old.apply(RunEvent::Started, now_millis());
        let after = |event| {
            let mut status = old.clone();
            status.apply(event, now_millis());
            status
        };
        let new = after(RunEvent::PagesPlanned(9));
        let failed = after(RunEvent::Failed("no".into()));
        let interrupted = after(RunEvent::Interrupted("died".into()));
        assert_eq!(what_to_read(&old, Some(&new)), Read::Tracker);
        assert_eq!(what_to_read(&old, Some(&old)), Read::StoreLater, "it may have died");
        assert_eq!(what_to_read(&old, Some(&failed)), Read::Store, "it may not be saved");
        assert_eq!(what_to_read(&new, Some(&old)), Read::Store, "the tracker is behind");
        assert_eq!(what_to_read(&old, None), Read::Store);
        assert_eq!(what_to_read(&interrupted, Some(&old)), Read::StoreLater);
        assert_eq!(what_to_read(&interrupted, None), Read::StoreLater);
        let mut resumed = interrupted.clone();
        resumed.apply(RunEvent::Started, now_millis());
        assert_eq!(what_to_read(&interrupted, Some(&resumed)), Read::Tracker);
    }
}
