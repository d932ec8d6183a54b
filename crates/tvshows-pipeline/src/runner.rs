use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tvshows_core::{
    Enqueued, RunId, RunParameters, RunState, RunStatus, StoreError, TrackerError, Trigger,
};

use crate::cancel::{CancelError, cancel_stored};
use crate::clock::now_millis;
use crate::local_runs::{CancelOutcome, LocalRuns};
use crate::metrics;
use crate::pipeline::Pipeline;
use crate::remote_runs::{POLL_INTERVAL, RemoteRuns};
use crate::run_ownership::RunOwnership;
use crate::run_plan::{PlanError, RunPlan, SharedMap};
use crate::runner_config::{RunnerConfig, RunnerRole};
use crate::submission::{QUEUE_CAPACITY, Submission, SubmissionKind, SubmitError};
use crate::tasks::Tasks;
use crate::tracker_sync::TrackerSync;
use crate::worker::Worker;

/// How often a caller that waits for the end of a run checks for a shutdown.
const END_POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Less than the ten seconds after which container runtimes kill a process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);

/// Accepts requests for runs and works on them one at a time, together with all other processes that share
/// the queue. Clones share one runner.
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

struct Inner {
    pipeline: Pipeline,
    plan_map: SharedMap,
    config: RunnerConfig,
    local: Arc<LocalRuns>,
    remote: Arc<RemoteRuns>,
    tracker_sync: TrackerSync,
    tasks: Tasks,
    work_available: Arc<Notify>,
    next_run_at: Mutex<Option<Timestamp>>,
}

impl Runner {
    /// Starts the worker, which first resumes an interrupted run, if the role is [`RunnerRole::Worker`].
    ///
    /// Call it within a Tokio runtime. [`shutdown`](Self::shutdown) ends all its tasks.
    #[must_use]
    pub fn start(pipeline: Pipeline, config: RunnerConfig) -> Runner {
        let tasks = Tasks::new();
        let inner = Inner {
            local: Arc::default(),
            remote: Arc::new(RemoteRuns::new(&config, tasks.clone())),
            tracker_sync: TrackerSync::new(Arc::clone(&config.tracker), tasks.clone()),
            tasks,
            pipeline: pipeline.clone(),
            plan_map: SharedMap::default(),
            config,
            work_available: Arc::default(),
            next_run_at: Mutex::default(),
        };
        let worker = Worker {
            pipeline,
            ownership: RunOwnership::new(&inner.config),
            config: inner.config.clone(),
            local: Arc::clone(&inner.local),
            remote: Arc::clone(&inner.remote),
            tracker_sync: inner.tracker_sync.clone(),
            tasks: inner.tasks.clone(),
            work_available: Arc::clone(&inner.work_available),
        };
        metrics::register();
        if inner.config.role == RunnerRole::Worker {
            inner.tasks.spawn(Arc::new(worker).work());
        }
        Runner { inner: Arc::new(inner) }
    }

    /// Submits a run, or joins an unfinished one with the same parameters, in any process.
    pub async fn submit(
        &self,
        parameters: RunParameters,
        trigger: Trigger,
    ) -> Result<Submission, SubmitError> {
        let Inner { config: RunnerConfig { queue, instance, role, .. }, local, .. } = &*self.inner;
        if *role == RunnerRole::Reader {
            return Err(SubmitError::UpdatesOff);
        }
        if self.is_shutting_down() {
            return Err(SubmitError::ShuttingDown);
        }
        let status = RunStatus {
            trigger: Some(trigger),
            ..RunStatus::queued(RunId::random(), parameters, instance, now_millis())
        };
        let submission = match queue.enqueue(&status, &local.ended(), QUEUE_CAPACITY).await? {
            Enqueued::Full => return Err(SubmitError::QueueFull),
            Enqueued::Joined(status) => {
                let local = local.find(status.request_id);
                let status = local.map_or(status, |run| run.progress.status());
                Submission { status, kind: SubmissionKind::Joined }
            }
            Enqueued::New(status) => {
                self.inner.tracker_sync.publish(status.clone());
                let kind = match status.position {
                    Some(ahead) if ahead > 0 => SubmissionKind::Queued { ahead },
                    _ => SubmissionKind::Started,
                };
                Submission { status, kind }
            }
        };
        self.inner.work_available.notify_one();
        Ok(submission)
    }

    /// [Plans](Pipeline::plan) a run with these parameters. Plans within a minute share one request, unless another
    /// snapshot is published in between; an error is shared for ten seconds.
    pub async fn plan(&self, parameters: RunParameters) -> Result<RunPlan, PlanError> {
        if self.is_shutting_down() {
            return Err(PlanError::Refused(SubmitError::ShuttingDown));
        }
        if self.inner.config.role == RunnerRole::Reader {
            return Err(PlanError::Refused(SubmitError::UpdatesOff));
        }
        let Inner { pipeline, plan_map, tasks, .. } = &*self.inner;
        plan_map.plan(pipeline, parameters, tasks).await
    }

