use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tvmaze_client::Client;
use tvshows_core::{
    Catalog, DetailsFilter, DetailsVersion, FetchMode, PublishedManifest, RunEvent, RunParameters,
    Show, ShowId, StagedBatch, StagingState, Step, TopLimit, TopShowsCriteria,
};

use crate::clock::now_millis;
use crate::convert::saturating_u32;
use crate::details::{self, DetailsVersions, is_outdated};
use crate::error::RunError;
use crate::full_fetch::{self, FullFetchPlan};
use crate::incremental_fetch::{self, Baseline};
use crate::incremental_plan::{self, FetchPlan, PlanLimits};
use crate::individual_fetch::{self, Fetch};
use crate::run_context::RunContext;
use crate::updates::{UpdatesMap, check_updates, fetch_updates, max_discrepancies, page_of};

/// The default of [`Pipeline::max_age`].
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(7 * 24);
/// The default of [`Pipeline::max_details`]: forty minutes at TVmaze's limit.
pub const DEFAULT_MAX_DETAILS: u32 = 5000;

/// What every run works with.
#[derive(Clone)]
pub struct Pipeline {
    pub(crate) client: Client,
    pub(crate) catalog: Arc<dyn Catalog>,
    max_age: Duration,
    pub(crate) details: DetailsFilter,
    pub(crate) max_details: Option<u32>,
}

/// What a run publishes of the shows that it has staged.
pub(crate) struct Selection {
    /// The top shows, best first.
    pub(crate) top: Vec<ShowId>,
    /// The shows whose episodes and casts are published.
    pub(crate) detailed: Vec<ShowId>,
}

impl Pipeline {
    /// Fetches with `client`, and compares with the snapshot in `catalog`.
    #[must_use]
    pub fn new(client: Client, catalog: Arc<dyn Catalog>) -> Pipeline {
        Pipeline {
            client,
            catalog,
            max_age: DEFAULT_MAX_AGE,
            details: DetailsFilter::default(),
            max_details: Some(DEFAULT_MAX_DETAILS),
        }
    }

