//! The task that does the runs: those that wait, and those that a process left unfinished.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tvshows_core::{LEASE, RunState, RunStatus, StoreError};

use crate::error::RunError;
use crate::in_hand::Entry;
use crate::interrupted::DIED;
use crate::monitor::now;
use crate::pipeline::{Outcome, Stop};
use crate::runner::Shared;

/// How often a process without work looks whether another left some.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often a lease is renewed, so that one that fails is tried again before the lease ends.
const RENEWAL: Duration = Duration::from_secs(LEASE.as_secs() / 3);
/// The wait before the end of a run that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(5);

/// A run, and by which rights this process works on it.
struct Work {
    status: RunStatus,
    data: String,
    claimed: bool,
    leased: bool,
}

impl Shared {
    /// Does run after run until the runner is stopped.
    pub(crate) async fn work(self: Arc<Self>) {
        let mut is_troubled = false;
        while !self.stopped.is_cancelled() {
            let found = self.find_work().await;
            let trouble = found.as_ref().err();
            if let (Some(error), false) = (trouble, is_troubled) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "the queue cannot be used; it is tried again");
            }
            is_troubled = trouble.is_some();
            let is_done = match found {
                Ok(Some(work)) => Arc::clone(&self).do_work(work).await,
                _ => false,
            };
            if !is_done {
                tokio::select! {
                    () = self.submitted.notified() => {}
                    () = self.stopped.cancelled() => {}
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
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
            Err(StoreError::Busy) => false,
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
    async fn take_work(&self, claimed: bool) -> Result<Option<Work>, StoreError> {
        // Looked at again: another process may have been faster.
        let ended = self.in_hand().ended();
        let Some(status) = self.store().next_run(&ended).await? else { return Ok(None) };
        let was_running = status.state == RunState::Running;
        let may_overrule =
            was_running && self.tracker.is_shared() && self.store().is_leased().await?;
        if !claimed && !may_overrule {
            return Ok(None);
        }
        let data = self.store().id().await?;
        let dead = (claimed && was_running).then_some(status.instance.as_str());
        let leased = match self.tracker.lease(&data, &self.instance, dead).await {
            Ok(true) => self.tracker.is_shared(),
            Err(error) if claimed => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run.id = %status.request_id, error, "a run goes without a lease");
                false
            }
            Ok(false) | Err(_) => return Ok(None),
        };
        Ok(Some(Work { status, data, claimed, leased }))
    }

    /// `false` says that the run must wait: another program has the store locked, or TVmaze is away.
    async fn do_work(self: Arc<Self>, mut work: Work) -> bool {
        let entry = Arc::new(Entry::new(self.taken_over(work.status.clone())));
        self.in_hand().take(Arc::clone(&entry));
        self.mirror(entry.monitor.subscribe());
        tracing::info!(run.id = %entry.run, "a run begins");
        let stop = Stop {
            cancelled: entry.cancelled.clone(),
            stopped: self.stopped.clone(),
            overtaken: CancellationToken::new(),
        };
        let overtaken = stop.overtaken.clone();
        let (pipeline, running, leased) = (self.pipeline.clone(), Arc::clone(&entry), work.leased);
        // A task of its own, so that a bug in a run ends that run and not the runner.
        let mut run = self.runtime.spawn(async move {
            let parameters = running.monitor.status().parameters();
            pipeline.run(parameters, &running.monitor, leased, &stop).await
        });
        let outcome = tokio::select! {
            outcome = &mut run => outcome,
            never = self.keep_lease(&mut work, &overtaken) => never,
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(_) => self.pipeline.end(RunError::Panicked, &entry.monitor).await,
        };
        log_outcome(outcome, &entry.monitor.status());
        if outcome == Outcome::Unwritten && entry.monitor.status().state.is_ended() {
            let again = Arc::clone(&self).write_end(entry.monitor.status());
            self.tasks.spawn_on(again, &self.runtime);
        }
        let must_wait =
            outcome == Outcome::Locked || entry.monitor.status().state == RunState::Interrupted;
        self.in_hand().let_go();
        self.give_back(&work).await;
        !must_wait
    }

    /// The status of a run that this process takes up.
    fn taken_over(&self, mut status: RunStatus) -> RunStatus {
        if status.state == RunState::Running {
            tracing::warn!(run.id = %status.request_id, instance = status.instance, "a run was interrupted: its process died");
            status.presume_dead(DIED, now());
        }
        status.instance.clone_from(&self.instance);
        status
    }

    /// Renews the lease for ever. Says where another process has it, and takes the claim once that is free.
    async fn keep_lease<T>(&self, work: &mut Work, overtaken: &CancellationToken) -> T {
        loop {
            sleep(RENEWAL).await;
            // What cannot be asked is asked again in time.
            if let Ok(false) = self.tracker.lease(&work.data, &self.instance, None).await {
                overtaken.cancel();
                return std::future::pending().await;
            }
            work.claimed = work.claimed || self.store().claim().await.is_ok();
        }
    }

    async fn give_back(&self, work: &Work) {
        if work.claimed {
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
    let run = status.request_id;
    match (outcome, &status.error) {
        (Outcome::Overtaken, _) => {
            tracing::warn!(run.id = %run, "a run was taken over by another process, or ended there");
        }
        (Outcome::Locked, _) => {
            tracing::warn!(run.id = %run, "a run waits: {}", StoreError::Locked);
        }
        (_, None) => tracing::info!(
            run.id = %run, state = %status.state, shows = status.shows_seen,
            requests = status.requests, retries = status.retries, "a run ended"
        ),
        (_, Some(error)) if status.state == RunState::Interrupted => {
            tracing::info!(run.id = %run, error, "a run was interrupted");
        }
        (_, Some(error)) => {
            tracing::error!(
                target: "tvshows_pipeline::end", { run.id = %run, state = %status.state, error },
                "a run ended without publishing"
            );
        }
    }
}
