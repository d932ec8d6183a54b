use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument as _;

/// The background tasks of a runner. Clones share them.
#[derive(Clone)]
pub(crate) struct Tasks {
    /// Canceled when the runner shuts down.
    pub(crate) shutdown: CancellationToken,
    tracker: TaskTracker,
    /// The runtime that started the runner. A caller's runtime may be that of an HTTP worker, which ends earlier.
    pub(crate) runtime: Handle,
}

impl Tasks {
    /// Spawns all tasks on the current runtime.
    pub(crate) fn new() -> Tasks {
        Tasks {
            shutdown: CancellationToken::new(),
            tracker: TaskTracker::new(),
            runtime: Handle::current(),
        }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn_on(task, &self.runtime);
    }

    /// Requests a shutdown and waits until every task has ended.
    pub(crate) async fn shut_down(&self) {
        self.shutdown.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Runs a request as its own task, which ends when the returned future is dropped: a response is read while another one
/// is being staged, however long that takes.
pub(crate) fn in_own_task<T: Send + 'static>(
    request: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> {
    let task = AbortOnDropHandle::new(tokio::spawn(request.in_current_span()));
    async { task.await.unwrap_or_else(|error| resume_unwind(error.into_panic())) }
}
