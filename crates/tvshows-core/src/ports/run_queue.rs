use async_trait::async_trait;

use super::{RunSession, StoreError};
use crate::{RunId, RunStatus};

/// The history of runs, which is also the queue, shared by all processes that use the database.
///
/// A run stored as `running` whose lock is free is returned as `interrupted`, so no caller has to check.
#[async_trait]
pub trait RunQueue: Send + Sync {
    /// Returns the id of the database, the same in every process and after every restart.
    async fn database_id(&self) -> Result<String, StoreError>;

    /// Adds a queued run, or joins an unfinished one with the same parameters that is not in `except`. At
    /// most `max_waiting` runs wait.
    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError>;

    /// Returns the next run to work on that is not in `except`: a started but unfinished run first, then
    /// the waiting ones in the order of their requests.
    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError>;

    /// Returns the last `limit` runs, newest first.
    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError>;

    /// Returns a run, or `None` if it does not exist.
    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError>;

    /// Saves the status of a run that this process does not work on, unless the run has ended or a later
    /// attempt has started.
    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError>;

    /// Ends a run without publishing: saves its final status and discards what this attempt staged, except what the
    /// [next run reuses](Self::begin) if the run failed. Does nothing if the run has ended or a later attempt has
    /// started. May be repeated after a failure.
    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError>;

    /// Starts the attempt at a run that `status` describes, and saves that status. Counts it as a
    /// [stalled attempt](NextRun::stalled_attempts) until it stages something or is stopped.
    ///
    /// What an earlier attempt at the same run staged remains. What another run staged is discarded, with one exception:
    /// unless the mode of this run is [`FetchMode::Full`](crate::FetchMode::Full), it can reuse the details, and the
    /// shows if that run was [incremental](RunSession::start_incremental).
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the run has ended, or this or a later attempt has started already.
    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError>;

    /// Closes the store and leaves everything in its main file. Best effort: what fails is completed when
    /// the store is opened again.
    async fn close(&self);
}

/// How a request for a run was handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// A new run was added.
    New(RunStatus),
    /// An unfinished run has the same parameters.
    Joined(RunStatus),
    /// The queue is full.
    Full,
}

/// A run to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRun {
    pub status: RunStatus,
    /// The locks that its last attempt held; neither if it never started.
    pub ownership: Ownership,
    /// How many attempts in a row have begun, and have neither staged anything nor been stopped.
    pub stalled_attempts: u32,
}

/// The locks that a process holds while it works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ownership {
    /// The lock of the database.
    pub lock: bool,
    /// The lease, which expires, in addition to a lock that ends with its process.
    pub lease: bool,
}
