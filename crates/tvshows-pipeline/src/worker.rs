//! The task that does the runs: those that wait, and those that a process left unfinished.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use tvshows_core::{LEASE_TTL, Ownership, RunState, RunStatus, StoreError};

use crate::error::RunError;
use crate::in_hand::Entry;
use crate::interrupted::DIED;
use crate::metrics::{self, InProgress};
use crate::monitor::now;
use crate::pipeline::{Outcome, Stop};
use crate::runner::Shared;

/// How often a process without work looks whether another left some.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often a lease is renewed, so that one that fails is tried again before the lease ends.
const RENEWAL: Duration = Duration::from_secs(LEASE_TTL.as_secs() / 3);
/// The wait before the end of a run that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// A run, and by which rights this process works on it.
struct Work {
    status: RunStatus,
    data: String,
    by: Ownership,
}

impl Shared {
    /// Does run after run until the runner is stopped.
    pub(crate) async fn work(self: Arc<Self>) {
        let mut is_troubled = false;
        while !self.stopped.is_cancelled() {
            // A task of its own, so that a bug ends this turn and not the worker.
            let turn = self.runtime.spawn(Arc::clone(&self).take_turn()).await;
            if turn.is_err() {
                tracing::error!(
                    "a bug in this program ended a turn of the queue; please report it"
                );
                self.in_hand().let_go();
                self.store().release().await;
            }
            if let (Ok(Err(error)), false) = (&turn, is_troubled) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "the queue cannot be used; it is tried again");
            }
            is_troubled = matches!(turn, Ok(Err(_)));
            if !matches!(turn, Ok(Ok(true))) {
                tokio::select! {
                    () = self.submitted.notified() => {}
                    () = self.stopped.cancelled() => {}
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
        }
    }

    /// Does a run, if there is one to do. `false` says to wait before the next turn.
    async fn take_turn(self: Arc<Self>) -> Result<bool, StoreError> {
        match self.find_work().await? {
            Some(work) => {
                // As loud as can be, so that whatever is logged in a run names it.
                let span = tracing::error_span!("run", run.id = %work.status.request_id);
                Ok(self.do_work(work).instrument(span).await)
            }
            None => Ok(false),
        }
    }

    /// The next run, with the right to work on it, if there is one and no other process has the right.
    async fn find_work(&self) -> Result<Option<Work>, StoreError> {
        let ended = self.in_hand().ended();
        if self.store().next_run(&ended).await?.is_none() {
            return Ok(None);
        }
        let claimed = match self.store().claim().await {
            Ok(()) => true,
            Err(StoreError::RunLockHeld) => false,
            Err(error) => return Err(error),
        };
        let work = self.take_work(claimed).await;
        if claimed && !matches!(work, Ok(Some(_))) {
            self.store().release().await;
        }
        work
    }

