//! The task that works on runs: those that wait, and those that another process left unfinished.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use tvshows_core::{Ownership, RunState, RunStatus, Step, StoreError};

use crate::attempt::{Attempt, Outcome, has_published, is_same_attempt, save_end};
use crate::clock::now_millis;
use crate::error::RunError;
use crate::local_runs::{LocalRun, LocalRuns};
use crate::metrics::{self, InProgressGuard};
use crate::pipeline::Pipeline;
use crate::remote_runs::RemoteRuns;
use crate::run_ownership::{OwnershipLoss, PreviousOwner, RunOwnership};
use crate::runner_config::RunnerConfig;
use crate::storage_retry::StopSignals;
use crate::tasks::Tasks;
use crate::tracker_sync::TrackerSync;

/// How often a process without work checks whether another process left some.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// How often a process that works on a run checks whether another process has canceled it.
const CANCEL_POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The delay before a final status that could not be saved is saved again.
const FINAL_WRITE_RETRY_DELAY: Duration = Duration::from_secs(5);

pub(crate) struct Worker {
    pub(crate) pipeline: Pipeline,
    pub(crate) config: RunnerConfig,
    pub(crate) ownership: RunOwnership,
    pub(crate) local: Arc<LocalRuns>,
    pub(crate) remote: Arc<RemoteRuns>,
    pub(crate) tracker_sync: TrackerSync,
    pub(crate) tasks: Tasks,
    /// Notified when a run was added to the queue.
    pub(crate) work_available: Arc<Notify>,
}

/// A run that this process owns.
struct Job {
    status: RunStatus,
    ownership: Ownership,
    /// A time before the locks were acquired.
    acquired_at: Instant,
    stalled_attempts: u32,
}

