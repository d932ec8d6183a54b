//! Numbers for the recorder of the `metrics` facade that the application may have installed.

use metrics::{counter, gauge, histogram};
use tokio::time::Instant;
use tracing::Span;
use tvshows_core::{RunState, Step};

/// How this process may be done with a run.
const ENDS: [RunState; 4] =
    [RunState::Succeeded, RunState::Failed, RunState::Cancelled, RunState::Interrupted];

/// Shows that no run has ended yet: what is not there cannot be seen to grow.
pub(crate) fn start() {
    for state in ENDS {
        counter!("tvshows_runs_total", "state" => state.as_str()).increment(0);
    }
    gauge!("tvshows_run_in_progress").set(0);
}

pub(crate) fn ended(state: RunState) {
    counter!("tvshows_runs_total", "state" => state.as_str()).increment(1);
}

/// This process works on a run while it lives.
pub(crate) struct InProgress;

impl InProgress {
    pub(crate) fn begin() -> InProgress {
        gauge!("tvshows_run_in_progress").increment(1);
        InProgress
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        gauge!("tvshows_run_in_progress").decrement(1);
    }
}

/// A step under way: a span, and a duration that is known when it ends.
#[derive(Debug)]
pub(crate) struct StepUnderWay {
    pub(crate) step: Step,
    since: Instant,
    _span: Span,
}

impl StepUnderWay {
    pub(crate) fn begin(step: Step) -> StepUnderWay {
        let span = tracing::info_span!("step", step = step.as_str());
        StepUnderWay { step, since: Instant::now(), _span: span }
    }
}

impl Drop for StepUnderWay {
    fn drop(&mut self) {
        histogram!("tvshows_run_step_duration_seconds", "step" => self.step.as_str())
            .record(self.since.elapsed());
    }
}
