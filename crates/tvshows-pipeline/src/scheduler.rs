//! Starts updates by a schedule.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tvshows_core::{RunParameters, StoreError, Trigger};

use crate::clock::now_millis;
use crate::runner::Runner;
use crate::schedule::Schedule;

/// The longest sleep: a clock change or an update of another process can move the due time.
const MAX_SLEEP: Duration = Duration::from_mins(1);

impl Runner {
    /// Starts updates with default parameters by a schedule, until the runner shuts down. If several were
    /// missed while no process was running, one is started.
    pub fn schedule(&self, schedule: Schedule) {
        self.spawn(run_schedule(self.clone(), schedule));
    }
}

async fn run_schedule(runner: Runner, schedule: Schedule) {
    let (start, jitter) = (now_millis(), fastrand::f64());
    while !runner.is_shutting_down() {
        let pause = tick(&runner, &schedule, start, jitter).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot read the last update; retrying");
            MAX_SLEEP
        });
        // Ends early at a shutdown.
        let _ = timeout(pause.min(MAX_SLEEP), runner.shutdown_requested()).await;
    }
}

/// Starts an update if one is due. Returns the time until the next tick.
async fn tick(
    runner: &Runner,
    schedule: &Schedule,
    start: Timestamp,
    jitter: f64,
) -> Result<Duration, StoreError> {
    let newest = runner.runs(1).await?.pop();
    let last = newest.as_ref().map(|run| run.started_at.unwrap_or(run.updated_at));
    let now = now_millis();
    let next_due = |last| {
        let due = schedule.next_due(last, start, now)?;
        Some(due + schedule.jitter(due, jitter, start))
    };
    let Some(due) = next_due(last) else { return Ok(MAX_SLEEP) };
    runner.set_next_run_at(Some(due));
    if due > now {
        return Ok(time_until(due, now));
    }
    match runner.submit(RunParameters::default(), Trigger::Schedule).await {
        Ok(submission) => {
            tracing::info!(run.id = %submission.status.request_id, "scheduled update submitted");
            let next = next_due(Some(now));
            runner.set_next_run_at(next);
            return Ok(next.map_or(MAX_SLEEP, |next| time_until(next, now)));
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a scheduled update could not be submitted");
        }
    }
    Ok(MAX_SLEEP)
}

fn time_until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}
