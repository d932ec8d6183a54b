use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tvshows_core::{ProgressTracker, RunId, RunParameters, RunStatus, ShowStore, StoreError};

use crate::error::RunError;
use crate::mirror::mirror;
use crate::monitor::now;
use crate::pipeline::{Pipeline, Stop};
use crate::queue::{Cancelled, Entry, Queue, Submission, SubmitError};

/// How long a run of another process is left alone between two looks at it.
const REMOTE_POLL: Duration = Duration::from_millis(500);
/// The wait before the end of a run that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(5);
/// What a stop may take: less than the ten seconds after which containers are killed.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// Takes requests for runs and does them one at a time. Clones are the same runner.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

struct Shared {
    pipeline: Pipeline,
    tracker: Arc<dyn ProgressTracker>,
    instance: String,
    queue: Mutex<Queue>,
    submitted: Notify,
    stopped: CancellationToken,
    tasks: TaskTracker,
    /// The runtime of all tasks. A caller's own may be that of one HTTP worker, and end with it.
    runtime: Handle,
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
    /// Starts the task that does the runs. `instance` names this process in their status.
    ///
    /// Needs a Tokio runtime; [`shutdown`](Self::shutdown) ends every task.
    #[must_use]
    pub fn start(pipeline: Pipeline, tracker: Arc<dyn ProgressTracker>, instance: &str) -> Runner {
        let shared = Arc::new(Shared {
            pipeline,
            tracker,
            instance: instance.to_owned(),
            queue: Mutex::default(),
            submitted: Notify::new(),
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
        });
        shared.tasks.spawn(Arc::clone(&shared).work());
        Runner { shared }
    }

    /// Writes as interrupted what a process that died left unfinished. For the start of a service;
    /// later, it happens before each run and where somebody asks for such a run.
    ///
    /// # Errors
    ///
    /// The history cannot be written.
    pub async fn settle_unfinished(&self) -> Result<(), StoreError> {
        self.shared.settle_unfinished().await
    }

    /// Asks for a run. A live run with the same parameters is joined.
    ///
    /// # Errors
    ///
    /// The queue is full, or the service stops.
    pub fn submit(&self, parameters: RunParameters) -> Result<Submission, SubmitError> {
        let shared = &self.shared;
        let new = || {
            let status = RunStatus::queued(RunId::random(), parameters, &shared.instance, now());
            let entry = Entry::new(parameters, status);
            shared.mirror(entry.monitor.subscribe());
            entry
        };
        let (entry, kind) = shared.queue().submit(parameters, new)?;
        shared.submitted.notify_one();
        Ok(Submission { status: entry.monitor.status(), kind })
    }

    /// Tells a live run to stop. It ends as cancelled.
    ///
    /// # Errors
    ///
    /// There is no such run here, it is over, or it is publishing.
    pub async fn cancel(&self, run: RunId) -> Result<(), CancelError> {
        let cancelled = self.shared.queue().cancel(run);
        match cancelled {
            Cancelled::Told => return Ok(()),
            Cancelled::AtOnce(entry) => {
                return Ok(self.store().note(&entry.monitor.status()).await?);
            }
            Cancelled::TooLate => return Err(CancelError::Publishing(run)),
            Cancelled::NotLive => {}
        }
        match self.status(run).await? {
            Some(status) if status.state.is_live() => {
                Err(CancelError::Elsewhere { run, instance: status.instance })
            }
            Some(_) => Err(CancelError::Ended(run)),
            None => Err(CancelError::NotFound(run)),
        }
    }

