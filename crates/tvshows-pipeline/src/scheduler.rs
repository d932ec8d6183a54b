//! Starts updates by a schedule.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use tvshows_core::{RunParameters, RunStatus, Step, StoreError, Trigger};

use crate::clock::now_millis;
use crate::runner::Runner;
use crate::schedule::{MAX_CLOCK_SKEW, Schedule};

/// The longest sleep: a clock change or an update of another process can move the due time.
const MAX_SLEEP: Duration = Duration::from_mins(1);

impl Runner {
    /// Starts updates with default parameters by a schedule, until the runner shuts down. If several were
    /// missed while no process was running, one is started. When this returns, [`Runner::next_run_at`] is
    /// known.
    pub async fn schedule(&self, schedule: Schedule) {
        let scheduler = Scheduler {
            runner: self.clone(),
            schedule,
            start: now_millis(),
            jitter: fastrand::f64(),
        };
        // A failure is logged by the first tick.
        if let Ok(due) = scheduler.next_due().await {
            self.set_next_run_at(due);
        }
        self.spawn(scheduler.run());
    }
}

struct Scheduler {
    runner: Runner,
    schedule: Schedule,
    start: Timestamp,
    /// From 0 to 1.
    jitter: f64,
}

impl Scheduler {
    async fn run(self) {
        let mut was_failing = false;
        while !self.runner.is_shutting_down() {
            let tick = self.tick().await;
            if let (Err(error), false) = (&tick, was_failing) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "cannot read the last update; retrying");
            }
            was_failing = tick.is_err();
            let pause = tick.unwrap_or(MAX_SLEEP);
            // Ends early at a shutdown.
            let _ = timeout(pause.min(MAX_SLEEP), self.runner.shutdown_requested()).await;
        }
    }

    /// Starts an update if one is due. Returns the time until the next tick.
    async fn tick(&self) -> Result<Duration, StoreError> {
        let runner = &self.runner;
        let Some(due) = self.next_due().await? else { return Ok(MAX_SLEEP) };
        runner.set_next_run_at(Some(due));
        let now = now_millis();
        if due > now {
            return Ok(time_until(due, now));
        }
        match runner.submit(RunParameters::default(), Trigger::Schedule).await {
            Ok(submission) => {
                tracing::info!(run.id = %submission.status.request_id, "scheduled update submitted");
                let next = self.due_after(Some(now), now);
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

    /// When the update after the newest one is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest = self.runner.runs(1).await?.pop();
        Ok(self.due_after(newest.as_ref().map(start_time), now_millis()))
    }

    fn due_after(&self, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let due = self.schedule.next_due(last, self.start, now)?;
        Some(due + self.schedule.jitter(due, self.jitter, self.start))
    }
}

/// When a run started, by the clock of the process that submitted it or of the one that works on it, whichever is
/// ahead. By a clock that is behind, a scheduled run would seem to have started before it was due, and would be due
/// again.
fn start_time(run: &RunStatus) -> Timestamp {
    let start = run.started_at.unwrap_or(run.updated_at);
    let queued = run.steps.first().filter(|first| first.step == Step::Queued);
    let queued = queued.map_or(start, |first| first.started_at);
    if queued.duration_since(start) <= MAX_CLOCK_SKEW { start.max(queued) } else { start }
}

fn time_until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tvshows_core::{RunEvent, RunId};

    use super::*;

    /// The status of a run that a process submits at 04:00, and on which another one works whose clock differs.
    fn run_with_clock_skew(skew: SignedDuration) -> RunStatus {
        let submitted: Timestamp = "2026-11-24T04:00:00Z".parse().unwrap();
        let mut run = RunStatus::queued(RunId::random(), RunParameters::default(), "a", submitted);
        assert!(run.apply(RunEvent::Started, submitted + skew));
        run
    }

    #[test]
    fn a_run_starts_by_the_clock_that_is_ahead() {
        let start_of =
            |minutes| start_time(&run_with_clock_skew(SignedDuration::from_mins(minutes)));
        assert_eq!(start_of(4).to_string(), "2026-11-24T04:04:00Z");
        assert_eq!(start_of(-4).to_string(), "2026-11-24T04:00:00Z");
        assert_eq!(start_of(-60).to_string(), "2026-11-24T03:00:00Z", "the clock was set back");
        let mut queued = run_with_clock_skew(SignedDuration::ZERO);
        queued.started_at = None;
        assert_eq!(start_time(&queued), queued.updated_at);
    }
}
