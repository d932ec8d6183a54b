use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{Timestamp, TimestampRound, Unit};
use tokio::sync::{Notify, watch};
use tvmaze_client::{Client, Stats};
use tvshows_core::{RequestCounts, RunEvent, RunStatus};

use crate::metrics::StepUnderWay;

/// The one place where a run's status changes. Everyone who wants to know holds a receiver.
#[derive(Debug)]
pub(crate) struct Monitor {
    status: watch::Sender<RunStatus>,
    answered: Arc<Notify>,
    spent: OnceLock<Spent>,
    step: Mutex<Option<StepUnderWay>>,
}

/// What a run has asked of TVmaze, in this attempt and before it.
#[derive(Debug)]
struct Spent {
    client: Client,
    before: Stats,
    earlier: RequestCounts,
}

impl Monitor {
    pub(crate) fn new(status: RunStatus) -> Monitor {
        Monitor {
            status: watch::Sender::new(status),
            answered: Arc::default(),
            spent: OnceLock::new(),
            step: Mutex::default(),
        }
    }

    /// Counts what `client` asks from now on as the run's.
    pub(crate) fn count_requests(&self, client: &Client) {
        let RunStatus { requests, retries, rate_limited, .. } = self.status();
        let earlier = RequestCounts { requests, retries, rate_limited };
        // A run is worked on once in the life of a monitor.
        let _ = self.spent.set(Spent { client: client.clone(), before: client.stats(), earlier });
    }

    pub(crate) fn record(&self, event: RunEvent) {
        self.status.send_if_modified(|status| {
            let has_asked = self.apply_traffic(status);
            status.apply(event, now()) || has_asked
        });
        self.follow_step();
    }

    /// Shows the present counts of requests.
    pub(crate) fn record_traffic(&self) {
        self.status.send_if_modified(|status| self.apply_traffic(status));
    }

    fn apply_traffic(&self, status: &mut RunStatus) -> bool {
        let spent = self.spent.get();
        spent.is_some_and(|spent| status.apply(RunEvent::RequestCounts(spent.traffic()), now()))
    }

    /// What the status would be after `event`, for writing it before anyone sees it.
    pub(crate) fn after(&self, event: RunEvent) -> RunStatus {
        let mut status = self.status();
        self.apply_traffic(&mut status);
        status.apply(event, now());
        status
    }

    /// Shows a status made by [`after`](Self::after).
    pub(crate) fn show(&self, status: RunStatus) {
        self.status.send_replace(status);
        self.follow_step();
    }

    /// Ends the step that is over, and begins the one that is under way.
    fn follow_step(&self) {
        let mut under_way = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let status = self.status.borrow();
        if under_way.as_ref().map(|under_way| under_way.step)
            != status.running.then_some(status.step)
        {
            *under_way = None;
            *under_way = status.running.then(|| StepUnderWay::begin(status.step));
        }
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

impl Spent {
    fn traffic(&self) -> RequestCounts {
        let Spent { client, before, earlier } = self;
        let now = client.stats();
        RequestCounts {
            requests: earlier.requests + now.requests - before.requests,
            retries: earlier.retries + now.retries - before.retries,
            rate_limited: earlier.rate_limited + now.rate_limited - before.rate_limited,
        }
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
