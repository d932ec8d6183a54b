use tvshows_core::{Event, ProgressTracker, RunState, ShowStore, StoreError};

use crate::monitor::now;
use crate::runner::DIED;

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
        Err(StoreError::Busy) => return Ok(()),
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
        status.presume_dead(DIED, now());
    }
    status.apply(Event::Cancelled, now());
    store.abandon(&status).await?;
    // Who follows the run there learns it from the history otherwise.
    let _ = tracker.record(&status).await;
    Ok(())
}
