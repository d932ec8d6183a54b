//! One attempt at a run, from `begin` until its status is saved.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tvshows_core::{
    Ownership, RunEvent, RunQueue, RunSession, RunState, RunStatus, Step, StoreError,
};

use crate::details::details_mb;
use crate::error::{RunError, error_chain};
use crate::local_runs::LocalRun;
use crate::malformed_shows::MalformedShows;
use crate::pipeline::Pipeline;
use crate::run_context::{ChosenShows, RunContext};
use crate::run_progress::RunProgress;
use crate::storage_retry::StopSignals;

/// How many attempts in a row may end without having staged anything more, unless they were asked to stop. A run
/// that crashes its process, or never gets an operation of a shared database done, must not do so forever.
const MAX_STALLED_ATTEMPTS: u32 = 3;
/// How often the request counts are updated while nothing else changes, for example while TVmaze throttles.
const REQUEST_COUNTS_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) pipeline: Pipeline,
    pub(crate) queue: Arc<dyn RunQueue>,
    pub(crate) run: Arc<LocalRun>,
    /// How many attempts before this one have stalled in a row.
    pub(crate) stalled_attempts: u32,
    pub(crate) stop: StopSignals,
}

/// How an attempt ended for this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The run has ended or is interrupted, and that is saved.
    Saved,
    /// The run has ended or is interrupted, but that could not be saved, for example because the disk is full.
    Unsaved,
    /// Another process owns the run now and decides how it ends.
    OwnershipLost,
    /// The attempt has not begun, because the database is unavailable.
    Postponed,
}

impl Attempt {
    /// Runs the attempt until the run has ended or must stop. A run that is publishing does not stop.
    pub(crate) async fn run(&self, ownership: Ownership) -> Outcome {
        if self.stalled_attempts >= MAX_STALLED_ATTEMPTS {
            let attempts = self.stalled_attempts;
            return self.finish(RunError::CrashLoop { attempts }, None).await;
        }
        let begin =
            async |_: &_, status: &_| self.stop.retry(|| self.queue.begin(status, ownership)).await;
        let session = match self.run.progress.checkpoint(RunEvent::Started, begin).await {
            Ok(session) => session,
            Err(error) if error.is_interruption() => return Outcome::Postponed,
            Err(error) => return self.finish(error, None).await,
        };
        match self.execute(session.as_ref()).await {
            Ok(()) => Outcome::Saved,
            Err(error) => self.finish(error, Some(session.as_ref())).await,
        }
    }

    /// Ends a run that does not publish, or leaves it as interrupted, to be resumed later.
    pub(crate) async fn finish(
        &self,
        error: RunError,
        session: Option<&dyn RunSession>,
    ) -> Outcome {
        if matches!(error, RunError::Store(StoreError::Fenced)) {
            return Outcome::OwnershipLost;
        }
        let is_resumable = self.is_resumable(&error, session).await;
        if let (RunError::Store(StoreError::DiskFull { .. }), Some(session)) = (&error, session) {
            // Best effort, like all writes to a full disk.
            let _ = session.discard_staging().await;
        }
        let details = self.run.progress.status().details_total.unwrap_or_default();
        let error = match error {
            RunError::Store(StoreError::DiskFull { needed_mb }) => {
                RunError::Store(StoreError::DiskFull { needed_mb: needed_mb + details_mb(details) })
            }
            error => error,
        };
        let event = match error {
            error if is_resumable => RunEvent::Interrupted(error_chain(&error)),
            RunError::Cancelled => RunEvent::Cancelled,
            error => RunEvent::Failed(error_chain(&error)),
        };
        let progress = &self.run.progress;
        let may_be_published =
            progress.status().step == Step::Publishing && matches!(event, RunEvent::Failed(_));
        let save = async |_: &_, status: &RunStatus| {
            let queue = self.queue.as_ref();
            let saved = if is_resumable {
                queue.save_status(status).await.map(|()| None).map_err(RunError::from)
            } else if may_be_published {
                self.stop.without_cancel().retry(|| save_end(queue, status)).await
            } else {
                save_end(queue, status).await.map_err(RunError::from)
            };
            match saved {
                Ok(None) => Ok(()),
                Ok(Some(stored)) => Err(NotSaved::EndedOtherwise(Box::new(stored))),
                Err(error) => Err(NotSaved::Failed(error)),
            }
        };
        let error = match progress.checkpoint(event.clone(), save).await {
            Ok(()) => return Outcome::Saved,
            Err(NotSaved::EndedOtherwise(stored)) => {
                if !stored.state.is_terminal() || !is_same_attempt(&stored, &progress.status()) {
                    return Outcome::OwnershipLost;
                }
                progress.publish(*stored);
                return Outcome::Saved;
            }
            Err(NotSaved::Failed(RunError::Store(StoreError::Fenced))) => {
                return Outcome::OwnershipLost;
            }
            Err(NotSaved::Failed(error)) => error,
        };
        let event = match event {
            // Only the history knows how it ended, and responds later.
            _ if may_be_published && error.is_interruption() => {
                RunEvent::Interrupted(error_chain(&error))
            }
            event => event,
        };
        let error = &error as &dyn std::error::Error;
        tracing::error!(run.id = %self.run.id, error, "the end of the run could not be saved");
        progress.apply(event);
        Outcome::Unsaved
    }

