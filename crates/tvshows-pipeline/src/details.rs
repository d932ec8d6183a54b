//! The episodes and the casts of the shows that a filter chooses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tvshows_core::{
    DetailsVersion, PublishedManifest, RunEvent, Show, ShowFilter, ShowId, ShowIds, Step,
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

/// Returns the disk space, in MB, that the details of this many shows need. Measured: 76 MB for 1,000 shows, each with 40
/// episodes and 8 roles, of which 51 MB are for the tables and the rest for the write-ahead log.
pub(crate) fn details_mb(shows: u32) -> u32 {
    shows.div_ceil(10)
}

/// Whether stored details are older than a show, or lack its episodes. If they change, the `updated` of the show rises.
pub(crate) fn is_outdated(version: Option<&DetailsVersion>, updated: Option<i64>) -> bool {
    version.is_none_or(|version| !version.has_episodes || version.updated < updated)
}

/// Returns the new shows that the filter chooses by their ids alone, so that nothing else must be known about them.
pub(crate) fn chosen_by_id(
    filter: &ShowFilter,
    updates: &UpdatesMap,
    published: &PublishedManifest,
) -> impl Iterator<Item = ShowId> {
    let has_only_ids = *filter == ShowFilter { ids: filter.ids.clone(), ..ShowFilter::default() };
    let ids = filter.ids.iter().filter(move |_| has_only_ids).flat_map(ShowIds::iter);
    ids.filter(|id| updates.contains_key(id) && !published.shows.contains_key(id))
}

/// Returns how many of these shows are chosen and lack current details.
pub(crate) fn count_needed<'s>(
    context: &RunContext<'_>,
    known: &DetailsVersions,
    shows: impl IntoIterator<Item = &'s Show>,
) -> u32 {
    let Some(filter) = context.chosen.filter else { return 0 };
    let is_needed =
        |show: &&Show| filter.matches(show) && is_outdated(known.get(&show.id), show.updated);
    saturating_u32(shows.into_iter().filter(is_needed).count())
}

/// Fetches the details of the chosen shows of the next snapshot, unless `known` has them. Returns the chosen shows.
pub(crate) async fn stage(
    context: &RunContext<'_>,
    max: Option<u32>,
    known: &mut DetailsVersions,
    updates: Option<&UpdatesMap>,
) -> Result<Vec<ShowId>, RunError> {
    let RunContext { progress, parameters, .. } = context;
    progress.apply(RunEvent::StepBegan(Step::FetchingShows));
    let mut chosen = context.chosen_shows().await?;
    let needed: BTreeSet<ShowId> = chosen
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
        let newest = chosen.get(&id).copied().flatten().max(version.updated);
        known.insert(id, DetailsVersion { updated: newest, ..version });
    }
    chosen.retain(|id, _| !staged.deleted.contains(id));
    Ok(chosen.into_keys().collect())
}

/// Checks and plans the details of the new and changed shows in `detailed`, and of the other chosen shows of the next
/// snapshot whose details in `known` are missing or outdated. Shows that `may_change` before their details are fetched
/// may stop matching, so they do not count.
pub(crate) async fn plan_changes(
    context: &RunContext<'_>,
    max: Option<u32>,
    known: &DetailsVersions,
    detailed: &BTreeSet<ShowId>,
    may_change: impl Fn(&ShowId) -> bool,
) -> Result<(), RunError> {
    let chosen = context.chosen_shows().await?;
    let others = chosen.iter().filter(|(id, updated)| {
        !detailed.contains(id) && !may_change(id) && is_outdated(known.get(id), **updated)
    });
    let needed = detailed.len() + others.count();
    check_limit(context, max, needed)?;
    let status = context.progress.status();
    // Not less than what an earlier attempt was allowed.
    let total =
        (status.details_done + saturating_u32(needed)).max(status.details_total.unwrap_or(0));
    if total > 0 {
        context.checkpoint(RunEvent::DetailsPlanned(total), None).await?;
    }
    Ok(())
}

/// Returns of how many more shows the details may be fetched.
pub(crate) fn left(context: &RunContext<'_>, max: Option<u32>) -> Option<u32> {
    let done = context.progress.status().details_done;
    allowed(context, max).map(|max| max.saturating_sub(done))
}

/// Returns of how many shows all attempts together may fetch the details.
fn allowed(context: &RunContext<'_>, max: Option<u32>) -> Option<u32> {
    // An earlier attempt was within the limit, or allowed to exceed it.
    max.map(|max| max.max(context.progress.status().details_total.unwrap_or_default()))
}

/// Checks that the details of this many more shows may be fetched.
fn check_limit(context: &RunContext<'_>, max: Option<u32>, left: usize) -> Result<(), RunError> {
    let shows = context.progress.status().details_done + saturating_u32(left);
    match allowed(context, max) {
        Some(max) if shows > max => {
            let minutes = duration_at_limit(shows.into()).as_secs().div_ceil(60);
            Err(RunError::TooManyDetails { shows, max, minutes })
        }
        _ => Ok(()),
    }
}

/// Reports that the details of this many more shows are to be fetched.
async fn plan(context: &RunContext<'_>, left: usize) -> Result<(), RunError> {
    let (status, left) = (context.progress.status(), saturating_u32(left));
    if status.attempt > 1 {
        // The last batch may have been staged without its status becoming visible. Beyond that, shows have stopped
        // matching.
        let staged = status.details_total.unwrap_or_default().saturating_sub(left);
        let batch = saturating_u32(context.client.concurrency());
        let unseen = staged.saturating_sub(status.details_done).min(batch);
        context.progress.apply(RunEvent::DetailsStaged(unseen));
    }
    let total = context.progress.status().details_done + left;
    context.checkpoint(RunEvent::DetailsPlanned(total), None).await
}
