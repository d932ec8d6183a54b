//! Which run is under way, which wait, and which just ended. No I/O, no waiting.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tvshows_core::{Event, RunId, RunParameters, RunStatus, Step};

use crate::monitor::Monitor;

/// How many runs may wait for the one under way.
pub const QUEUE_LENGTH: usize = 16;
/// How many ended runs are remembered here; the history has all of them.
const REMEMBERED: usize = 32;

/// What became of a request for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The status of the run that will do it.
    pub status: RunStatus,
    /// How it will do it.
    pub kind: SubmissionKind,
}

/// How a request for a run is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionKind {
    /// By a new run, at once.
    Started,
    /// By a run with the same parameters that is under way or waits.
    Joined,
    /// By a new run that waits for others.
    Queued {
        /// How many runs end before it begins.
        ahead: usize,
    },
}

/// Why a request for a run is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// As many runs wait as may.
    #[error("{QUEUE_LENGTH} runs are waiting already; try again when one has ended")]
    QueueFull,
    /// The service stops.
    #[error("the service is stopping; try again in a moment")]
    Stopping,
}

/// What became of a cancel.
pub(crate) enum Cancelled {
    /// The run under way stops at its next step.
    Told,
    /// The run waited and is over; its end is to be written.
    AtOnce(Arc<Entry>),
    /// The run publishes.
    TooLate,
    /// No such run is live here.
    NotLive,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) run: RunId,
    pub(crate) parameters: RunParameters,
    pub(crate) monitor: Monitor,
    pub(crate) cancelled: CancellationToken,
}

impl Entry {
    pub(crate) fn new(parameters: RunParameters, status: RunStatus) -> Entry {
        let run = status.request_id;
        Entry {
            run,
            parameters,
            monitor: Monitor::new(status),
            cancelled: CancellationToken::new(),
        }
    }

    /// Whether the run is still to be done. It may be over before the queue has moved on.
    fn is_live(&self) -> bool {
        self.monitor.status().state.is_live()
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) current: Option<Arc<Entry>>,
    waiting: VecDeque<Arc<Entry>>,
    ended: VecDeque<Arc<Entry>>,
    closed: bool,
}

impl Queue {
    /// The entry that meets a request, and how; `new` makes one where none does.
    pub(crate) fn submit(
        &mut self,
        parameters: RunParameters,
        new: impl FnOnce() -> Entry,
    ) -> Result<(Arc<Entry>, SubmissionKind), SubmitError> {
        if self.closed {
            return Err(SubmitError::Stopping);
        }
        let joins = |entry: &&Arc<Entry>| {
            entry.parameters == parameters && !entry.cancelled.is_cancelled() && entry.is_live()
        };
        if let Some(entry) = self.live().find(joins) {
            return Ok((Arc::clone(entry), SubmissionKind::Joined));
        }
        if self.current.is_none() {
            let entry = Arc::new(new());
            self.current = Some(Arc::clone(&entry));
            return Ok((entry, SubmissionKind::Started));
        }
        if self.waiting.len() == QUEUE_LENGTH {
            return Err(SubmitError::QueueFull);
        }
        let entry = Arc::new(new());
        self.waiting.push_back(Arc::clone(&entry));
        Ok((entry, SubmissionKind::Queued { ahead: self.waiting.len() }))
    }

    /// Puts the current run with those that ended, and the next one in its place.
    pub(crate) fn advance(&mut self) {
        if let Some(entry) = self.current.take() {
            self.remember(entry);
        }
        self.current = self.waiting.pop_front();
    }

    /// Tells a live run to stop.
    pub(crate) fn cancel(&mut self, run: RunId) -> Cancelled {
        if let Some(entry) = self.current.as_ref().filter(|entry| entry.run == run) {
            entry.cancelled.cancel();
            let status = entry.monitor.status();
            return match (status.state.is_live(), status.step) {
                (false, _) => Cancelled::NotLive,
                (true, Step::Publishing) => Cancelled::TooLate,
                (true, _) => Cancelled::Told,
            };
        }
        let place = self.waiting.iter().position(|entry| entry.run == run);
        let Some(entry) = place.and_then(|place| self.waiting.remove(place)) else {
            return Cancelled::NotLive;
        };
        entry.monitor.record(Event::Cancelled);
        self.remember(Arc::clone(&entry));
        Cancelled::AtOnce(entry)
    }

    /// Refuses requests from now on, and ends the runs that wait.
    pub(crate) fn close(&mut self, reason: &str) -> Vec<Arc<Entry>> {
        self.closed = true;
        let waiting: Vec<_> = self.waiting.drain(..).collect();
        for entry in &waiting {
            entry.monitor.record(Event::Interrupted(reason.into()));
            self.remember(Arc::clone(entry));
        }
        waiting
    }

    fn live(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.current.iter().chain(&self.waiting)
    }

    /// The runs that wait, in the order of their turns.
    pub(crate) fn waiting(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.waiting.iter()
    }

    /// The run under way and those that ended a short while ago.
    pub(crate) fn begun(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.current.iter().chain(&self.ended)
    }

    /// A run that is live or ended a short while ago.
    pub(crate) fn find(&self, run: RunId) -> Option<Arc<Entry>> {
        self.live().chain(&self.ended).find(|entry| entry.run == run).cloned()
    }

    fn remember(&mut self, entry: Arc<Entry>) {
        self.ended.push_back(entry);
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tvshows_core::Changes;

    use crate::monitor::now;

    fn under_way() -> (Queue, Arc<Entry>) {
        let mut queue = Queue::default();
        let new = || {
            let parameters = RunParameters::default();
            Entry::new(parameters, RunStatus::queued(RunId::random(), parameters, "here", now()))
        };
        let (entry, _) = queue.submit(RunParameters::default(), new).unwrap();
        entry.monitor.record(Event::Started);
        (queue, entry)
    }

    #[test]
    fn a_run_is_cancelled_until_it_publishes() {
        let (mut queue, entry) = under_way();
        assert!(matches!(queue.cancel(entry.run), Cancelled::Told));
        entry.monitor.record(Event::StepBegan(Step::Publishing));
        assert!(matches!(queue.cancel(entry.run), Cancelled::TooLate));
        entry.monitor.record(Event::Succeeded(Changes::default()));
        assert!(matches!(queue.cancel(entry.run), Cancelled::NotLive));
        assert!(matches!(queue.cancel(RunId::random()), Cancelled::NotLive));
    }

    #[test]
    fn a_closed_queue_takes_nothing() {
        let (mut queue, _) = under_way();
        queue.close("stopping");
        let refused = queue.submit(RunParameters::default(), || unreachable!("nothing is made"));
        assert_eq!(refused.map(|(_, kind)| kind), Err(SubmitError::Stopping));
    }
}