    /// The claim tells between processes on one machine, and ends with its process. The lease tells between
    /// machines, and ends also where its holder is paused: then it counts against the claim.
    async fn take_work(&self, claim: bool) -> Result<Option<Work>, StoreError> {
        // Looked at again: another process may have been faster.
        let ended = self.in_hand().ended();
        let Some(mut status) = self.store().next_run(&ended).await? else { return Ok(None) };
        let data = self.store().id().await?;
        let mut dead = None;
        if status.state == RunState::Running {
            let holder = self.store().rights().await?;
            if claim && holder.claim {
                // It had the claim that this process has now. Whoever asks learns that at once.
                dead = Some(status.instance.clone());
                tracing::warn!(run.id = %status.request_id, instance = status.instance, "a run was interrupted: its process died");
                status.mark_interrupted(DIED, now());
                self.store().note(&status).await?;
            } else if !(holder.lease && self.is_lease_free_for_long(&data).await) {
                return Ok(None);
            }
        } else if !claim {
            return Ok(None);
        }
        let lease = match self.tracker.lease(&data, &self.instance, dead.as_deref()).await {
            Ok(true) => self.tracker.is_shared(),
            Err(error) if claim => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run.id = %status.request_id, error, "a run goes without a lease");
                false
            }
            Ok(false) | Err(_) => return Ok(None),
        };
        Ok(Some(Work { status, data, by: Ownership { claim, lease } }))
    }

    /// Whether nobody has renewed the lease for longer than a living holder takes, also after Redis has
    /// forgotten everything.
    async fn is_lease_free_for_long(&self, data: &str) -> bool {
        let is_free =
            self.tracker.is_shared() && matches!(self.tracker.lease_holder(data).await, Ok(None));
        let mut free_since = self.lease_free_since();
        if !is_free {
            *free_since = None;
            return false;
        }
        free_since.get_or_insert_with(Instant::now).elapsed() > RENEWAL + LOOK_AGAIN
    }

    /// `false` says that the run must wait: another program has the store locked, or TVmaze is away.
    async fn do_work(self: Arc<Self>, work: Work) -> bool {
        let mut status = work.status.clone();
        if status.state == RunState::Running {
            tracing::warn!(
                instance = status.instance,
                "a run is taken over: its process lost the lease"
            );
            status.mark_interrupted(DIED, now());
        }
        status.instance.clone_from(&self.instance);
        let entry = Arc::new(Entry::new(status));
        self.in_hand().take(Arc::clone(&entry));
        self.elsewhere().forget(entry.run);
        self.taken_up.notify_waiters();
        self.mirror_once_begun(entry.monitor.subscribe());
        tracing::info!("a run begins");
        let _in_progress = InProgress::begin();
        let stop = Stop {
            cancelled: entry.cancelled.clone(),
            stopped: self.stopped.clone(),
            overtaken: CancellationToken::new(),
        };
        let overtaken = stop.overtaken.clone();
        let (pipeline, running, by) = (self.pipeline.clone(), Arc::clone(&entry), work.by);
        // A task of its own, so that a bug in a run ends that run and not the runner.
        let work_on = async move {
            let parameters = running.monitor.status().parameters();
            pipeline.run(parameters, &running.monitor, by, &stop).await
        };
        let mut run = AbortOnDropHandle::new(self.runtime.spawn(work_on.in_current_span()));
        let outcome = tokio::select! {
            outcome = &mut run => outcome,
            never = self.keep_lease(&work, &overtaken) => never,
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(_) => self.pipeline.end(RunError::Panicked, &entry.monitor).await,
        };
        log_outcome(outcome, &entry.monitor.status());
        if matches!(outcome, Outcome::Written | Outcome::Unwritten) {
            metrics::ended(entry.monitor.status().state);
        }
        if outcome == Outcome::Unwritten && entry.monitor.status().state.is_terminal() {
            let again = Arc::clone(&self).write_end(entry.monitor.status());
            self.tasks.spawn_on(again.in_current_span(), &self.runtime);
        }
        let must_wait =
            outcome == Outcome::Locked || entry.monitor.status().state == RunState::Interrupted;
        self.in_hand().let_go();
        self.give_back(&work).await;
        !must_wait
    }

    /// Tells the tracker of a run from when it has begun: another process may be faster yet.
    fn mirror_once_begun(self: &Arc<Self>, mut statuses: watch::Receiver<RunStatus>) {
        let shared = Arc::clone(self);
        let taken_up = statuses.borrow().revision;
        let mirroring = async move {
            if statuses.wait_for(|status| status.revision != taken_up).await.is_ok() {
                shared.mirror(statuses);
            }
        };
        self.tasks.spawn_on(mirroring.in_current_span(), &self.runtime);
    }

    /// Renews the lease for ever, and says where another process has it.
    async fn keep_lease<T>(&self, work: &Work, overtaken: &CancellationToken) -> T {
        loop {
            sleep(RENEWAL).await;
            // What cannot be asked is asked again in time.
            if let Ok(false) = self.tracker.lease(&work.data, &self.instance, None).await {
                overtaken.cancel();
                return std::future::pending().await;
            }
        }
    }

    async fn give_back(&self, work: &Work) {
        if work.by.claim {
            self.store().release().await;
        }
        // A lease that is not given back ends by itself.
        let _ = self.tracker.release(&work.data, &self.instance).await;
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
}

fn log_outcome(outcome: Outcome, status: &RunStatus) {
    match (outcome, &status.error) {
        (Outcome::Overtaken, _) => {
            tracing::warn!("a run was taken over by another process, or ended there");
        }
        (Outcome::Locked, _) => {
            tracing::warn!("a run waits: {}", StoreError::DatabaseBusy);
        }
        (_, None) => tracing::info!(
            state = %status.state, shows = status.shows_seen,
            requests = status.requests, retries = status.retries, "a run ended"
        ),
        (_, Some(error)) if status.state == RunState::Interrupted => {
            tracing::info!(error, "a run was interrupted");
        }
        (_, Some(error)) => {
            tracing::error!(
                target: "tvshows_pipeline::end", { state = %status.state, error },
                "a run ended without publishing"
            );
        }
    }
}
