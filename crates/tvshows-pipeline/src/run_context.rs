use std::sync::Arc;

use tokio::sync::Notify;
use tvmaze_client::Client;
use tvshows_core::{
    RunEvent, RunParameters, RunSession, RunStatus, ShowId, StagedBatch, StoreError,
};

use crate::clock::{now_millis, now_secs};
use crate::run_progress::RunProgress;

/// What the steps of one attempt at a run share.
pub(crate) struct RunContext<'a> {
    pub(crate) client: &'a Client,
    pub(crate) session: &'a dyn RunSession,
    pub(crate) progress: &'a RunProgress,
    pub(crate) parameters: RunParameters,
    /// Notified when TVmaze has returned something to stage.
    pub(crate) first_response: Arc<Notify>,
}

impl RunContext<'_> {
    /// Commits the status after `event` together with `batch`, and then makes the status visible.
    pub(crate) async fn checkpoint(
        &self,
        event: RunEvent,
        batch: Option<StagedBatch>,
    ) -> Result<(), StoreError> {
        let save = async |visible: &RunStatus, next: &RunStatus| {
            // Without data, only the percentage is worth a transaction: it must not fall after a crash.
            if batch.is_none() && next.progress == visible.progress {
                return Ok(());
            }
            self.session.commit(batch, next).await
        };
        self.progress.checkpoint(event, save).await
    }

    /// Publishes the staged snapshot together with the final status, and then makes the status visible.
    pub(crate) async fn publish(&self, top: &[ShowId]) -> Result<(), StoreError> {
        let status = self.progress.status();
        let final_status = Arc::new(move |changes| {
            let mut status = status.clone();
            status.apply(RunEvent::Succeeded(changes), now_millis());
            status
        });
        let succeeded = self.session.publish(top, now_secs(), final_status).await?;
        self.progress.publish(succeeded);
        Ok(())
    }
}
