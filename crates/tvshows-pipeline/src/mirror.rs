use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tvshows_core::{ProgressTracker, RunStatus, TrackerError};

/// The wait after the tracker failed.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How often the end of a run is offered to a tracker that fails. The history has it anyhow.
const LAST_ATTEMPTS: u32 = 60;

/// Copies a run's status to the tracker until the run is over here. A slow tracker gets fewer of the
/// changes, always the latest; one that comes back gets the whole status.
///
/// Once `stopped`, a tracker that fails is not offered the end of a run again: nobody waits for Redis.
pub(crate) async fn mirror(
    tracker: Arc<dyn ProgressTracker>,
    mut statuses: watch::Receiver<RunStatus>,
    stopped: CancellationToken,
) {
    let mut failures = 0;
    loop {
        let status = statuses.borrow_and_update().clone();
        let is_over = status.state.is_terminal() || (!status.running && stopped.is_cancelled());
        match tracker.record(&status).await {
            Ok(_) => {
                if failures > 0 {
                    tracing::info!(failures, "the progress tracker works again");
                }
                failures = 0;
                if is_over || statuses.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                if failures == 0 {
                    warn(&error);
                }
                failures += 1;
                if is_over && (failures >= LAST_ATTEMPTS || stopped.is_cancelled()) {
                    return;
                }
                if is_over {
                    // The end of the run is offered once more when the service stops meanwhile.
                    let _ = timeout(RETRY_DELAY, stopped.cancelled()).await;
                } else {
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }
}

fn warn(error: &TrackerError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, "the progress tracker fails; the run goes on");
}
