//! Repeats storage operations while the database is locked or its server is unreachable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tvshows_core::StoreError;

use crate::error::RunError;
use crate::run_ownership::OwnershipLoss;

/// How long an operation is repeated before the run is left interrupted. A server that fails over takes ten seconds.
const MAX_WAIT: Duration = Duration::from_mins(1);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// What stops an attempt at a run before it has ended.
#[derive(Clone, Default)]
pub(crate) struct StopSignals {
    pub(crate) shutdown: CancellationToken,
    pub(crate) cancel: CancellationToken,
    /// Set when this process no longer owns the run.
    pub(crate) ownership_loss: Arc<SetOnce<OwnershipLoss>>,
}

impl StopSignals {
    /// Completes when the attempt must stop, and returns the reason.
    pub(crate) async fn stopped(&self) -> RunError {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => RunError::ShutDown,
            () = self.cancel.cancelled() => RunError::Cancelled,
            loss = self.ownership_loss.wait() => match loss {
                OwnershipLoss::Taken => StoreError::Fenced.into(),
                OwnershipLoss::Expiring => RunError::LockExpired,
            },
        }
    }

    /// The same signals for a run that is publishing, which can no longer be canceled.
    pub(crate) fn without_cancel(&self) -> StopSignals {
        StopSignals { cancel: CancellationToken::new(), ..self.clone() }
    }

    /// Performs a storage operation, and repeats it while it fails with a transient error.
    ///
    /// # Errors
    ///
    /// The reason to stop, if there is one during the wait; [`RunError::StoreUnreachable`], or the transient error,
    /// after [`MAX_WAIT`]; any other error of the operation immediately.
    pub(crate) async fn retry<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        operation: impl Fn() -> F,
    ) -> Result<T, RunError> {
        let mut failing_since = None;
        let mut delay = FIRST_DELAY;
        loop {
            let error = match operation().await {
                Err(error) if error.is_transient() => error,
                result => {
                    if let Some(since) = failing_since {
                        let waited_ms = milliseconds_since(since);
                        tracing::info!(waited_ms, "the database is available again");
                    }
                    return Ok(result?);
                }
            };
            let since = *failing_since.get_or_insert_with(|| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "the database is unavailable; the run waits for up to {} s",
                    MAX_WAIT.as_secs()
                );
                Instant::now()
            });
            if since.elapsed() >= MAX_WAIT {
                let waited_ms = milliseconds_since(since);
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(error = cause, waited_ms, "the database is still unavailable");
                return Err(match error {
                    StoreError::Unreachable { .. } => RunError::StoreUnreachable,
                    error => error.into(),
                });
            }
            tokio::select! {
                biased;
                reason = self.stopped() => return Err(reason),
                () = sleep(delay) => {}
            }
            delay = MAX_DELAY.min(2 * delay);
        }
    }
}

fn milliseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    fn unreachable() -> StoreError {
        StoreError::Unreachable { backend: "a server".into(), source: "gone".into() }
    }

    /// The result of an operation that fails like this until `seconds` have passed, and how often it was tried.
    async fn outcome(
        signals: &StopSignals,
        error: impl Fn() -> StoreError,
        seconds: u64,
    ) -> (Result<(), RunError>, u32) {
        let (start, tries) = (Instant::now(), AtomicU32::new(0));
        let operation = || {
            tries.fetch_add(1, Relaxed);
            ready(if start.elapsed().as_secs() < seconds { Err(error()) } else { Ok(()) })
        };
        let result = signals.retry(operation).await;
        (result, tries.load(Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn a_transient_error_is_waited_out_for_a_minute() {
        let signals = StopSignals::default();
        for error in [unreachable, || StoreError::DatabaseBusy] {
            let (result, tries) = outcome(&signals, error, 50).await;
            assert!(result.is_ok() && tries > 10 && tries < 60, "{result:?} {tries}");
        }
        let start = Instant::now();
        let (result, _) = outcome(&signals, unreachable, 90).await;
        assert!(matches!(result, Err(RunError::StoreUnreachable)), "{result:?}");
        assert_eq!(start.elapsed().as_secs(), 60);
        let (result, _) = outcome(&signals, || StoreError::DatabaseBusy, 90).await;
        assert!(matches!(result, Err(RunError::Store(StoreError::DatabaseBusy))), "{result:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_error_is_returned_at_once() {
        let signals = StopSignals::default();
        let (result, tries) = outcome(&signals, || StoreError::ReadOnly, 1).await;
        assert!(matches!(result, Err(RunError::Store(StoreError::ReadOnly))), "{result:?}");
        assert_eq!(tries, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_repeated_once_the_run_must_stop() {
        let shut_down = StopSignals::default();
        shut_down.shutdown.cancel();
        let cancelled = StopSignals::default();
        cancelled.cancel.cancel();
        let lost = |loss| {
            let signals = StopSignals::default();
            signals.ownership_loss.set(loss).unwrap();
            signals
        };
        let expected =
            "the service shut down, the run was canceled, the lock on updates, another process";
        let stopped =
            [shut_down, cancelled, lost(OwnershipLoss::Expiring), lost(OwnershipLoss::Taken)];
        for (signals, expected) in stopped.iter().zip(expected.split(", ")) {
            let (result, tries) = outcome(signals, unreachable, 1).await;
            let error = result.unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert_eq!(tries, 1);
        }
        let publishing = stopped[1].without_cancel();
        assert!(outcome(&publishing, unreachable, 1).await.0.is_ok());
    }
}
