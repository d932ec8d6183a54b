use std::sync::Arc;

use tokio::sync::Notify;
use tvmaze_client::Client;
use tvshows_core::{
    CastMember, RunEvent, RunParameters, RunSession, RunStatus, Show, ShowId, StagedBatch,
    StoreError,
};

use crate::clock::{now_millis, now_secs};
use crate::convert::{TvmazeCastMember, TvmazeShow, saturating_u32};
use crate::malformed_shows::MalformedShows;
use crate::run_progress::RunProgress;

/// What the steps of one attempt at a run share.
pub(crate) struct RunContext<'a> {
    pub(crate) client: &'a Client,
    pub(crate) session: &'a dyn RunSession,
    pub(crate) progress: &'a RunProgress,
    pub(crate) parameters: RunParameters,
    /// Notified when TVmaze has returned something to stage.
    pub(crate) first_response: Arc<Notify>,
    pub(crate) malformed_shows: MalformedShows,
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

    /// Returns the shows of a response, and reports the malformed ones.
    pub(crate) fn accept_shows(&self, shows: Vec<TvmazeShow>) -> Vec<Show> {
        let mut malformed = 0;
        let mut accept = |TvmazeShow { show, malformed: paths }| {
            if !paths.is_empty() && self.malformed_shows.report(show.id, &show.name, &paths) {
                malformed += 1;
            }
            show
        };
        let shows = shows.into_iter().map(&mut accept).collect();
        self.count_malformed(malformed);
        shows
    }

    /// Returns the cast of a show, and reports its malformed members.
    pub(crate) fn accept_cast(&self, show: &Show, cast: Vec<TvmazeCastMember>) -> Vec<CastMember> {
        let members = cast.iter().enumerate();
        let paths: Vec<String> = members
            .flat_map(|(index, member)| {
                member.malformed.iter().map(move |path| format!("cast[{index}].{path}"))
            })
            .collect();
        if !paths.is_empty() && self.malformed_shows.report(show.id, &show.name, &paths) {
            self.count_malformed(1);
        }
        cast.into_iter().map(|member| member.of_show(show)).collect()
    }

    /// Saved by the checkpoint of the shows or the cast.
    fn count_malformed(&self, shows: usize) {
        if shows > 0 {
            self.progress.apply(RunEvent::MalformedShows(saturating_u32(shows)));
        }
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
