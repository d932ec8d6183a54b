use tvshows_core::{RunEvent, RunState, StoreError};

use crate::clock::now_millis;
use crate::runner_config::RunnerConfig;

/// Cancels the interrupted run, if there is one. For use before [`Runner::start`](crate::Runner::start), which
/// would resume it.
pub async fn cancel_interrupted(config: &RunnerConfig) -> Result<(), StoreError> {
    let RunnerConfig { lock, instance, .. } = config;
    if !lock.acquire(instance, None).await? {
        return Ok(());
    }
    let cancelled = cancel_started(config).await;
    lock.release(instance).await;
    cancelled
}

async fn cancel_started(config: &RunnerConfig) -> Result<(), StoreError> {
    let Some(next) = config.queue.next(&[]).await? else { return Ok(()) };
    let mut status = next.status;
    match status.state {
        RunState::Queued => return Ok(()),
        RunState::Running => status.mark_interrupted(now_millis()),
        _ => {}
    }
    status.apply(RunEvent::Cancelled, now_millis());
    config.queue.finish_unpublished(&status).await?;
    if let Some(lease) = &config.lease {
        lease.release(&status.instance).await;
    }
    (config.on_end)(&status);
    // Best effort: if the tracker fails, readers get the status from the history.
    let _ = config.tracker.publish_status(&status).await;
    Ok(())
}