    /// The status of a run, here, in another process or in the history, whichever knows it best.
    ///
    /// # Errors
    ///
    /// The history cannot be read. A tracker that fails is passed over.
    pub async fn status(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        if let Some(entry) = self.shared.queue().find(run) {
            return Ok(Some(entry.monitor.status()));
        }
        let mut stored = self.store().run(run).await?;
        if stored.as_ref().is_some_and(|status| status.state.is_live()) {
            self.settle_unfinished().await?;
            stored = self.store().run(run).await?;
        }
        if stored.as_ref().is_some_and(|status| !status.state.is_live()) {
            return Ok(stored);
        }
        let tracked = self.shared.tracker.status(run).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run, error, "the progress tracker cannot be asked");
            None
        });
        Ok(tracked.into_iter().chain(stored).max_by_key(|status| status.revision))
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
        let is_news = |status: &RunStatus| status.revision != known || !status.state.is_live();
        if let Some(mut statuses) = self.subscribe(run) {
            // A deadline and a runner that is gone both leave the present status.
            let waiting = async { statuses.wait_for(is_news).await.is_ok() };
            let _ = tokio::select! {
                news = timeout_at(deadline, waiting) => news.unwrap_or_default(),
                () = self.shared.stopped.cancelled() => false,
            };
            return Ok(Some(statuses.borrow().clone()));
        }
        loop {
            let status = self.status(run).await?;
            let waits = status.as_ref().is_some_and(|status| !is_news(status));
            if !waits || Instant::now() + REMOTE_POLL > deadline {
                return Ok(status);
            }
            tokio::select! {
                () = tokio::time::sleep(REMOTE_POLL) => {}
                () = self.shared.stopped.cancelled() => return Ok(status),
            }
        }
    }

    /// Every change of a run that this process has in hand, the present status first.
    #[must_use]
    pub fn subscribe(&self, run: RunId) -> Option<watch::Receiver<RunStatus>> {
        Some(self.shared.queue().find(run)?.monitor.subscribe())
    }

    /// The status of a run of this process once it is over.
    ///
    /// # Errors
    ///
    /// The history cannot be read.
    pub async fn end_of(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        if let Some(mut statuses) = self.subscribe(run) {
            let _ = statuses.wait_for(|status| !status.state.is_live()).await;
        }
        self.status(run).await
    }

    /// The last `limit` runs, newest first: those that wait, the one under way, those of the history.
    ///
    /// # Errors
    ///
    /// The history cannot be read.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let (waiting, known): (Vec<_>, Vec<_>) = {
            let queue = self.shared.queue();
            (queue.waiting().rev().cloned().collect(), queue.begun().cloned().collect())
        };
        let mut history = self.store().runs(limit).await?;
        let is_known =
            |status: &RunStatus| known.iter().any(|entry| entry.run == status.request_id);
        if history.iter().any(|status| status.state.is_live() && !is_known(status)) {
            self.settle_unfinished().await?;
            history = self.store().runs(limit).await?;
        }
        // This process knows its own runs better than a history that may not have been written.
        history.retain(|status| !is_known(status));
        history.extend(known.iter().map(|entry| entry.monitor.status()));
        history.sort_by_key(|status| Reverse(status.started_at.unwrap_or(status.updated_at)));
        let waiting = waiting.iter().map(|entry| entry.monitor.status());
        Ok(waiting.chain(history).take(limit as usize).collect())
    }

    /// Whether the tracker answers.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn check_tracker(&self) -> Result<(), tvshows_core::TrackerError> {
        self.shared.tracker.check().await
    }

    /// Stops: no request is taken any more, the run under way ends as interrupted unless it is
    /// publishing, and every task is joined, within eight seconds.
    pub async fn shutdown(&self) {
        let deadline = Instant::now() + SHUTDOWN;
        let waiting = self.shared.queue().close(&RunError::Stopped.sentence());
        self.shared.stopped.cancel();
        self.shared.submitted.notify_one();
        for entry in waiting {
            if let Err(error) = self.store().note(&entry.monitor.status()).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a waiting run is not in the history"
                );
            }
        }
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
    /// Does run after run until the runner is stopped.
    async fn work(self: Arc<Self>) {
        loop {
            let current = self.queue().current.clone();
            let Some(entry) = current else {
                if self.stopped.is_cancelled() {
                    return;
                }
                self.submitted.notified().await;
                continue;
            };
            if let Err(error) = self.settle_unfinished().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the history of earlier runs cannot be put right");
            }
            tracing::info!(run.id = %entry.run, "a run begins");
            let stop = Stop { cancelled: entry.cancelled.clone(), stopped: self.stopped.clone() };
            let (pipeline, running) = (self.pipeline.clone(), Arc::clone(&entry));
            // A task of its own, so that a bug in a run ends that run and not the runner.
            let run = self.runtime.spawn(async move {
                pipeline.run(running.parameters, &running.monitor, &stop).await
            });
            let is_written = match run.await {
                Ok(is_written) => is_written,
                Err(_) => self.pipeline.end(RunError::Panicked, &entry.monitor).await,
            };
            log_end(&entry.monitor.status());
            if !is_written {
                let again = Arc::clone(&self).write_end(entry.monitor.status());
                self.tasks.spawn_on(again, &self.runtime);
            }
            self.queue().advance();
        }
    }

    /// Tries to write the end of a run until it succeeds, as when somebody makes room on the disk.
    async fn write_end(self: Arc<Self>, ended: RunStatus) {
        loop {
            let is_last = timeout(WRITE_AGAIN, self.stopped.cancelled()).await.is_ok();
            if self.store().abandon(&ended).await.is_ok() || is_last {
                return;
            }
        }
    }

    async fn settle_unfinished(&self) -> Result<(), StoreError> {
        for status in self.store().interrupt_unfinished(now()).await? {
            tracing::warn!(run.id = %status.request_id, "a run was interrupted: its process died");
            let status = self.last_seen(status).await?;
            self.mirror(watch::Sender::new(status).subscribe());
        }
        Ok(())
    }

    /// The interrupted run as the tracker saw it last: the history has its beginning only.
    async fn last_seen(&self, interrupted: RunStatus) -> Result<RunStatus, StoreError> {
        let seen = self.tracker.status(interrupted.request_id).await;
        match (seen, &interrupted.error) {
            (Ok(Some(mut seen)), Some(reason)) if seen.state.is_live() => {
                seen.presume_dead(reason, now());
                self.store().note(&seen).await?;
                Ok(seen)
            }
            _ => Ok(interrupted),
        }
    }

    fn store(&self) -> &dyn ShowStore {
        self.pipeline.store.as_ref()
    }

    fn mirror(&self, statuses: watch::Receiver<RunStatus>) {
        let tracker = Arc::clone(&self.tracker);
        self.tasks.spawn_on(mirror(tracker, statuses, self.stopped.clone()), &self.runtime);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_end(status: &RunStatus) {
    let run = status.request_id;
    match &status.error {
        None => tracing::info!(
            run.id = %run, state = %status.state, shows = status.shows_seen,
            requests = status.requests, retries = status.retries, "a run ended"
        ),
        Some(error) => {
            tracing::error!(run.id = %run, state = %status.state, error, "a run ended without publishing");
        }
    }
}
