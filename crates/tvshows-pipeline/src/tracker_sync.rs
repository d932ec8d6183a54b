use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::Instrument;
use tvshows_core::{ProgressTracker, RunStatus};

use crate::tasks::Tasks;

const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How often to try to publish the final status of a run. The history has it in any case.
const FINAL_STATUS_ATTEMPTS: u32 = 60;

/// Copies statuses to the progress tracker, in the background.
#[derive(Clone)]
pub(crate) struct TrackerSync {
    tracker: Arc<dyn ProgressTracker>,
    tasks: Tasks,
}

impl TrackerSync {
    pub(crate) fn new(tracker: Arc<dyn ProgressTracker>, tasks: Tasks) -> TrackerSync {
        TrackerSync { tracker, tasks }
    }

    /// Publishes one status.
    pub(crate) fn publish(&self, status: RunStatus) {
        let span = tracing::error_span!(parent: None, "run", run.id = %status.request_id);
        let statuses = watch::Sender::new(status).subscribe();
        self.tasks.spawn(self.clone().replicate_status(statuses).instrument(span));
    }

    /// Publishes every status of a run after the current one, until it has ended or this process no longer
    /// works on it. The current one is left out, because another process may begin the attempt first.
    pub(crate) fn follow(&self, mut statuses: watch::Receiver<RunStatus>) {
        let span =
            tracing::error_span!(parent: None, "run", run.id = %statuses.borrow().request_id);
        let sync = self.clone();
        let following = async move {
            if statuses.changed().await.is_ok() {
                sync.replicate_status(statuses).await;
            }
        };
        self.tasks.spawn(following.instrument(span));
    }

    /// If the tracker is slow, intermediate statuses are skipped; when it recovers, it gets the latest.
    ///
    /// During a shutdown, a failing tracker does not get the final status: the shutdown does not wait for it.
    async fn replicate_status(self, mut statuses: watch::Receiver<RunStatus>) {
        let shutdown = &self.tasks.shutdown;
        let mut failures = 0;
        loop {
            let status = statuses.borrow_and_update().clone();
            let is_final =
                status.state.is_terminal() || (!status.running && shutdown.is_cancelled());
            match self.tracker.publish_status(&status).await {
                Ok(_) => {
                    if failures > 0 {
                        tracing::info!(failures, "the progress is published again");
                    }
                    failures = 0;
                    if is_final || statuses.changed().await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    if failures == 0 {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "cannot publish the progress; the run continues");
                    }
                    failures += 1;
                    if is_final && (failures >= FINAL_STATUS_ATTEMPTS || shutdown.is_cancelled()) {
                        return;
                    }
                    if is_final {
                        // A shutdown during the delay leaves one more attempt.
                        let _ = timeout(RETRY_DELAY, shutdown.cancelled()).await;
                    } else {
                        sleep(RETRY_DELAY).await;
                    }
                }
            }
        }
    }
}
