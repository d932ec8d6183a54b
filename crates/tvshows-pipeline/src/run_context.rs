use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tvmaze_client::Client;
use tvshows_core::{
    CastMember, FinalStatus, RunEvent, RunParameters, RunQueue, RunSession, RunStatus, Show,
    ShowFilter, ShowId, StagedBatch, StoreError,
};

use crate::attempt::has_published;
use crate::clock::{now_millis, now_secs};
use crate::convert::{TvmazeCastMember, TvmazeShow, saturating_u32};
use crate::error::RunError;
use crate::malformed_shows::MalformedShows;
use crate::pipeline::Selection;
use crate::run_progress::RunProgress;
use crate::storage_retry::StopSignals;

/// How many requests a call takes on average at most, with its retries.
const REQUESTS_PER_CALL: u64 = 2;
/// How many requests a run may send beyond its plan, however small that is.
const SPARE_REQUESTS: u64 = 100;

/// Shows, each with its `updated`.
pub(crate) type ShowVersions = BTreeMap<ShowId, Option<i64>>;

/// What the steps of one attempt at a run share.
pub(crate) struct RunContext<'a> {
    pub(crate) client: &'a Client,
    pub(crate) session: &'a dyn RunSession,
    pub(crate) progress: &'a RunProgress,
    pub(crate) stop: &'a StopSignals,
    pub(crate) parameters: RunParameters,
    pub(crate) malformed_shows: MalformedShows,
    pub(crate) chosen: ChosenShows<'a>,
}

/// Which shows `DETAILS` chooses.
pub(crate) struct ChosenShows<'a> {
    /// `None` if it chooses only the top shows.
    pub(crate) filter: Option<&'a ShowFilter>,
    /// The chosen shows of the next snapshot; `None` until they are read, and again once index pages are staged.
    cache: Mutex<Option<ShowVersions>>,
}

impl<'a> ChosenShows<'a> {
    pub(crate) fn new(filter: Option<&'a ShowFilter>) -> ChosenShows<'a> {
        ChosenShows { filter, cache: Mutex::default() }
    }

    fn cache(&self) -> MutexGuard<'_, Option<ShowVersions>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the cache with what was staged.
    fn apply(&self, batch: &StagedBatch) {
        let mut cache = self.cache();
        let (Some(filter), Some(chosen)) = (self.filter, cache.as_mut()) else { return };
        match batch {
            // Which staged shows they replace depends on the versions, so the chosen shows are read again.
            StagedBatch::Pages { .. } => *cache = None,
            StagedBatch::Shows { shows, .. } => {
                for show in shows {
                    if filter.matches(show) {
                        chosen.insert(show.id, show.updated);
                    } else {
                        chosen.remove(&show.id);
                    }
                }
            }
            StagedBatch::Deletions(shows) => {
                for id in shows {
                    chosen.remove(id);
                }
            }
        }
    }
}

impl RunContext<'_> {
    /// Returns the shows of the next snapshot that `DETAILS` chooses by a filter.
    pub(crate) async fn chosen_shows(&self) -> Result<ShowVersions, RunError> {
        let Some(filter) = self.chosen.filter else { return Ok(ShowVersions::new()) };
        if let Some(chosen) = &*self.chosen.cache() {
            return Ok(chosen.clone());
        }
        let chosen = self.stop.retry(|| self.session.matching_shows(filter.clone())).await?;
        *self.chosen.cache() = Some(chosen.clone());
        Ok(chosen)
    }

    /// Discards everything that is staged.
    pub(crate) async fn discard_staging(&self) -> Result<(), RunError> {
        *self.chosen.cache() = None;
        self.stop.retry(|| self.session.discard_staging()).await?;
        self.progress.apply(RunEvent::StagingDiscarded);
        Ok(())
    }

    /// Commits the status after `event` together with `batch`, and then makes the status visible.
    pub(crate) async fn checkpoint(
        &self,
        event: RunEvent,
        batch: Option<StagedBatch>,
    ) -> Result<(), RunError> {
        // Shared, so that the commit can be repeated.
        let batch = batch.map(Arc::new);
        let save = async |visible: &RunStatus, next: &RunStatus| {
            // Without data, only the percentage is worth a transaction: it must not fall after a crash.
            if batch.is_none() && next.progress == visible.progress {
                return Ok(());
            }
            self.stop.retry(|| self.session.commit(batch.clone(), next)).await
        };
        self.progress.checkpoint(event, save).await?;
        if let Some(batch) = &batch {
            self.chosen.apply(batch);
        }
        Ok(())
    }

    /// Sets the limit of the run's requests, if it has to make at most this many calls from now on.
    pub(crate) fn plan_requests(&self, calls: usize) {
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        let planned = calls.saturating_mul(REQUESTS_PER_CALL).saturating_add(SPARE_REQUESTS);
        let total = self.progress.request_count().saturating_add(planned);
        self.progress.apply(RunEvent::RequestsPlanned(total));
    }

    /// Checks, before a call, that the run has not reached the limit of its requests.
    pub(crate) fn check_request_limit(&self) -> Result<(), RunError> {
        let requests = self.progress.request_count();
        // Those in flight may not have been counted yet.
        let in_flight = u64::try_from(self.client.concurrency()).unwrap_or_default();
        match self.progress.max_requests() {
            Some(max) if requests + in_flight > max => Err(RunError::TooManyRequests { requests }),
            _ => Ok(()),
        }
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
    pub(crate) async fn publish(
        &self,
        selection: &Selection,
        queue: &dyn RunQueue,
    ) -> Result<(), RunError> {
        let status = self.progress.status();
        let local = status.clone();
        let final_status: FinalStatus = Arc::new(move |changes| {
            let mut status = status.clone();
            status.apply(RunEvent::Succeeded(changes), now_millis());
            status
        });
        let Selection { top, detailed } = selection;
        let publish = || async {
            match self.session.publish(top, detailed, now_secs(), Arc::clone(&final_status)).await {
                // It may have been published before, by a commit whose response was lost.
                Err(StoreError::Fenced) => match queue.get(local.request_id).await? {
                    Some(stored) if has_published(&stored, &local) => Ok(stored),
                    _ => Err(StoreError::Fenced),
                },
                published => published,
            }
        };
        let succeeded = self.stop.without_cancel().retry(publish).await?;
        self.progress.publish(succeeded);
        Ok(())
    }
}
