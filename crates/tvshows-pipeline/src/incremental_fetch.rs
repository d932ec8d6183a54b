//! The index pages of an incremental update.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use tvmaze_client::{PageIndex, SHOWS_PER_PAGE};
use tvshows_core::{PublishedManifest, RunEvent, Show, ShowId, StagedBatch};

use crate::clock::now_secs;
use crate::convert::{TvmazeShow, recover_page, saturating_u32};
use crate::error::RunError;
use crate::full_fetch::MAX_PAGES_PER_BATCH;
use crate::incremental_plan::is_outdated;
use crate::run_context::RunContext;
use crate::tasks::{in_batches, in_own_task};
use crate::updates::{UpdatesMap, max_discrepancies, page_of};

/// What the shows of a page are compared with.
pub(crate) struct Baseline<'a> {
    pub(crate) snapshot: &'a PublishedManifest,
    pub(crate) updates: &'a UpdatesMap,
}

/// Fetches `pages` and stages the shows on them that exist and are no older than the snapshot. Returns the changed
/// shows that are missing or outdated on their page, which may be a day old.
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
            context.check_request_limit()?;
            let shows = in_own_task(request.into_future()).await;
            let shows = shows.map_err(|source| RunError::Page { page, source })?;
            Ok::<_, RunError>((page, shows))
        }
    });
    let responses = stream::iter(requests).buffer_unordered(client.concurrency()).boxed();
    let (receiving, mut batches) = in_batches(responses, MAX_PAGES_PER_BATCH);
    let mut stale = BTreeSet::new();
    let staging = async {
        while let Some(responses) = batches.next().await? {
            let (mut pages, mut staged_shows) = (Vec::new(), 0);
            for (page, shows) in responses {
                let shows = context.accept_shows(baseline.check_page(page, shows)?);
                let (usable, stale_on_page) = baseline.compare(page, shows);
                stale.extend(stale_on_page);
                staged_shows += usable.len();
                pages.push((page, usable));
            }
            let staged = RunEvent::PagesStaged {
                pages: saturating_u32(pages.len()),
                shows: saturating_u32(staged_shows),
            };
            let batch = StagedBatch::Pages { pages, at: now_secs() };
            context.checkpoint(staged, Some(batch)).await?;
        }
        Ok(())
    };
    futures::future::try_join(receiving, staging).await?;
    if stale.len() > max_discrepancies(baseline.snapshot.shows.len()) {
        tracing::warn!(
            shows = stale.len(),
            "the updates map says that too many shows are newer than on their index pages; using the pages"
        );
        stale.clear();
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

    /// Returns the shows that may be staged, and the ids of the changed shows that are missing or outdated on the page.
    fn compare(&self, page: u32, mut shows: Vec<Show>) -> (Vec<Show>, BTreeSet<ShowId>) {
        shows.retain(|show| self.is_usable(show));
        let is_current = |show: &&Show| {
            let expected = self.updates.get(&show.id).copied().unwrap_or_default();
            show.updated.unwrap_or_default() >= expected
        };
        let current: BTreeSet<ShowId> =
            shows.iter().filter(is_current).map(|show| show.id).collect();
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

    /// Whether a show exists and is at least as new as in the snapshot.
    fn is_usable(&self, show: &Show) -> bool {
        let published = self.snapshot.shows.get(&show.id).and_then(|version| version.updated());
        // A show beyond the last one in the map is newer than the map.
        let exists = self.updates.contains_key(&show.id) || Some(show.id) > self.last();
        exists && Some(show.updated.unwrap_or_default()) >= published
    }
}