    /// Sets the maximum age of an index page before it is fetched again even if nothing on it is known to
    /// have changed: ratings and weights change without a new `updated`. Zero always fetches it.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Pipeline {
        self.max_age = max_age;
        self
    }

    /// Sets which shows have their episodes and their cast fetched.
    #[must_use]
    pub fn details(mut self, details: DetailsFilter) -> Pipeline {
        self.details = details;
        self
    }

    /// Sets of how many shows a run may fetch the episodes and the casts; `None` for any number. A run that would exceed
    /// it fails before it fetches the first of them.
    #[must_use]
    pub fn max_details(mut self, max: Option<u32>) -> Pipeline {
        self.max_details = max;
        self
    }

    /// Performs all steps before publishing.
    pub(crate) async fn stage(&self, context: &RunContext<'_>) -> Result<Selection, RunError> {
        let RunContext { session, progress, stop, parameters, .. } = context;
        let staging = stop.retry(|| session.staging()).await?;
        // Read while the request is in flight.
        let manifest = stop.retry(|| self.catalog.manifest());
        let (updates, published) = tokio::try_join!(self.updates(), manifest)?;
        let known = if staging.is_incremental { &staging.snapshot } else { &published };
        let updates = updates.filter(|updates| is_plausible(updates, known));
        if progress.status().attempt > 1 {
            // The last batch may have been staged without its status becoming visible.
            progress.apply(RunEvent::Resumed(saturating_u32(staging.pages.len())));
        }
        let mut versions = self.stage_shows(context, staging, published, updates.as_ref()).await?;

        loop {
            let mut detailed = Vec::new();
            if context.chosen.filter.is_some() {
                let (max, updates) = (self.max_details, updates.as_ref());
                detailed = details::stage(context, max, &mut versions, updates).await?;
            }
            progress.apply(RunEvent::StepBegan(Step::ComputingTop));
            let shows = stop.retry(|| session.staged_show_count()).await?;
            if shows == 0 {
                return Err(RunError::EmptyIndex);
            }
            progress.apply(RunEvent::ShowsCounted(shows));
            let criteria = criteria(*parameters);
            let top = stop.retry(|| session.rank_staged(criteria)).await?;
            let ids = top.iter().map(|show| show.id).collect();

            // If a cast changes, the `updated` of its show rises.
            let needs_cast = |show: &Show| {
                versions.get(&show.id).is_none_or(|version| version.updated < show.updated)
            };
            let new: Vec<Show> = top.into_iter().filter(needs_cast).collect();
            let planned = progress.status().casts_done + saturating_u32(new.len());
            context.checkpoint(RunEvent::CastsPlanned(planned), None).await?;
            progress.apply(RunEvent::StepBegan(Step::FetchingCast));
            versions.extend(new.iter().map(|show| {
                (show.id, DetailsVersion { updated: show.updated, has_episodes: false })
            }));
            let missing = individual_fetch::stage_casts(context, new).await?;
            if missing.is_empty() {
                return Ok(Selection { top: ids, detailed });
            }
            delete_shows_without_cast(context, missing).await?;
        }
    }

    /// Stages the changed shows or all of them, in addition to what an earlier attempt has staged. Returns
    /// the details in the next snapshot.
    async fn stage_shows(
        &self,
        context: &RunContext<'_>,
        mut staging: StagingState,
        mut published: PublishedManifest,
        updates: Option<&UpdatesMap>,
    ) -> Result<DetailsVersions, RunError> {
        let RunContext { session, stop, .. } = context;
        let last_published = published.shows.last_key_value().map(|(id, _)| *id);
        let is_fresh = staging.pages.is_empty() && last_published.is_some();
        if is_fresh && !staging.is_incremental {
            // The details that a failed full run has staged can be reused.
            published.details.extend(&staging.snapshot.details);
        }
        let base = match context.parameters.mode {
            _ if staging.is_incremental => Some(&staging.snapshot),
            FetchMode::Auto if is_fresh => Some(&published),
            _ => None,
        };
        let mut is_incremental = staging.is_incremental;
        if let Some((updates, base)) = updates.zip(base) {
            let mut chosen = BTreeSet::new();
            if let Some(filter) = context.chosen.filter {
                // Until something is staged, the next snapshot is the published one.
                stop.retry(|| session.start_incremental()).await?;
                is_incremental = true;
                chosen.extend(context.chosen_shows().await?.into_keys());
                chosen.extend(details::chosen_by_id(filter, updates, base));
            }
            let limits = self.plan_limits(&chosen, details::left(context, self.max_details));
            let plan = incremental_plan::plan(base, &staging.pages, updates, limits, now_millis());
            if let Some(plan) = plan {
                if !is_incremental {
                    stop.retry(|| session.start_incremental()).await?;
                }
                let baseline = Baseline { snapshot: base, updates };
                let staged = self.stage_changes(context, &baseline, plan).await?;
                let mut versions = base.details.clone();
                versions.extend(staged);
                return Ok(versions);
            }
        }
        let mut versions = std::mem::take(&mut published.details);
        drop(published);
        if is_incremental {
            if !staging.is_incremental {
                // What a failed full run staged is discarded now.
                versions.retain(|id, _| !staging.snapshot.details.contains_key(id));
            }
            context.discard_staging().await?;
            staging = StagingState::default();
        }
        // Current episodes are retained. A full run fetches everything.
        versions.retain(|_, version| {
            context.parameters.mode == FetchMode::Auto && version.has_episodes
        });
        versions.append(&mut staging.snapshot.details);
        let plan = FullFetchPlan::new(updates.cloned(), last_published, staging, now_millis());
        stage_everything(context, plan, &versions).await?;
        Ok(versions)
    }

    /// Stages the changed shows. Returns the details that came with them.
    async fn stage_changes(
        &self,
        context: &RunContext<'_>,
        baseline: &Baseline<'_>,
        plan: FetchPlan,
    ) -> Result<DetailsVersions, RunError> {
        let RunContext { session, progress, stop, parameters, .. } = context;
        let FetchPlan { pages, shows: mut individual, detailed, deletions } = plan;
        if !deletions.is_empty() {
            let batch = StagedBatch::Deletions(deletions);
            // These cost no request, so they do not count as refetches.
            context.checkpoint(RunEvent::RefetchesStaged(0), Some(batch)).await?;
        }
        let criteria = widened_criteria(*parameters);
        let ranked = stop.retry(|| session.rank_staged(criteria)).await?;
        let near =
            incremental_plan::near_cutoff(baseline.snapshot, &ranked, parameters.top, now_millis());
        individual.extend(near.into_iter().filter(|id| !pages.contains(&page_of(*id))));
        individual.retain(|id| !detailed.contains(id));

        let discrepancies = max_discrepancies(baseline.snapshot.shows.len());
        let casts = usize::from(parameters.top.get());
        let shows = individual.len() + detailed.len();
        context.plan_requests(pages.len() + shows + discrepancies + casts);
        let planned = progress.status().pages_done + saturating_u32(pages.len());
        context.checkpoint(RunEvent::PagesPlanned(planned), None).await?;
        plan_refetches(context, individual.len()).await?;
        let may_change = |id: &ShowId| individual.contains(id) || pages.contains(&page_of(*id));
        self.plan_details(context, baseline, &detailed, may_change).await?;
        progress.apply(RunEvent::StepBegan(Step::FetchingShows));
        let stale = incremental_fetch::stage_pages(context, baseline, pages).await?;
        individual.extend(stale.into_iter().filter(|id| !detailed.contains(id)));
        plan_refetches(context, individual.len()).await?;
        individual_fetch::stage_shows(context, individual, Fetch::Show, None).await?;
        if !detailed.is_empty() {
            self.plan_details(context, baseline, &detailed, |_| false).await?;
        }
        let staged = individual_fetch::stage_shows(
            context,
            detailed,
            Fetch::ShowAndDetails,
            Some(baseline.updates),
        )
        .await?;
        Ok(staged.details)
    }

    /// Checks and plans the details of changed and of matching shows.
    async fn plan_details(
        &self,
        context: &RunContext<'_>,
        baseline: &Baseline<'_>,
        detailed: &BTreeSet<ShowId>,
        may_change: impl Fn(&ShowId) -> bool,
    ) -> Result<(), RunError> {
        if context.chosen.filter.is_none() {
            return Ok(());
        }
        let known = &baseline.snapshot.details;
        details::plan_changes(context, self.max_details, known, detailed, may_change).await
    }

    /// Limits an update that fetches the details of at most `max_details` shows.
    pub(crate) fn plan_limits<'a>(
        &self,
        chosen: &'a BTreeSet<ShowId>,
        max_details: Option<u32>,
    ) -> PlanLimits<'a> {
        let max_detailed = max_details.map_or(usize::MAX, |max| max as usize);
        PlanLimits { max_age: self.max_age, chosen, max_detailed }
    }

    /// Fetches the updates map. Returns `None` if TVmaze does not provide it.
    pub(crate) async fn updates(&self) -> Result<Option<UpdatesMap>, RunError> {
        match fetch_updates(&self.client).await {
            Err(RunError::UpdatesMap { source }) => {
                let error = &source as &dyn std::error::Error;
                tracing::warn!(error, "no updates map; fetching the index until its first 404");
                Ok(None)
            }
            updates => Ok(Some(updates?).filter(|updates| !updates.is_empty())),
        }
    }
}

