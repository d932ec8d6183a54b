use async_trait::async_trait;

use super::TrackerError;
use crate::{RunId, RunStatus};

/// The live status of runs, visible to every process that shares the tracker.
///
/// A tracker that fails never fails a run: callers log the error and continue.
#[async_trait]
pub trait ProgressTracker: Send + Sync {
    /// Makes `status` visible, unless a later revision, a later attempt or the end of the run already is.
    /// Returns whether it did.
    async fn publish_status(&self, status: &RunStatus) -> Result<bool, TrackerError>;

    /// Returns the visible status of a run, or `None` if there is none or it has expired.
    async fn status(&self, run: RunId) -> Result<Option<RunStatus>, TrackerError>;

    /// Checks that the backend responds.
    async fn health(&self) -> Result<(), TrackerError>;
}