impl Worker {
    /// Works on one run after the other until the runner shuts down.
    pub(crate) async fn work(self: Arc<Self>) {
        let mut was_failing = false;
        while !self.tasks.shutdown.is_cancelled() {
            // As its own task, so that a panic ends this iteration and not the worker.
            let result = self.tasks.runtime.spawn(Arc::clone(&self).run_next()).await;
            if result.is_err() {
                tracing::error!("worker iteration panicked; please report this bug");
                self.local.finish();
                self.ownership.release_lock().await;
            }
            if let (Ok(Err(error)), false) = (&result, was_failing) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "the run queue is unavailable; retrying");
            }
            let is_failing = matches!(result, Ok(Err(_)));
            if was_failing && !is_failing {
                tracing::info!("the run queue is available again");
            }
            was_failing = is_failing;
            if !matches!(result, Ok(Ok(true))) {
                tokio::select! {
                    () = self.work_available.notified() => {}
                    () = self.tasks.shutdown.cancelled() => {}
                    () = sleep(POLL_INTERVAL) => {}
                }
            }
        }
    }

    /// Works on the next run, if there is one. Returns whether to check for another one immediately.
    async fn run_next(self: Arc<Self>) -> Result<bool, StoreError> {
        match self.next_job().await? {
            Some(job) => {
                // At the highest level, so that every log line about a run has its id.
                let span = tracing::error_span!("run", run.id = %job.status.request_id);
                Ok(self.run_job(job).instrument(span).await)
            }
            None => Ok(false),
        }
    }

    /// Acquires the next run, unless there is none or another process owns it.
    async fn next_job(&self) -> Result<Option<Job>, StoreError> {
        if self.config.queue.next(&self.local.ended()).await?.is_none() {
            return Ok(None);
        }
        let acquired_at = Instant::now();
        let has_lock = self.ownership.acquire_lock().await?;
        if !has_lock && self.config.lease.is_none() {
            return Ok(None);
        }
        let job = self.claim_job(has_lock, acquired_at).await;
        if has_lock && !matches!(job, Ok(Some(_))) {
            self.ownership.release_lock().await;
        }
        job
    }

    async fn claim_job(
        &self,
        has_lock: bool,
        acquired_at: Instant,
    ) -> Result<Option<Job>, StoreError> {
        // Read again: another process may have finished the run before this one acquired the lock.
        let Some(next) = self.config.queue.next(&self.local.ended()).await? else {
            return Ok(None);
        };
        let previous_owner = self.ownership.previous_owner(&next, has_lock).await;
        let stalled_attempts = next.stalled_attempts;
        let mut status = next.status;
        let run = status.request_id;
        let mut dead = None;
        match previous_owner {
            PreviousOwner::Active => return Ok(None),
            PreviousOwner::None | PreviousOwner::Expired => {}
            PreviousOwner::Died => {
                dead = Some(status.instance.clone());
                tracing::warn!(
                    run.id = %run, instance = status.instance,
                    "run interrupted: its process died"
                );
                // Before the lease is acquired, so that clients see it immediately.
                status.mark_interrupted(now_millis());
                self.config.queue.save_status(&status).await?;
            }
        }
        let ownership = self.ownership.acquire_lease(run, has_lock, dead.as_deref()).await;
        Ok(ownership.map(|ownership| Job { status, ownership, acquired_at, stalled_attempts }))
    }

    /// Returns `false` if the run has to wait: the database or TVmaze is unavailable.
    async fn run_job(self: Arc<Self>, job: Job) -> bool {
        let Job { mut status, ownership, acquired_at, stalled_attempts } = job;
        if status.state == RunState::Running {
            tracing::warn!(
                instance = status.instance,
                "taking over the run: its process lost the lock"
            );
            status.mark_interrupted(now_millis());
        }
        status.instance.clone_from(&self.config.instance);
        let run = Arc::new(LocalRun::new(status));
        self.local.start(Arc::clone(&run));
        self.remote.invalidate(run.id);
        self.tracker_sync.follow(run.progress.subscribe());
        tracing::info!("run started");
        let _in_progress = InProgressGuard::new();
        let attempt = Attempt {
            pipeline: self.pipeline.clone(),
            queue: Arc::clone(&self.config.queue),
            run: Arc::clone(&run),
            stalled_attempts,
            stop: StopSignals {
                shutdown: self.tasks.shutdown.clone(),
                cancel: run.cancel.clone(),
                ownership_loss: Arc::default(),
            },
        };
        let outcome = match self.run_attempt(&attempt, ownership, acquired_at).await {
            Some(outcome) => outcome,
            None => attempt.finish(RunError::Panicked, None).await,
        };
        let status = run.progress.status();
        log_outcome(outcome, &status);
        match outcome {
            Outcome::Saved | Outcome::Unsaved => metrics::record_run_end(status.state),
            Outcome::OwnershipLost => self.report_cancelled(&status).await,
            Outcome::Postponed => {}
        }
        if outcome == Outcome::Saved && status.state.is_terminal() {
            (self.config.on_end)(&status);
        }
        let must_wait = outcome == Outcome::Postponed || status.state == RunState::Interrupted;
        if !status.state.is_terminal() && status.step == Step::Publishing {
            let reporting = Arc::clone(&self).report_published(status);
            self.tasks.spawn(reporting.in_current_span());
        } else if outcome == Outcome::Unsaved && status.state.is_terminal() {
            let retrying = Arc::clone(&self).retry_final_write(run);
            self.tasks.spawn(retrying.in_current_span());
        }
        self.local.finish();
        self.ownership.release(ownership).await;
        !must_wait
    }

    /// Runs an attempt as its own task, so that a panic ends the run and not the worker. Returns `None` if it
    /// panicked.
    async fn run_attempt(
        &self,
        attempt: &Attempt,
        ownership: Ownership,
        acquired_at: Instant,
    ) -> Option<Outcome> {
        let running = {
            let attempt = attempt.clone();
            async move { attempt.run(ownership).await }
        };
        let running = self.tasks.runtime.spawn(running.in_current_span());
        let mut running = AbortOnDropHandle::new(running);
        let outcome = tokio::select! {
            outcome = &mut running => outcome,
            loss = self.ownership.lost(ownership, acquired_at) => {
                attempt.stop.ownership_loss.set(loss).ok();
                running.await
            }
            () = self.ended_in_store(&attempt.run) => {
                attempt.stop.ownership_loss.set(OwnershipLoss::Taken).ok();
                running.await
            }
        };
        outcome.ok()
    }

    /// Completes when another process has ended the run in the database.
    async fn ended_in_store(&self, run: &LocalRun) {
        loop {
            sleep(CANCEL_POLL_INTERVAL).await;
            if let Ok(Some(stored)) = self.config.queue.get(run.id).await
                && stored.state.is_terminal()
                && !has_published(&stored, &run.progress.status())
            {
                return;
            }
        }
    }

    /// Reports the end of a run that another process has canceled while this one worked on it.
    async fn report_cancelled(&self, last: &RunStatus) {
        let Ok(Some(stored)) = self.config.queue.get(last.request_id).await else { return };
        if stored.state == RunState::Cancelled && is_same_attempt(&stored, last) {
            tracing::info!(state = %stored.state, "run canceled by another process");
            metrics::record_run_end(stored.state);
            (self.config.on_end)(&stored);
            self.tracker_sync.publish(stored);
        }
    }

    /// Reports the end of a run that may have been published although the database became unavailable before it
    /// responded.
    async fn report_published(self: Arc<Self>, last: RunStatus) {
        loop {
            let shutdown = self.tasks.shutdown.cancelled();
            if timeout(FINAL_WRITE_RETRY_DELAY, shutdown).await.is_ok() {
                return;
            }
            let Ok(stored) = self.config.queue.get(last.request_id).await else { continue };
            if let Some(stored) = stored.filter(|stored| has_published(stored, &last)) {
                tracing::info!("the run was published before the database became unavailable");
                metrics::record_run_end(stored.state);
                (self.config.on_end)(&stored);
                self.tracker_sync.publish(stored);
            }
            return;
        }
    }

    /// Saves the final status of a run until it succeeds, for example once the disk has space again.
    async fn retry_final_write(self: Arc<Self>, run: Arc<LocalRun>) {
        let status = run.progress.status();
        loop {
            let shutdown = self.tasks.shutdown.cancelled();
            let is_last = timeout(FINAL_WRITE_RETRY_DELAY, shutdown).await.is_ok();
            match save_end(self.config.queue.as_ref(), &status).await {
                Ok(None) => {
                    (self.config.on_end)(&status);
                    return;
                }
                Ok(Some(stored)) => {
                    if stored.state.is_terminal() && is_same_attempt(&stored, &status) {
                        tracing::info!(state = %stored.state, "the run had ended before");
                        metrics::record_run_end(stored.state);
                        run.progress.publish(stored.clone());
                        (self.config.on_end)(&stored);
                        self.tracker_sync.publish(stored);
                    } else {
                        tracing::warn!("another process has taken over the run");
                        self.local.forget(run.id);
                    }
                    return;
                }
                Err(_) if is_last => return,
                Err(_) => {}
            }
        }
    }
}