/// Whether the updates map can be right. Otherwise, the log says why not.
pub(crate) fn is_plausible(updates: &UpdatesMap, known: &PublishedManifest) -> bool {
    let Err(error) = check_updates(updates, known) else { return true };
    let error = &error as &dyn std::error::Error;
    tracing::warn!(
        error,
        "the updates map cannot be right; fetching the index until its first 404"
    );
    false
}

/// Stages the whole index. `known` has the details that need not be fetched.
async fn stage_everything(
    context: &RunContext<'_>,
    plan: FullFetchPlan,
    known: &DetailsVersions,
) -> Result<(), RunError> {
    let progress = context.progress;
    let pages = usize::try_from(plan.max_pages_left()).unwrap_or(usize::MAX);
    let discrepancies = max_discrepancies(plan.known_shows());
    context.plan_requests(pages + discrepancies + usize::from(context.parameters.top.get()));
    if let Some(left) = plan.pages_left() {
        let pages = progress.status().pages_done + left;
        context.checkpoint(RunEvent::PagesPlanned(pages), None).await?;
    }
    if progress.status().pages_done > 0 {
        let staged = context.chosen_shows().await?;
        let needed = staged.iter().filter(|(id, updated)| is_outdated(known.get(id), **updated));
        progress.apply(RunEvent::DetailsExpected(saturating_u32(needed.count())));
    }
    progress.apply(RunEvent::StepBegan(Step::FetchingShows));
    let refetches = full_fetch::stage_pages(context, plan, known).await?;
    context.checkpoint(RunEvent::PagesPlanned(progress.status().pages_done), None).await?;
    plan_refetches(context, refetches.len()).await?;
    individual_fetch::stage_shows(context, refetches, Fetch::Show, None).await?;
    Ok(())
}

/// Deletes shows that vanished after they were staged, and whose cast is therefore `missing`.
async fn delete_shows_without_cast(
    context: &RunContext<'_>,
    mut missing: BTreeMap<ShowId, RunError>,
) -> Result<(), RunError> {
    let shows: BTreeSet<ShowId> = missing.keys().copied().collect();
    plan_refetches(context, shows.len()).await?;
    let deleted = individual_fetch::stage_shows(context, shows, Fetch::Show, None).await?.deleted;
    missing.retain(|show, _| !deleted.contains(show));
    missing.into_values().next().map_or(Ok(()), Err)
}

async fn plan_refetches(context: &RunContext<'_>, left: usize) -> Result<(), RunError> {
    let shows = context.progress.status().singles_done + saturating_u32(left);
    context.checkpoint(RunEvent::RefetchesPlanned(shows), None).await?;
    Ok(())
}

fn criteria(parameters: RunParameters) -> TopShowsCriteria {
    let this_year = now_millis().to_zoned(TimeZone::UTC).year();
    TopShowsCriteria { years: parameters.years, top: parameters.top, this_year }
}

/// The criteria for twice as many top shows, which include all that could move across the cutoff.
pub(crate) fn widened_criteria(parameters: RunParameters) -> TopShowsCriteria {
    let criteria = criteria(parameters);
    let twice = TopLimit::new(2 * parameters.top.get());
    TopShowsCriteria { top: twice.unwrap_or(parameters.top), ..criteria }
}
