use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Limits event streams and long polls, which hold their connection for minutes, so that other requests always find one.
pub(crate) struct StreamLimit(Arc<Semaphore>);

/// Counts an event stream or a long poll until dropped.
pub(crate) struct StreamPermit {
    _permit: OwnedSemaphorePermit,
}

impl StreamLimit {
    /// Leaves a tenth of the connections to other requests.
    pub(crate) fn new(connections: usize) -> StreamLimit {
        StreamLimit(Arc::new(Semaphore::new(connections * 9 / 10)))
    }

    /// # Errors
    ///
    /// Too many are open.
    pub(crate) fn acquire(&self) -> Result<StreamPermit, Problem> {
        let permit = self.0.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Problem::TooManyStreams)?;
        Ok(StreamPermit { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_connections_is_left() {
        for (connections, streams) in [(1, 0), (2, 1), (10, 9), (6144, 5529)] {
            let limit = StreamLimit::new(connections);
            let permits: Vec<_> = std::iter::from_fn(|| limit.acquire().ok()).collect();
            assert_eq!(permits.len(), streams, "{connections}");
            drop(permits);
            assert_eq!(limit.acquire().is_ok(), streams > 0);
        }
    }
}
