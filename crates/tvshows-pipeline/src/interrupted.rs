use tvshows_core::{ProgressTracker, RunEvent, RunState, RunStatus, ShowStore, StoreError};

use crate::monitor::now;

/// What is said of a run whose process died.
pub(crate) const DIED: &str =
    "the process that ran it ended first; it goes on when a service starts again";

/// Marks the status of a run as interrupted where the history says that it is running and its process
/// died. Nothing is written.
///
/// # Errors
///
/// The history cannot be read.
pub async fn mark_interrupted(
    store: &dyn ShowStore,
    status: &mut RunStatus,
) -> Result<(), StoreError> {
    if status.state != RunState::Running || store.is_claimed().await? {
        return Ok(());
    }
    // Who works by the lease alone, after a holder that was paused, has no claim to lose.
    if !store.rights().await?.claim {
        return Ok(());
    }
    // It may have ended between the two looks.
    if let Some(present) = store.run(status.request_id).await? {
        *status = present;
    }
    if status.state == RunState::Running {
        status.mark_interrupted(DIED, status.updated_at);
    }
    Ok(())
}

/// Ends a run that was begun and that no process works on, as cancelled. For before a
/// [`Runner`](crate::Runner) starts, which would go on with it.
///
/// # Errors
///
/// The history cannot be read or written.
pub async fn give_up_interrupted(
    store: &dyn ShowStore,
    tracker: &dyn ProgressTracker,
) -> Result<(), StoreError> {
    match store.claim().await {
        Err(StoreError::RunLockHeld) => return Ok(()),
        claimed => claimed?,
    }
    let given_up = cancel_begun(store, tracker).await;
    store.release().await;
    given_up
}

async fn cancel_begun(
    store: &dyn ShowStore,
    tracker: &dyn ProgressTracker,
) -> Result<(), StoreError> {
    let next = store.next_run(&[]).await?;
    let Some(mut status) = next.filter(|run| run.state != RunState::Queued) else { return Ok(()) };
    if status.state == RunState::Running {
        status.mark_interrupted(DIED, now());
    }
    status.apply(RunEvent::Cancelled, now());
    store.abandon(&status).await?;
    // A lease that is not given back ends by itself.
    let _ = tracker.release(&store.id().await?, &status.instance).await;
    // Who follows the run there learns it from the history otherwise.
    let _ = tracker.record(&status).await;
    Ok(())
}
