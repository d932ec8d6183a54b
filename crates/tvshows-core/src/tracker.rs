use async_trait::async_trait;

use crate::{RunId, RunStatus};

/// Where the live status of runs is kept for everyone who asks.
///
/// A tracker that fails never fails a run: callers log the error and go on.
#[async_trait]
pub trait ProgressTracker: Send + Sync {
    /// Makes `status` visible, unless a later revision or the run's end already is. `false` says that
    /// it came too late and changed nothing.
    async fn record(&self, status: &RunStatus) -> Result<bool, TrackerError>;

    /// What is visible of a run; `None` when nothing was recorded or it has expired.
    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError>;

    /// Answers when the backend does.
    async fn check(&self) -> Result<(), TrackerError>;
}

/// Why a tracker could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerError {
    /// The backend did not answer, or not in time.
    #[error("the progress tracker does not answer")]
    Unavailable {
        /// What the backend's library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored for the run is not a status.
    #[error("the progress tracker holds no readable status for run {run}")]
    Unreadable {
        /// The run.
        run: RunId,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
}
