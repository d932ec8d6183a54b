use tvshows_core::{RunStatus, StoreError};

/// How many runs can wait for the current one.
pub const QUEUE_CAPACITY: u32 = 16;

/// How a request for a run was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The status of the run that handles the request.
    pub status: RunStatus,
    /// Whether that run is new.
    pub kind: SubmissionKind,
}

/// How a run handles a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionKind {
    /// A new run that starts immediately.
    Started,
    /// An unfinished run with the same parameters.
    Joined,
    /// A new run that waits for others.
    Queued {
        /// How many runs are ahead of it.
        ahead: u32,
    },
}

/// Why a request for a run was rejected.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("{QUEUE_CAPACITY} runs are waiting already; try again after one has ended")]
    QueueFull,
    #[error(
        "updates are turned off at this service (UPDATES=off); start one with `tvshows update`, or at a service that \
         runs updates"
    )]
    UpdatesOff,
    #[error("the service is shutting down; try again in a moment")]
    ShuttingDown,
    #[error(transparent)]
    Store(#[from] StoreError),
}