fn log_outcome(outcome: Outcome, status: &RunStatus) {
    let times = status.started_at.zip(status.finished_at);
    let duration_ms = times.map(|(start, end)| end.as_millisecond() - start.as_millisecond());
    match (outcome, &status.error) {
        (Outcome::OwnershipLost, _) => {
            tracing::warn!("another process has taken over or canceled the run");
        }
        (Outcome::Postponed, _) => tracing::warn!("run postponed: the database is unavailable"),
        (_, None) => tracing::info!(
            state = %status.state, duration_ms, shows = status.shows_seen,
            added = status.changes.added, changed = status.changes.changed,
            deleted = status.changes.deleted, malformed_shows = status.malformed_shows,
            requests = status.counts.requests, retries = status.counts.retries,
            rate_limited = status.counts.rate_limited, "run ended"
        ),
        (_, Some(error)) if status.state == RunState::Interrupted => {
            tracing::info!(error, "run interrupted");
        }
        (_, Some(error)) => {
            tracing::error!(
                target: "tvshows_pipeline::end",
                {
                    state = %status.state, duration_ms, shows = status.shows_seen,
                    requests = status.counts.requests, retries = status.counts.retries,
                    rate_limited = status.counts.rate_limited, error
                },
                "run ended without publishing"
            );
        }
    }
}
