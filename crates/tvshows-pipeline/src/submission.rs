use tvshows_core::{RunStatus, StoreError};

/// How many runs may wait for the one under way.
pub const QUEUE_LENGTH: u32 = 16;

/// What became of a request for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The status of the run that will do it.
    pub status: RunStatus,
    /// How it will do it.
    pub kind: SubmissionKind,
}

/// How a request for a run is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionKind {
    /// By a new run, at once.
    Started,
    /// By an unfinished run with the same parameters.
    Joined,
    /// By a new run that waits for others.
    Queued {
        /// How many runs end before it begins.
        ahead: u32,
    },
}

/// Why a request for a run is refused.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// As many runs wait as may.
    #[error("{QUEUE_LENGTH} runs are waiting already; try again when one has ended")]
    QueueFull,
    /// The service stops.
    #[error("the service is stopping; try again in a moment")]
    Stopping,
    /// The request cannot be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}
