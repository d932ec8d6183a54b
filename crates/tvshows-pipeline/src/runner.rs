use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use tvshows_core::{
    Enqueued, ProgressTracker, RunEvent, RunId, RunParameters, RunState, RunStatus, ShowStore,
    StoreError,
};

use crate::elsewhere::{Elsewhere, LOOK};
use crate::in_hand::{Cancelled, InHand};
use crate::interrupted::mark_interrupted;
use crate::metrics;
use crate::mirror::mirror;
use crate::monitor::now;
use crate::pipeline::Pipeline;
use crate::submission::{QUEUE_LENGTH, Submission, SubmissionKind, SubmitError};

/// How often whoever waits for the end of a run looks around.
const END_POLL: Duration = Duration::from_millis(500);
/// What a stop may take: less than the ten seconds after which containers are killed.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// Takes requests for runs, and does the runs of its store one at a time, together with every other process
/// that shares the store. Clones are the same runner.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) pipeline: Pipeline,
    pub(crate) tracker: Arc<dyn ProgressTracker>,
    pub(crate) instance: String,
    in_hand: Mutex<InHand>,
    elsewhere: Mutex<Elsewhere>,
    next_run: Mutex<Option<Timestamp>>,
    /// Since when nobody is seen to have the lease, while a run goes by one.
    lease_free_since: Mutex<Option<Instant>>,
    pub(crate) submitted: Notify,
    /// Tells whoever waits for a change of a run that it may be in hand now.
    pub(crate) taken_up: Notify,
    pub(crate) stopped: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// The runtime of all tasks. A caller's own may be that of one HTTP worker, and end with it.
    pub(crate) runtime: Handle,
}

