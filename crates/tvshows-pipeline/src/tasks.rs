use std::panic::resume_unwind;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
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

/// Returns batches of all responses that have arrived, at most `max_len`, and a future that receives them. To be awaited
/// together with the staging of the batches, so that requests are sent meanwhile.
pub(crate) fn in_batches<T, E>(
    mut responses: BoxStream<'_, Result<T, E>>,
    max_len: usize,
) -> (impl Future<Output = Result<(), E>>, Batches<T, E>) {
    let (sender, receiver) = mpsc::channel(max_len);
    let receiving = async move {
        while let Some(response) = responses.next().await {
            let is_error = response.is_err();
            if sender.send(response).await.is_err() || is_error {
                break;
            }
        }
        Ok(())
    };
    (receiving, Batches { receiver, max_len, error: None })
}

/// The batches of [`in_batches`].
pub(crate) struct Batches<T, E> {
    receiver: mpsc::Receiver<Result<T, E>>,
    max_len: usize,
    error: Option<E>,
}

impl<T, E> Batches<T, E> {
    /// Returns the next batch, or an error after the batches of everything that arrived before it.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<T>>, E> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut arrived = Vec::with_capacity(self.max_len);
        self.receiver.recv_many(&mut arrived, self.max_len).await;
        let mut batch = Vec::with_capacity(arrived.len());
        for response in arrived {
            match response {
                Ok(response) => batch.push(response),
                Err(error) => self.error = Some(error),
            }
        }
        match self.error.take_if(|_| batch.is_empty()) {
            Some(error) => Err(error),
            None => Ok(Some(batch).filter(|batch| !batch.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn what_arrived_before_an_error_is_returned_before_it() {
        let responses = stream::iter([Ok(1), Ok(2), Ok(3), Err("lost"), Ok(4)]).boxed();
        let (receiving, mut batches) = in_batches(responses, 2);
        let staging = async {
            let mut staged = Vec::new();
            let error = loop {
                match batches.next().await {
                    Ok(batch) => staged.push(batch.expect("not the end")),
                    Err(error) => break error,
                }
            };
            assert_eq!((staged.concat(), error), (vec![1, 2, 3], "lost"));
            assert!(staged.iter().all(|batch| batch.len() <= 2));
            Ok(())
        };
        futures::future::try_join(receiving, staging).await.unwrap();
    }
}
