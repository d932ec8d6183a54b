//! The run that this process works on, and those that have ended here recently. The queue is in the store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;
use tvshows_core::{RunId, RunStatus, Step};

use crate::run_progress::RunProgress;

/// How many ended runs are cached. The history has all of them.
const RECENT_CAPACITY: usize = 32;

/// A run that this process works on or has worked on.
#[derive(Debug)]
pub(crate) struct LocalRun {
    pub(crate) id: RunId,
    pub(crate) progress: RunProgress,
    pub(crate) cancel: CancellationToken,
}

impl LocalRun {
    pub(crate) fn new(status: RunStatus) -> LocalRun {
        let id = status.request_id;
        LocalRun { id, progress: RunProgress::new(status), cancel: CancellationToken::new() }
    }
}

/// The outcome of a cancel request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CancelOutcome {
    /// The run will stop at its next step.
    Requested,
    /// It is too late: the run is publishing.
    AlreadyPublishing,
    /// This process does not work on the run.
    NotLocal,
}

#[derive(Default)]
pub(crate) struct LocalRuns {
    runs: Mutex<Runs>,
    run_started: Notify,
}

#[derive(Default)]
struct Runs {
    current: Option<Arc<LocalRun>>,
    recent: VecDeque<Arc<LocalRun>>,
}

impl LocalRuns {
    pub(crate) fn start(&self, run: Arc<LocalRun>) {
        self.lock().current = Some(run);
        self.run_started.notify_waiters();
    }

    /// Completes when a run starts here after this call.
    pub(crate) fn run_started(&self) -> Notified<'_> {
        self.run_started.notified()
    }

    /// Removes the current run. If it has ended, it is cached, because its end may not be saved yet.
    pub(crate) fn finish(&self) {
        let mut runs = self.lock();
        let Some(run) = runs.current.take() else { return };
        if run.progress.status().state.is_terminal() {
            runs.recent.push_back(run);
        }
        if runs.recent.len() > RECENT_CAPACITY {
            runs.recent.pop_front();
        }
    }

    /// Removes an ended run that another process continues.
    pub(crate) fn forget(&self, id: RunId) {
        self.lock().recent.retain(|run| run.id != id);
    }

    /// Requests that a run stops.
    pub(crate) fn cancel(&self, id: RunId) -> CancelOutcome {
        let runs = self.lock();
        let Some(run) = runs.current.as_ref().filter(|run| run.id == id) else {
            return CancelOutcome::NotLocal;
        };
        if run.progress.status().state.is_terminal() {
            return CancelOutcome::NotLocal;
        }
        // Request first, then check the step. The run does both in reverse order, so one of the two sees the other.
        run.cancel.cancel();
        match run.progress.status().step {
            Step::Publishing => CancelOutcome::AlreadyPublishing,
            _ => CancelOutcome::Requested,
        }
    }

    /// Returns the runs that have ended or will be canceled, even if the history does not say so yet.
    pub(crate) fn ended(&self) -> Vec<RunId> {
        let has_ended = |run: &&Arc<LocalRun>| {
            let status = run.progress.status();
            status.state.is_terminal()
                || (run.cancel.is_cancelled() && status.step != Step::Publishing)
        };
        self.lock().iter().filter(has_ended).map(|run| run.id).collect()
    }

    /// Returns the current run or a recent one.
    pub(crate) fn find(&self, id: RunId) -> Option<Arc<LocalRun>> {
        self.lock().iter().find(|run| run.id == id).cloned()
    }

    pub(crate) fn has_current(&self) -> bool {
        self.lock().current.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    fn iter(&self) -> impl Iterator<Item = &Arc<LocalRun>> {
        self.current.iter().chain(&self.recent)
    }
}

#[cfg(test)]
mod tests {
    use tvshows_core::{ChangeCounts, RunEvent, RunParameters};

    use super::*;
    use crate::clock::now_millis;

    fn started() -> (LocalRuns, Arc<LocalRun>) {
        let parameters = RunParameters::default();
        let status = RunStatus::queued(RunId::random(), parameters, "here", now_millis());
        let run = Arc::new(LocalRun::new(status));
        run.progress.apply(RunEvent::Started);
        let runs = LocalRuns::default();
        runs.start(Arc::clone(&run));
        (runs, run)
    }

    #[test]
    fn a_run_is_cancelled_until_it_publishes() {
        let (runs, run) = started();
        assert_eq!(runs.cancel(run.id), CancelOutcome::Requested);
        assert_eq!(runs.ended(), [run.id], "no request joins it any more");
        run.progress.apply(RunEvent::StepBegan(Step::Publishing));
        assert_eq!(runs.cancel(run.id), CancelOutcome::AlreadyPublishing);
        assert!(runs.ended().is_empty(), "it publishes, and may be joined");
        run.progress.apply(RunEvent::Succeeded(ChangeCounts::default()));
        assert_eq!(runs.cancel(run.id), CancelOutcome::NotLocal);
        assert_eq!(runs.cancel(RunId::random()), CancelOutcome::NotLocal);
    }

    #[test]
    fn what_ended_is_remembered_and_what_did_not_is_not() {
        let (runs, run) = started();
        runs.finish();
        assert!(runs.find(run.id).is_none(), "another process may have it");
        run.progress.apply(RunEvent::Failed("no".into()));
        runs.start(Arc::clone(&run));
        runs.finish();
        assert!(runs.find(run.id).is_some());
        runs.forget(run.id);
        assert!(runs.find(run.id).is_none() && runs.ended().is_empty());
    }
}
