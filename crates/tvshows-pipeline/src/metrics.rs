//! Metrics about runs, for the recorder that the application may have installed.

use metrics::{counter, gauge, histogram};
use tokio::time::Instant;
use tracing::Span;
use tvshows_core::{RunState, Step};

/// The states in which this process can leave a run.
const END_STATES: [RunState; 4] =
    [RunState::Succeeded, RunState::Failed, RunState::Cancelled, RunState::Interrupted];

/// Initializes all series to 0, so that their first increase is visible as one.
pub(crate) fn register() {
    for state in END_STATES {
        counter!("tvshows_runs_total", "state" => state.into_str()).increment(0);
    }
    gauge!("tvshows_run_in_progress").set(0);
}

pub(crate) fn record_run_end(state: RunState) {
    counter!("tvshows_runs_total", "state" => state.into_str()).increment(1);
}

/// Counts a run as in progress until it is dropped.
pub(crate) struct InProgressGuard;

impl InProgressGuard {
    pub(crate) fn new() -> InProgressGuard {
        gauge!("tvshows_run_in_progress").increment(1);
        InProgressGuard
    }
}

impl Drop for InProgressGuard {
    fn drop(&mut self) {
        gauge!("tvshows_run_in_progress").decrement(1);
    }
}

/// Measures a step until it is dropped, as a span and as a duration.
#[derive(Debug)]
pub(crate) struct StepTimer {
    pub(crate) step: Step,
    started: Instant,
    _span: Span,
}

impl StepTimer {
    pub(crate) fn start(step: Step) -> StepTimer {
        let span = tracing::info_span!("step", step = step.into_str());
        tracing::debug!("step began: {step}");
        StepTimer { step, started: Instant::now(), _span: span }
    }
}

impl Drop for StepTimer {
    fn drop(&mut self) {
        histogram!("tvshows_run_step_duration_seconds", "step" => self.step.into_str())
            .record(self.started.elapsed());
    }
}
