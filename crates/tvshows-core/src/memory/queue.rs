use async_trait::async_trait;

use super::session::MemorySession;
use super::{Data, MemoryStore, Staging, count};
use crate::{
    Enqueued, FetchMode, NextRun, Ownership, RunId, RunQueue, RunSession, RunState, RunStatus,
    StoreError,
};

#[async_trait]
impl RunQueue for MemoryStore {
    async fn database_id(&self) -> Result<String, StoreError> {
        Ok(format!("{:p}", std::sync::Arc::as_ptr(&self.data)))
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        let mut data = self.data();
        let mut unfinished = data.unfinished();
        unfinished.retain(|run| !except.contains(&run.request_id));
        if let Some(run) = unfinished.iter().find(|run| run.parameters() == status.parameters()) {
            return Ok(Enqueued::Joined(run.clone()));
        }
        let ahead = count(unfinished.len());
        if ahead > max_waiting {
            return Ok(Enqueued::Full);
        }
        data.save(status);
        Ok(Enqueued::New(RunStatus { position: Some(ahead), ..status.clone() }))
    }

    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError> {
        let data = self.data();
        let mut unfinished = data.unfinished();
        unfinished.sort_by_key(|run| run.state == RunState::Queued);
        let next = unfinished.into_iter().find(|run| !except.contains(&run.request_id));
        Ok(next.map(|status| NextRun {
            ownership: data.ownership(status.request_id),
            stalled_attempts: data.stalled_attempts(status.request_id),
            status,
        }))
    }

    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let data = self.data();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(data.runs.iter().rev().take(limit).map(|run| data.as_seen(run)).collect())
    }

    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let data = self.data();
        Ok(data.find(run).map(|run| data.as_seen(run)))
    }

    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.data().save(status);
        Ok(())
    }

    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError> {
        let mut data = self.data();
        let owned = |staging: &&mut Staging| staging.is_owned_by(status.request_id, status.attempt);
        if status.state == RunState::Failed {
            if let Some(staging) = data.staging.as_mut().filter(owned) {
                staging.discard_unless_reusable();
                // The numbers of attempts start at 1, so nothing owns the staging tables.
                staging.attempt = 0;
            }
        } else {
            data.staging.take_if(|staging| owned(&staging));
        }
        data.save(status);
        Ok(())
    }

    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError> {
        let mut data = self.data();
        let (run, attempt) = (status.request_id, status.attempt);
        let is_late = data.find(run).is_some_and(|stored| stored.attempt >= attempt);
        if is_late || !data.save(status) {
            return Err(StoreError::Fenced);
        }
        let is_full = status.mode == FetchMode::Full;
        data.staging.take_if(|staging| staging.run != run && is_full);
        let staging = data.staging.get_or_insert_with(|| Staging::new(run));
        if staging.run != run {
            staging.discard_unless_reusable();
            (staging.run, staging.stalled_attempts) = (run, 0);
        }
        (staging.attempt, staging.ownership) = (attempt, ownership);
        staging.stalled_attempts += 1;
        Ok(Box::new(MemorySession { store: self.clone(), run, attempt }))
    }

    async fn close(&self) {}
}

impl Data {
    fn find(&self, run: RunId) -> Option<&RunStatus> {
        self.runs.iter().find(|stored| stored.request_id == run)
    }

    fn unfinished(&self) -> Vec<RunStatus> {
        let unfinished = self.runs.iter().filter(|run| !run.state.is_terminal());
        unfinished.map(|run| self.as_seen(run)).collect()
    }

    fn ownership(&self, run: RunId) -> Ownership {
        self.staging_of(run).map(|staging| staging.ownership).unwrap_or_default()
    }

    fn stalled_attempts(&self, run: RunId) -> u32 {
        self.staging_of(run).map(|staging| staging.stalled_attempts).unwrap_or_default()
    }

    fn staging_of(&self, run: RunId) -> Option<&Staging> {
        self.staging.as_ref().filter(|staging| staging.run == run)
    }

    /// Adds or replaces a run, unless it has ended or a later attempt has started. Returns whether it did.
    pub(super) fn save(&mut self, status: &RunStatus) -> bool {
        // The history does not store what only applies to a live run.
        let status = RunStatus { eta_seconds: None, position: None, ..status.clone() };
        match self.runs.iter_mut().find(|stored| stored.request_id == status.request_id) {
            None => self.runs.push(status),
            Some(stored) => {
                if stored.state.is_terminal() || stored.attempt > status.attempt {
                    return false;
                }
                *stored = status;
            }
        }
        true
    }

    /// A stored run as readers see it: with its position, and as interrupted if its process has ended.
    fn as_seen(&self, stored: &RunStatus) -> RunStatus {
        let mut status = stored.clone();
        if status.state == RunState::Queued {
            let is_ahead =
                |other: &&RunStatus| !other.state.is_terminal() && other.state != RunState::Queued;
            let waiting =
                self.runs.iter().take_while(|other| other.request_id != status.request_id);
            let waiting = waiting.filter(|other| other.state == RunState::Queued).count();
            let ahead = waiting + self.runs.iter().filter(is_ahead).count();
            status.position = u32::try_from(ahead).ok();
        }
        let is_abandoned = status.state == RunState::Running
            && self.lock_holder.is_none()
            && self.ownership(status.request_id).lock;
        if is_abandoned {
            status.mark_interrupted(status.updated_at);
        }
        status
    }
}