/// Why a run cannot be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// Nobody knows the run.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The run is over.
    #[error("run {0} has ended already")]
    Ended(RunId),
    /// The run is publishing: it finishes that.
    #[error("run {0} is publishing already and finishes that")]
    Publishing(RunId),
    /// Another process does the run.
    #[error("run {run} is done by {instance}; only that process can cancel it")]
    Elsewhere {
        /// The run.
        run: RunId,
        /// The process.
        instance: String,
    },
    /// The history cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runner {
    /// Starts the task that does the runs, an interrupted one first. `instance` names this process, and no
    /// other, in their status.
    ///
    /// Needs a Tokio runtime; [`shutdown`](Self::shutdown) ends every task.
    #[must_use]
    pub fn start(pipeline: Pipeline, tracker: Arc<dyn ProgressTracker>, instance: &str) -> Runner {
        let shared = Arc::new(Shared {
            pipeline,
            tracker,
            instance: instance.to_owned(),
            in_hand: Mutex::default(),
            elsewhere: Mutex::default(),
            next_run: Mutex::default(),
            lease_free_since: Mutex::default(),
            submitted: Notify::new(),
            taken_up: Notify::new(),
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
        });
        metrics::start();
        shared.tasks.spawn(Arc::clone(&shared).work());
        Runner { shared }
    }

    /// Asks for a run. An unfinished run with the same parameters is joined, whichever process does it.
    ///
    /// # Errors
    ///
    /// The queue is full, the service stops, or the request cannot be stored.
    pub async fn submit(&self, parameters: RunParameters) -> Result<Submission, SubmitError> {
        let shared = &self.shared;
        if shared.stopped.is_cancelled() {
            return Err(SubmitError::Stopping);
        }
        let status = RunStatus::queued(RunId::random(), parameters, &shared.instance, now());
        let ended = shared.in_hand().ended();
        let submission = match self.store().enqueue(&status, &ended, QUEUE_LENGTH).await? {
            Enqueued::Full => return Err(SubmitError::QueueFull),
            Enqueued::Joined(status) => {
                let here = shared.in_hand().find(status.request_id);
                let status = here.map_or(status, |entry| entry.monitor.status());
                Submission { status, kind: SubmissionKind::Joined }
            }
            Enqueued::New(status) => {
                shared.mirror(watch::Sender::new(status.clone()).subscribe());
                let kind = match status.position {
                    Some(ahead) if ahead > 0 => SubmissionKind::Queued { ahead },
                    _ => SubmissionKind::Started,
                };
                Submission { status, kind }
            }
        };
        shared.submitted.notify_one();
        Ok(submission)
    }

    /// Tells an unfinished run to stop. It ends as cancelled.
    ///
    /// # Errors
    ///
    /// There is no such run, it is over, it is publishing, or another process works on it.
    pub async fn cancel(&self, run: RunId) -> Result<(), CancelError> {
        loop {
            let cancelled = self.shared.in_hand().cancel(run);
            match cancelled {
                Cancelled::Told => return Ok(()),
                Cancelled::TooLate => return Err(CancelError::Publishing(run)),
                Cancelled::NotHere => {}
            }
            let Some(mut status) = self.shared.look(run).await? else {
                return Err(CancelError::NotFound(run));
            };
            match status.state {
                // It was taken up between the two looks.
                RunState::Running if status.instance == self.shared.instance => {
                    tokio::task::yield_now().await;
                    continue;
                }
                RunState::Running => {
                    return Err(CancelError::Elsewhere { run, instance: status.instance });
                }
                state if state.is_terminal() => return Err(CancelError::Ended(run)),
                // A service with another database, which alone can end it.
                _ if self.store().run(run).await?.is_none() => {
                    return Err(CancelError::Elsewhere { run, instance: status.instance });
                }
                _ => {}
            }
            status.apply(RunEvent::Cancelled, now());
            self.store().abandon(&status).await?;
            self.shared.elsewhere().forget(run);
            // It may have begun meanwhile, and then goes on: told here, or refused as another process's.
            match self.store().run(run).await? {
                Some(stored) if stored.state == RunState::Cancelled => {
                    metrics::ended(RunState::Cancelled);
                    self.shared.mirror(watch::Sender::new(stored).subscribe());
                    return Ok(());
                }
                Some(_) => {}
                None => return Err(CancelError::NotFound(run)),
            }
        }
    }

    /// The status of a run, here, in another process or in the history, whichever knows it best. That of another
    /// process may be a tenth of a second old.
    ///
    /// # Errors
    ///
    /// The history cannot be read. A tracker that fails is passed over.
    pub async fn status(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        if let Some(entry) = self.shared.in_hand().find(run) {
            return Ok(Some(entry.monitor.status()));
        }
        self.shared.status_elsewhere(run).await
    }

    /// The status of a run as soon as its revision is another than `known`, it is over, or `patience`
    /// is at its end.
    ///
    /// # Errors
    ///
    /// The history cannot be read.
    pub async fn changed(
        &self,
        run: RunId,
        known: u64,
        patience: Duration,
    ) -> Result<Option<RunStatus>, StoreError> {
        let deadline = Instant::now() + patience;
        let is_news = |status: &RunStatus| status.revision != known || status.state.is_terminal();
        loop {
            let taken_up = self.shared.taken_up.notified();
            if let Some(mut statuses) = self.subscribe(run) {
                let waiting =
                    async { statuses.wait_for(is_news).await.map(|status| status.clone()) };
                let waited = tokio::select! {
                    news = timeout_at(deadline, waiting) => news,
                    () = taken_up => continue,
                    () = self.shared.stopped.cancelled() => return self.status(run).await,
                };
                match waited {
                    Ok(Ok(news)) => return Ok(Some(news)),
                    // The run went to another process, or from there to this one.
                    Ok(Err(_)) => {}
                    Err(_) => return self.status(run).await,
                }
            }
            let status = self.status(run).await?;
            let waits = status.as_ref().is_some_and(|status| !is_news(status));
            if !waits || Instant::now() >= deadline {
                return Ok(status);
            }
            if self.subscribe(run).is_some() {
                continue;
            }
            let taken_up = self.shared.taken_up.notified();
            tokio::select! {
                () = sleep_until(deadline.min(Instant::now() + LOOK)) => {}
                () = taken_up => {}
                () = self.shared.stopped.cancelled() => return Ok(status),
            }
        }
    }

    /// Every change of a run that this process has in hand or follows, the present status first.
    fn subscribe(&self, run: RunId) -> Option<watch::Receiver<RunStatus>> {
        let here = self.shared.in_hand().find(run);
        match here {
            Some(entry) => Some(entry.monitor.subscribe()),
            None => self.shared.elsewhere().subscribe(run),
        }
    }

    /// The status of a run once it is over, or once the runner is stopped.
    ///
    /// # Errors
    ///
    /// The history cannot be read.
    pub async fn end_of(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let mut known = 0;
        loop {
            let status = self.changed(run, known, END_POLL).await?;
            match status {
                Some(status) if !status.state.is_terminal() && !self.is_stopped() => {
                    known = status.revision;
                }
                over => return Ok(over),
            }
        }
    }

    /// The last `limit` runs, newest first.
    ///
    /// # Errors
    ///
    /// The history cannot be read.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let mut runs = self.store().runs(limit).await?;
        for status in &mut runs {
            // This process knows its own runs better than a history that may not have been written.
            let here = self.shared.in_hand().find(status.request_id);
            match here {
                Some(entry) => *status = entry.monitor.status(),
                None => mark_interrupted(self.store(), status).await?,
            }
        }
        Ok(runs)
    }

    /// When the next run begins by itself; `None` without a schedule.
    #[must_use]
    pub fn next_run_at(&self) -> Option<Timestamp> {
        *self.shared.next_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_next_run(&self, at: Option<Timestamp>) {
        *self.shared.next_run.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn_on(task, &self.shared.runtime);
    }

    /// Comes when [`shutdown`](Self::shutdown) begins.
    pub(crate) async fn stopped(&self) {
        self.shared.stopped.cancelled().await;
    }

    /// Whether [`shutdown`](Self::shutdown) has begun.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.is_cancelled()
    }

    /// Whether the tracker answers.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn check_tracker(&self) -> Result<(), tvshows_core::TrackerError> {
        self.shared.tracker.check().await
    }

    /// Stops: no request is taken any more, the run under way is interrupted unless it is publishing, and
    /// every task is joined, within eight seconds. The next runner on the store goes on with what is
    /// interrupted and what waits.
    pub async fn shutdown(&self) {
        let deadline = Instant::now() + SHUTDOWN;
        self.shared.stopped.cancel();
        self.shared.tasks.close();
        if timeout_at(deadline, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("a run or the progress tracker did not end in time");
        }
    }

    fn store(&self) -> &dyn ShowStore {
        self.shared.store()
    }
}

impl Shared {
    pub(crate) fn store(&self) -> &dyn ShowStore {
        self.pipeline.store.as_ref()
    }

    pub(crate) fn mirror(&self, statuses: watch::Receiver<RunStatus>) {
        let tracker = Arc::clone(&self.tracker);
        let run = statuses.borrow().request_id;
        let span = tracing::error_span!(parent: None, "run", run.id = %run);
        let mirroring = mirror(tracker, statuses, self.stopped.clone()).instrument(span);
        self.tasks.spawn_on(mirroring, &self.runtime);
    }

    pub(crate) fn lease_free_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.lease_free_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn elsewhere(&self) -> MutexGuard<'_, Elsewhere> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn in_hand(&self) -> MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