    /// Whether a run is to be resumed after an error: if it was interrupted, and, a limited number of times, if a run
    /// with staged data cannot reach TVmaze, as after a boot without a network.
    async fn is_resumable(&self, error: &RunError, session: Option<&dyn RunSession>) -> bool {
        match error {
            // Nobody asked for this stop, and it may come again in each attempt, which all send requests.
            RunError::StoreUnreachable | RunError::LockExpired => true,
            // That includes a locked file: another program holds the lock, so the run must not fail for it.
            error if error.is_interruption() => {
                if let Some(session) = session {
                    // Best effort: at worst, the attempt counts as stalled.
                    let _ = session.record_stop().await;
                }
                true
            }
            // Fails before anything is staged, so this attempt is stalled as well.
            RunError::Unreachable { .. } => {
                let is_resumed = self.run.progress.status().attempt > 1;
                is_resumed && self.stalled_attempts + 1 < MAX_STALLED_ATTEMPTS
            }
            _ => false,
        }
    }

    async fn execute(&self, session: &dyn RunSession) -> Result<(), RunError> {
        let progress = &self.run.progress;
        progress.count_requests(&self.pipeline.client);
        let context = RunContext {
            client: &self.pipeline.client,
            session,
            progress,
            stop: &self.stop,
            parameters: progress.status().parameters(),
            malformed_shows: MalformedShows::default(),
            chosen: ChosenShows::new(self.pipeline.details.filter()),
        };
        let staged = tokio::select! {
            biased;
            reason = self.stop.stopped() => Err(reason),
            never = update_request_counts(progress) => never,
            selection = self.pipeline.stage(&context) => selection,
        };
        progress.update_request_counts();
        let selection = staged?;
        progress.apply(RunEvent::StepBegan(Step::Publishing));
        // A cancel request that comes after this step began is rejected: see `LocalRuns::cancel`.
        if self.run.cancel.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        context.publish(&selection, self.queue.as_ref()).await
    }
}

/// Why a final status was not saved.
enum NotSaved {
    /// The history has another end of the run, or a later attempt.
    EndedOtherwise(Box<RunStatus>),
    Failed(RunError),
}

/// Saves the final status of a run that was not published, as far as this process knows. Returns the status in the
/// history if that differs: the response to a publish may have been lost.
pub(crate) async fn save_end(
    queue: &dyn RunQueue,
    status: &RunStatus,
) -> Result<Option<RunStatus>, StoreError> {
    queue.finish_unpublished(status).await?;
    let stored = queue.get(status.request_id).await?;
    Ok(stored.filter(|stored| stored.state != status.state || !is_same_attempt(stored, status)))
}

/// Whether two statuses of a run are of one attempt. After a failover that lost the attempt, another process may have
/// started one of the same number.
pub(crate) fn is_same_attempt(one: &RunStatus, other: &RunStatus) -> bool {
    (one.attempt, &one.instance) == (other.attempt, &other.instance)
}

/// Whether the attempt with the status `local` has published, according to the status in the history.
pub(crate) fn has_published(stored: &RunStatus, local: &RunStatus) -> bool {
    stored.state == RunState::Succeeded && is_same_attempt(stored, local)
}

async fn update_request_counts<T>(progress: &RunProgress) -> T {
    let mut interval = tokio::time::interval(REQUEST_COUNTS_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        progress.update_request_counts();
    }
}