    /// Requests that an unfinished run stops. It ends in the state `cancelled`.
    pub async fn cancel(&self, run: RunId) -> Result<(), CancelError> {
        let Inner { config: RunnerConfig { queue, instance, on_end, .. }, local, remote, .. } =
            &*self.inner;
        loop {
            match local.cancel(run) {
                CancelOutcome::Requested => return Ok(()),
                CancelOutcome::AlreadyPublishing => {
                    return Err(CancelError::AlreadyPublishing(run));
                }
                CancelOutcome::NotLocal => {}
            }
            let Some(status) = remote.fetch_status(run).await? else {
                return Err(CancelError::NotFound(run));
            };
            match status.state {
                // It started here after the first check.
                RunState::Running if status.instance == *instance => {
                    tokio::task::yield_now().await;
                    continue;
                }
                state if state.is_terminal() => return Err(CancelError::Ended(run)),
                // If only the tracker knows a run, it is in another database.
                _ if queue.get(run).await?.is_none() => {
                    let instance = status.instance;
                    return Err(CancelError::OwnedByOtherInstance { run, instance });
                }
                _ => {}
            }
            let cancelled = cancel_stored(queue.as_ref(), run).await?;
            remote.invalidate(run);
            if !cancelled.was_running {
                metrics::record_run_end(RunState::Cancelled);
                on_end(&cancelled.status);
            }
            self.inner.tracker_sync.publish(cancelled.status);
            return Ok(());
        }
    }

    /// Returns the newest status of a run, from this process, the tracker or the history. The status of a run
    /// in another process can be a tenth of a second old; it can take a second to notice that the process has died. A
    /// failing tracker is ignored.
    pub async fn status(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        if let Some(run) = self.inner.local.find(run) {
            return Ok(Some(run.progress.status()));
        }
        self.inner.remote.status(run).await
    }

    /// Returns the status of a run as soon as its revision is not `since_revision`, it has ended, or
    /// `timeout` has elapsed.
    pub async fn wait_for_change(
        &self,
        run: RunId,
        since_revision: u64,
        timeout: Duration,
    ) -> Result<Option<RunStatus>, StoreError> {
        let deadline = Instant::now() + timeout;
        let is_change =
            |status: &RunStatus| status.revision != since_revision || status.state.is_terminal();
        loop {
            let run_started = self.inner.local.run_started();
            if let Some(mut statuses) = self.subscribe(run) {
                let waiting =
                    async { statuses.wait_for(is_change).await.map(|status| status.clone()) };
                let waited = tokio::select! {
                    change = timeout_at(deadline, waiting) => change,
                    () = run_started => continue,
                    () = self.shutdown_requested() => return self.status(run).await,
                };
                match waited {
                    Ok(Ok(status)) => return Ok(Some(status)),
                    // The run has moved to another process, or to this one.
                    Ok(Err(_)) => {}
                    Err(_) => return self.status(run).await,
                }
            }
            let status = self.status(run).await?;
            let must_wait = status.as_ref().is_some_and(|status| !is_change(status));
            if !must_wait || Instant::now() >= deadline {
                return Ok(status);
            }
            if self.subscribe(run).is_some() {
                continue;
            }
            let run_started = self.inner.local.run_started();
            tokio::select! {
                () = sleep_until(deadline.min(Instant::now() + POLL_INTERVAL)) => {}
                () = run_started => {}
                () = self.shutdown_requested() => return Ok(status),
            }
        }
    }

    fn subscribe(&self, run: RunId) -> Option<watch::Receiver<RunStatus>> {
        match self.inner.local.find(run) {
            Some(run) => Some(run.progress.subscribe()),
            None => self.inner.remote.subscribe(run),
        }
    }

    /// Returns the status of a run once it has ended or the runner is shutting down.
    pub async fn wait_until_ended(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let mut revision = 0;
        loop {
            let status = self.wait_for_change(run, revision, END_POLL_INTERVAL).await?;
            match status {
                Some(status) if !status.state.is_terminal() && !self.is_shutting_down() => {
                    revision = status.revision;
                }
                ended => return Ok(ended),
            }
        }
    }

    /// Returns the last `limit` runs, newest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let mut runs = self.inner.config.queue.list(limit).await?;
        for status in &mut runs {
            // The status here is newer than the saved one.
            if let Some(run) = self.inner.local.find(status.request_id) {
                *status = run.progress.status();
            }
        }
        Ok(runs)
    }

    /// Returns when the next scheduled run is due; `None` without a schedule.
    #[must_use]
    pub fn next_run_at(&self) -> Option<Timestamp> {
        *self.inner.next_run_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_next_run_at(&self, at: Option<Timestamp>) {
        *self.inner.next_run_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner.tasks.spawn(task);
    }

    /// Whether this process works on a run.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.inner.local.has_current()
    }

    /// Whether [`shutdown`](Self::shutdown) has been called.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.inner.tasks.shutdown.is_cancelled()
    }

    /// Completes when [`shutdown`](Self::shutdown) is called.
    pub(crate) async fn shutdown_requested(&self) {
        self.inner.tasks.shutdown.cancelled().await;
    }

    /// Checks that the progress tracker responds.
    pub async fn check_tracker(&self) -> Result<(), TrackerError> {
        self.inner.config.tracker.health().await
    }

    /// Shuts down within eight seconds: rejects requests, interrupts the current run unless it is publishing,
    /// and waits for all tasks. The next runner on the same queue resumes the interrupted run and works on
    /// the waiting ones.
    pub async fn shutdown(&self) {
        if timeout(SHUTDOWN_TIMEOUT, self.inner.tasks.shut_down()).await.is_err() {
            tracing::warn!("a run did not stop in time, or its progress could not be published");
        }
    }
}
