//! The run that this process works on, and those that it ended a short while ago. The queue is the store's.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tvshows_core::{RunId, RunStatus, Step};

use crate::monitor::Monitor;

/// How many ended runs are remembered here; the history has all of them.
const REMEMBERED: usize = 32;

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) run: RunId,
    pub(crate) monitor: Monitor,
    pub(crate) cancelled: CancellationToken,
}

impl Entry {
    pub(crate) fn new(status: RunStatus) -> Entry {
        let run = status.request_id;
        Entry { run, monitor: Monitor::new(status), cancelled: CancellationToken::new() }
    }
}

/// What became of a cancel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// The run stops at its next step.
    Told,
    /// The run publishes.
    TooLate,
    /// This process does not work on it.
    NotHere,
}

#[derive(Default)]
pub(crate) struct InHand {
    current: Option<Arc<Entry>>,
    ended: VecDeque<Arc<Entry>>,
}

impl InHand {
    pub(crate) fn take(&mut self, entry: Arc<Entry>) {
        self.current = Some(entry);
    }

    /// Lets go of the current run. One that is over is remembered: it may be that only this process knows.
    pub(crate) fn let_go(&mut self) {
        let Some(entry) = self.current.take() else { return };
        if entry.monitor.status().state.is_terminal() {
            self.ended.push_back(entry);
        }
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }

    /// Tells a run to stop.
    pub(crate) fn cancel(&mut self, run: RunId) -> Cancelled {
        let Some(entry) = self.current.as_ref().filter(|entry| entry.run == run) else {
            return Cancelled::NotHere;
        };
        let status = entry.monitor.status();
        if status.state.is_terminal() {
            return Cancelled::NotHere;
        }
        // First told, then looked at: a run looks whether it is told after it said that it publishes.
        entry.cancelled.cancel();
        match entry.monitor.status().step {
            Step::Publishing => Cancelled::TooLate,
            _ => Cancelled::Told,
        }
    }

    /// The runs that are over, or cancelled in time, whatever the history says of them.
    pub(crate) fn ended(&self) -> Vec<RunId> {
        let is_over = |entry: &&Arc<Entry>| {
            let status = entry.monitor.status();
            status.state.is_terminal()
                || (entry.cancelled.is_cancelled() && status.step != Step::Publishing)
        };
        self.entries().filter(is_over).map(|entry| entry.run).collect()
    }

    /// A run that is in hand, or ended a short while ago.
    pub(crate) fn find(&self, run: RunId) -> Option<Arc<Entry>> {
        self.entries().find(|entry| entry.run == run).cloned()
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.current.iter().chain(&self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tvshows_core::{ChangeCounts, RunEvent, RunParameters};

    use crate::monitor::now;

    fn under_way() -> (InHand, Arc<Entry>) {
        let parameters = RunParameters::default();
        let status = RunStatus::queued(RunId::random(), parameters, "here", now());
        let entry = Arc::new(Entry::new(status));
        entry.monitor.record(RunEvent::Started);
        let mut in_hand = InHand::default();
        in_hand.take(Arc::clone(&entry));
        (in_hand, entry)
    }

    #[test]
    fn a_run_is_cancelled_until_it_publishes() {
        let (mut in_hand, entry) = under_way();
        assert_eq!(in_hand.cancel(entry.run), Cancelled::Told);
        assert_eq!(in_hand.ended(), [entry.run], "nobody joins it any more");
        entry.monitor.record(RunEvent::StepBegan(Step::Publishing));
        assert_eq!(in_hand.cancel(entry.run), Cancelled::TooLate);
        assert!(in_hand.ended().is_empty(), "it publishes, and may be joined");
        entry.monitor.record(RunEvent::Succeeded(ChangeCounts::default()));
        assert_eq!(in_hand.cancel(entry.run), Cancelled::NotHere);
        assert_eq!(in_hand.cancel(RunId::random()), Cancelled::NotHere);
    }

    #[test]
    fn what_ended_is_remembered_and_what_did_not_is_not() {
        let (mut in_hand, entry) = under_way();
        in_hand.let_go();
        assert!(in_hand.find(entry.run).is_none(), "another process may have it");
        entry.monitor.record(RunEvent::Failed("no".into()));
        in_hand.take(Arc::clone(&entry));
        in_hand.let_go();
        assert!(in_hand.find(entry.run).is_some());
    }
}
