use std::sync::Arc;

use tvshows_core::{ProgressTracker, RunLock, RunQueue, RunStatus};

/// What a runner shares with the other processes that work on the same database.
#[derive(Clone)]
pub struct RunnerConfig {
    pub queue: Arc<dyn RunQueue>,
    /// The lock of the database. It either ends with its process, or expires; then it is renewed every second.
    pub lock: Arc<dyn RunLock>,
    /// A second lock, which expires, for processes on several machines whose `lock` ends with its process.
    pub lease: Option<Arc<dyn RunLock>>,
    pub tracker: Arc<dyn ProgressTracker>,
    /// The unique name of this process, which becomes part of the status of its runs.
    pub instance: String,
    pub on_end: OnRunEnd,
    pub role: RunnerRole,
}

/// What a process does with requests for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunnerRole {
    /// Queues them, and works on runs.
    #[default]
    Worker,
    /// Queues them for the other processes that share the queue, which work on them.
    Submitter,
    /// Rejects them.
    Reader,
}

/// Called once for each run that ends in this process, with its final status, after that is saved. Must not block.
pub type OnRunEnd = Arc<dyn Fn(&RunStatus) + Send + Sync>;
