//! The index pages of an incremental update.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::{PageIndex, SHOWS_PER_PAGE};
use tvshows_core::{PublishedManifest, RunEvent, Show, ShowId, StagedBatch};

use crate::clock::now_secs;
use crate::convert::{TvmazeShow, recover_page, saturating_u32};
use crate::error::RunError;
use crate::incremental_plan::is_outdated;
use crate::run_context::RunContext;
use crate::updates::{UpdatesMap, page_of};

/// What the shows of a page are compared with.
pub(crate) struct Baseline<'a> {
    pub(crate) snapshot: &'a PublishedManifest,
    pub(crate) updates: &'a UpdatesMap,
}

/// Fetches `pages` and stages the current shows on them. Returns the changed shows that are missing or outdated on
/// their page, which may be a day old.
pub(crate) async fn stage_pages(
    context: &RunContext<'_>,
    baseline: &Baseline<'_>,
    pages: Vec<u32>,
) -> Result<BTreeSet<ShowId>, RunError> {
    let client = context.client;
    let requests = pages.into_iter().map(|page| {
        let request = client.show_page(PageIndex(page)).decode_as::<Option<Vec<TvmazeShow>>>();
        let request = request.recover_with(recover_page);
        async move {
            let shows = request.await.map_err(|source| RunError::Page { page, source })?;
            context.first_response.notify_one();
            Ok::<_, RunError>((page, shows))
        }
    });
    let mut responses = stream::iter(requests).buffer_unordered(client.concurrency()).boxed();
    let mut stale = BTreeSet::new();
    while let Some((page, shows)) = responses.try_next().await? {
        let shows = context.accept_shows(baseline.check_page(page, shows)?);
        let (current, stale_on_page) = baseline.compare(page, shows);
        stale.extend(stale_on_page);
        let staged = RunEvent::PagesStaged { pages: 1, shows: saturating_u32(current.len()) };
        let batch = StagedBatch::Pages { pages: vec![(page, current)], at: now_secs() };
        context.checkpoint(staged, Some(batch)).await?;
    }
    Ok(stale)
}

impl Baseline<'_> {
    fn last(&self) -> Option<ShowId> {
        self.updates.last_key_value().map(|(id, _)| *id)
    }

    /// Returns the shows of a page. Only the last page may be missing: it can be so new that TVmaze's cache
    /// still returns 404.
    fn check_page(
        &self,
        page: u32,
        shows: Option<Vec<TvmazeShow>>,
    ) -> Result<Vec<TvmazeShow>, RunError> {
        let later = self.last().map_or(0, page_of);
        match shows {
            None if page < later => Err(RunError::MissingPage { page, later }),
            shows => Ok(shows.unwrap_or_default()),
        }
    }

    /// Returns the shows that are current, and the ids of the changed shows that are missing or outdated on the page.
    fn compare(&self, page: u32, mut shows: Vec<Show>) -> (Vec<Show>, BTreeSet<ShowId>) {
        shows.retain(|show| self.is_current(show));
        let current: BTreeSet<ShowId> = shows.iter().map(|show| show.id).collect();
        let (first, end) =
            (page * SHOWS_PER_PAGE, page.saturating_add(1).saturating_mul(SHOWS_PER_PAGE));
        let on_page = self.updates.range(ShowId(first)..ShowId(end));
        let stale = on_page
            .filter(|(id, updated)| is_outdated(self.snapshot, **id, **updated))
            .map(|(id, _)| *id)
            .filter(|id| !current.contains(id));
        let stale = stale.collect();
        (shows, stale)
    }

    /// Whether a show exists and is at least as new as in the updates map and in the snapshot.
    fn is_current(&self, show: &Show) -> bool {
        let updated = show.updated.unwrap_or_default();
        let published = self.snapshot.shows.get(&show.id).and_then(|version| version.updated);
        let matches_map = match self.updates.get(&show.id) {
            Some(expected) => updated >= *expected,
            // A show beyond the last one in the map is newer than the map.
            None => Some(show.id) > self.last(),
        };
        matches_map && Some(updated) >= published
    }
}
