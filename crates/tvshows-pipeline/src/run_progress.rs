use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::watch;
use tvmaze_client::{Client, Stats};
use tvshows_core::{RequestCounts, RunEvent, RunStatus};

use crate::clock::now_millis;
use crate::metrics::StepTimer;

/// The live status of a run that this process works on. All changes are made through this type.
#[derive(Debug)]
pub(crate) struct RunProgress {
    status: watch::Sender<RunStatus>,
    baseline: OnceLock<RequestBaseline>,
    step_timer: Mutex<Option<StepTimer>>,
}

/// The request counts at the start of an attempt.
#[derive(Debug)]
struct RequestBaseline {
    client: Client,
    client_at_start: Stats,
    /// The run's counts in earlier attempts.
    earlier: RequestCounts,
}

impl RunProgress {
    pub(crate) fn new(status: RunStatus) -> RunProgress {
        RunProgress {
            status: watch::Sender::new(status),
            baseline: OnceLock::new(),
            step_timer: Mutex::default(),
        }
    }

    /// Counts the requests that `client` sends from now on as the run's.
    pub(crate) fn count_requests(&self, client: &Client) {
        // There is one attempt in the lifetime of this value, so nothing is set yet.
        let _ = self.baseline.set(RequestBaseline {
            client: client.clone(),
            client_at_start: client.stats(),
            earlier: self.status().counts,
        });
    }

    /// Applies an event to the visible status, without saving it.
    pub(crate) fn apply(&self, event: RunEvent) {
        self.status.send_if_modified(|status| {
            let has_new_counts = self.apply_request_counts(status);
            status.apply(event, now_millis()) || has_new_counts
        });
        self.sync_step_timer();
    }

    /// Makes the current request counts visible.
    pub(crate) fn update_request_counts(&self) {
        self.status.send_if_modified(|status| self.apply_request_counts(status));
    }

    /// Returns how many requests the run has sent.
    pub(crate) fn request_count(&self) -> u64 {
        self.baseline.get().map_or(0, |baseline| baseline.counts().requests)
    }

    pub(crate) fn max_requests(&self) -> Option<u64> {
        self.status.borrow().max_requests
    }

    fn apply_request_counts(&self, status: &mut RunStatus) -> bool {
        let counts = self.baseline.get().map(RequestBaseline::counts);
        counts.is_some_and(|counts| status.apply(RunEvent::Requests(counts), now_millis()))
    }

    /// Saves the status after `event` with `save`, which also gets the visible status, and only then
    /// makes it visible: a reader never sees more than what survives a crash.
    pub(crate) async fn checkpoint<T, E>(
        &self,
        event: RunEvent,
        save: impl AsyncFnOnce(&RunStatus, &RunStatus) -> Result<T, E>,
    ) -> Result<T, E> {
        let visible = self.status();
        let mut next = visible.clone();
        self.apply_request_counts(&mut next);
        next.apply(event.clone(), now_millis());
        let saved = save(&visible, &next).await?;
        self.status.send_if_modified(|status| {
            if status.revision == visible.revision {
                let is_change = *status != next;
                *status = next;
                return is_change;
            }
            // The request counts were updated during the save.
            status.apply(event, now_millis())
        });
        self.sync_step_timer();
        Ok(saved)
    }

    /// Makes a status visible.
    pub(crate) fn publish(&self, status: RunStatus) {
        self.status.send_replace(status);
        self.sync_step_timer();
    }

    /// Stops the timer of a step that has ended and starts that of the current step.
    fn sync_step_timer(&self) {
        let mut timer = self.step_timer.lock().unwrap_or_else(PoisonError::into_inner);
        let status = self.status.borrow();
        let step = status.running.then_some(status.step);
        if timer.as_ref().map(|timer| timer.step) != step {
            // Before the next one starts: spans nest.
            *timer = None;
            *timer = step.map(StepTimer::start);
        }
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.status.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<RunStatus> {
        self.status.subscribe()
    }
}

impl RequestBaseline {
    fn counts(&self) -> RequestCounts {
        let RequestBaseline { client, client_at_start: start, earlier } = self;
        let now = client.stats();
        RequestCounts {
            requests: earlier.requests + now.requests - start.requests,
            retries: earlier.retries + now.retries - start.retries,
            rate_limited: earlier.rate_limited + now.rate_limited - start.rate_limited,
        }
    }
}
