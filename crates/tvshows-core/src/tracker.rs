use std::time::Duration;

use async_trait::async_trait;

use crate::{RunId, RunStatus};

/// Where the live status of runs is kept for everyone who asks, and who may work on which data.
///
/// A tracker that fails never fails a run: callers log the error and go on.
#[async_trait]
pub trait ProgressTracker: Send + Sync {
    /// Whether other processes see what is recorded, and who holds which lease.
    fn is_shared(&self) -> bool;

    /// Takes the lease of some `data` for `holder`, or renews it. `false` says that another holder has it;
    /// the lease of `dead`, a holder known to be gone, counts for nothing. Where several processes share
    /// the tracker, a lease that is not renewed ends by itself after [`LEASE_TTL`].
    async fn lease(
        &self,
        data: &str,
        holder: &str,
        dead: Option<&str>,
    ) -> Result<bool, TrackerError>;

    /// Who has the lease of some `data`.
    async fn lease_holder(&self, data: &str) -> Result<Option<String>, TrackerError>;

    /// Gives a lease back, if it is `holder`'s.
    async fn release(&self, data: &str, holder: &str) -> Result<(), TrackerError>;

    /// Makes `status` visible, unless a later revision, a later attempt or the run's end already is.
    /// `false` says that it came too late and changed nothing.
    async fn record(&self, status: &RunStatus) -> Result<bool, TrackerError>;

    /// What is visible of a run; `None` when nothing was recorded or it has expired.
    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError>;

    /// Answers when the backend does.
    async fn check(&self) -> Result<(), TrackerError>;
}

/// How long a lease lasts that is not renewed. A few renewals must fit in, and an operator must not wait
/// long for another process to take over from one that is gone.
pub const LEASE_TTL: Duration = Duration::from_secs(15);

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
    InvalidStatus {
        /// The run.
        run: RunId,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
}
