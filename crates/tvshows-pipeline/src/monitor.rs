use std::sync::Arc;

use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::{Notify, watch};
use tvshows_core::{Event, RunStatus};

/// The one place where a run's status changes. Everyone who wants to know holds a receiver.
#[derive(Debug)]
pub(crate) struct Monitor {
    status: watch::Sender<RunStatus>,
    answered: Arc<Notify>,
}

impl Monitor {
    pub(crate) fn new(status: RunStatus) -> Monitor {
        Monitor { status: watch::Sender::new(status), answered: Arc::default() }
    }

    pub(crate) fn record(&self, event: Event) {
        self.status.send_if_modified(|status| status.apply(event, now()));
    }

    /// What the status would be after `event`, for writing it before anyone sees it.
    pub(crate) fn after(&self, event: Event) -> RunStatus {
        let mut status = self.status();
        status.apply(event, now());
        status
    }

    /// Shows a status made by [`after`](Self::after).
    pub(crate) fn show(&self, status: RunStatus) {
        self.status.send_replace(status);
    }

    /// To be notified when TVmaze has answered with something to stage.
    pub(crate) fn answered(&self) -> Arc<Notify> {
        Arc::clone(&self.answered)
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.status.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<RunStatus> {
        self.status.subscribe()
    }
}

/// The present second, which is how rows say when they were made.
pub(crate) fn this_second() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The present moment in milliseconds, which is all that a status needs.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(Unit::Millisecond)).unwrap_or(now)
}
