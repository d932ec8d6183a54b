//! The episodes and the casts of the shows that a filter chooses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tvshows_core::{
    DetailsVersion, PublishedManifest, RunEvent, ShowFilter, ShowId, StagingState, Step,
};

use crate::convert::saturating_u32;
use crate::error::RunError;
use crate::individual_fetch::{self, Fetch};
use crate::run_context::RunContext;
use crate::updates::UpdatesMap;

/// The shows with stored details.
pub(crate) type DetailsVersions = BTreeMap<ShowId, DetailsVersion>;

/// How many requests TVmaze accepts per second: 20 every 10 seconds.
const TVMAZE_RATE: u64 = 2;

/// Returns how long requests take at TVmaze's limit.
pub(crate) fn duration_at_limit(requests: u64) -> Duration {
    Duration::from_secs(requests.div_ceil(TVMAZE_RATE))
}

/// Whether stored details are older than a show, or lack its episodes. If they change, the `updated` of the show rises.
pub(crate) fn is_outdated(version: Option<&DetailsVersion>, updated: Option<i64>) -> bool {
    version.is_none_or(|version| !version.has_episodes || version.updated < updated)
}

/// Returns of how many shows earlier attempts at a run have staged the episodes.
pub(crate) fn count_staged(staging: &StagingState, published: &PublishedManifest) -> u32 {
    // In an incremental run, those that are not staged are the published ones.
    let is_published = |id: &ShowId, version: &DetailsVersion| {
        staging.is_incremental && published.details.get(id) == Some(version)
    };
    let versions = staging.snapshot.details.iter();
    let staged =
        versions.filter(|(id, version)| version.has_episodes && !is_published(id, version));
    saturating_u32(staged.count())
}

/// Fetches the details of the shows of the next snapshot that match `filter`, unless `known` has them. Returns the shows
/// with details.
pub(crate) async fn stage(
    context: &RunContext<'_>,
    filter: &ShowFilter,
    max: Option<u32>,
    known: &mut DetailsVersions,
    updates: Option<&UpdatesMap>,
) -> Result<Vec<ShowId>, RunError> {
    let RunContext { session, progress, stop, parameters, .. } = context;
    progress.apply(RunEvent::StepBegan(Step::FetchingShows));
    let mut matching = stop.retry(|| session.matching_shows(filter.clone())).await?;
    let needed: BTreeSet<ShowId> = matching
        .iter()
        .filter(|(id, updated)| is_outdated(known.get(id), **updated))
        .map(|(id, _)| *id)
        .collect();
    check_limit(context, max, needed.len())?;
    if !needed.is_empty() {
        context.plan_requests(needed.len() + usize::from(parameters.top.get()));
    }
    plan(context, needed.len()).await?;
    let staged = individual_fetch::stage_shows(context, needed, Fetch::Details, updates).await?;
    for (id, version) in staged.details {
        // A response can be older than the show. The next run notices it; this one would get the same response again.
        let newest = matching.get(&id).copied().flatten().max(version.updated);
        known.insert(id, DetailsVersion { updated: newest, ..version });
    }
    matching.retain(|id, _| !staged.deleted.contains(id));
    Ok(matching.into_keys().collect())
}

/// Checks and plans the details of the changed shows in `detailed`, and of those shows of the next snapshot that match
/// `filter` and lack in `known`. Shows that `may_change` before their details are fetched may stop matching, so they do
/// not count.
pub(crate) async fn plan_changes(
    context: &RunContext<'_>,
    filter: &ShowFilter,
    max: Option<u32>,
    known: &DetailsVersions,
    detailed: &BTreeSet<ShowId>,
    may_change: impl Fn(&ShowId) -> bool,
) -> Result<(), RunError> {
    let RunContext { session, progress, stop, .. } = context;
    let matching = stop.retry(|| session.matching_shows(filter.clone())).await?;
    let others = matching.iter().filter(|(id, updated)| {
        !detailed.contains(id) && !may_change(id) && is_outdated(known.get(id), **updated)
    });
    let needed = detailed.len() + others.count();
    check_limit(context, max, needed)?;
    let status = progress.status();
    // Not less than what an earlier attempt was allowed.
    let total =
        (status.details_done + saturating_u32(needed)).max(status.details_total.unwrap_or(0));
    if total > 0 {
        context.checkpoint(RunEvent::DetailsPlanned(total), None).await?;
    }
    Ok(())
}

/// Checks that the details of this many more shows may be fetched.
fn check_limit(context: &RunContext<'_>, max: Option<u32>, left: usize) -> Result<(), RunError> {
    let status = context.progress.status();
    let shows = status.details_done + saturating_u32(left);
    // An earlier attempt was within the limit, or allowed to exceed it.
    match max.map(|max| max.max(status.details_total.unwrap_or_default())) {
        Some(max) if shows > max => {
            let minutes = duration_at_limit(shows.into()).as_secs().div_ceil(60);
            Err(RunError::TooManyDetails { shows, max, minutes })
        }
        _ => Ok(()),
    }
}

/// Reports that the details of this many more shows are to be fetched.
async fn plan(context: &RunContext<'_>, left: usize) -> Result<(), RunError> {
    let total = context.progress.status().details_done + saturating_u32(left);
    context.checkpoint(RunEvent::DetailsPlanned(total), None).await
}
