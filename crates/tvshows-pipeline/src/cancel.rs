//! Cancels runs in the database, whether a process works on them or not.

use tvshows_core::{RunId, RunQueue, RunState, RunStatus, StoreError};

use crate::clock::now_millis;

/// Why a run cannot be canceled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no run {0}")]
    NotFound(RunId),
    #[error("run {0} has already ended")]
    Ended(RunId),
    #[error("run {0} is already publishing and can no longer be canceled")]
    AlreadyPublishing(RunId),
    #[error("run {run} belongs to another database; cancel it at {instance}")]
    OwnedByOtherInstance { run: RunId, instance: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that was canceled in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    pub status: RunStatus,
    /// Whether a process was working on the run. It notices within seconds, and is the one that reports the end.
    pub was_running: bool,
}

/// Cancels an unfinished run. A process that works on it can no longer save or publish anything.
pub async fn cancel_stored(queue: &dyn RunQueue, run: RunId) -> Result<Cancelled, CancelError> {
    loop {
        let Some(mut status) = queue.get(run).await? else {
            return Err(CancelError::NotFound(run));
        };
        if status.state.is_terminal() {
            return Err(CancelError::Ended(run));
        }
        let was_running = status.state == RunState::Running;
        status.mark_cancelled(now_millis());
        queue.finish_unpublished(&status).await?;
        // If another attempt started in the meantime, nothing was saved, so try again.
        if let Some(status) = queue.get(run).await?
            && status.state == RunState::Cancelled
        {
            return Ok(Cancelled { status, was_running });
        }
    }
}
