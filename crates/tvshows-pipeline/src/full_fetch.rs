//! The whole index, page by page, until its end.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tvmaze_client::{Client, PageIndex};
use tvshows_core::{PublishedManifest, RunEvent, Show, ShowId, StagedBatch, StagingState};

use crate::clock::now_secs;
use crate::convert::{TvmazeShow, recover_page, saturating_u32};
use crate::details::{self, DetailsVersions};
use crate::error::RunError;
use crate::incremental_plan::outdated_pages;
use crate::run_context::RunContext;
use crate::tasks::in_own_task;
use crate::updates::{UpdatesMap, max_discrepancies, page_of};

/// The most pages to stage in one transaction. Pages that arrived together share one disk sync.
pub(crate) const MAX_PAGES_PER_BATCH: usize = 4;
/// How long the index may be if nothing is known about it: ten times TVmaze's. An upstream that never returns 404
/// must not fill the disk.
const MAX_PAGES: u32 = 4000;
/// How far the index may extend beyond its known end. More than TVmaze grows in a year.
const MAX_PAGES_BEYOND: u32 = 100;
/// How many empty pages in a row, beyond the known end, are the end of an index that never returns 404.
const MAX_EMPTY_PAGES: u32 = 20;

/// What is known about the index before it is fetched.
pub(crate) struct FullFetchPlan {
    updates: Option<UpdatesMap>,
    extent: Option<IndexExtent>,
    /// The pages that an earlier attempt has staged and that need not be fetched again.
    staged_pages: BTreeSet<u32>,
    staged: PublishedManifest,
}

/// The known extent of the index.
#[derive(Clone, Copy)]
struct IndexExtent {
    /// The page of the last known show.
    last: u32,
    /// Whether even the last page may be missing: its show may be so new that only the updates map has it.
    last_may_be_missing: bool,
}

impl FullFetchPlan {
    pub(crate) fn new(
        updates: Option<UpdatesMap>,
        last_published: Option<ShowId>,
        staged: StagingState,
        now: Timestamp,
    ) -> FullFetchPlan {
        let last = match &updates {
            Some(updates) => updates.last_key_value().map(|(id, _)| *id),
            None => last_published,
        };
        let last_may_be_missing = updates.is_some();
        let extent = last.map(|id| IndexExtent { last: page_of(id), last_may_be_missing });
        let mut staged_pages: BTreeSet<u32> = staged.pages.keys().copied().collect();
        if let Some(updates) = &updates {
            for page in outdated_pages(&staged.snapshot, &staged.pages, updates, now) {
                staged_pages.remove(&page);
            }
        }
        FullFetchPlan { updates, extent, staged_pages, staged: staged.snapshot }
    }

    /// Returns how many pages remain to be fetched, if the extent of the index is known.
    pub(crate) fn pages_left(&self) -> Option<u32> {
        let last = self.extent?.last;
        let staged = saturating_u32(self.staged_pages.range(..=last).count());
        Some(last + 1 - staged)
    }

    /// Returns how many pages may be fetched at most.
    pub(crate) fn max_pages_left(&self) -> u32 {
        self.pages_left().map_or(MAX_PAGES, |left| left + MAX_PAGES_BEYOND)
    }

    /// Returns how many shows the index has as far as is known.
    pub(crate) fn known_shows(&self) -> usize {
        self.updates.as_ref().map_or(0, UpdatesMap::len).max(self.staged.shows.len())
    }
}

/// Fetches and stages every page, and reports how many shows on it need details that are not `known`. Returns the shows
/// on which the index and the updates map disagree, unless there are so many that the map must be wrong.
pub(crate) async fn stage_pages(
    context: &RunContext<'_>,
    plan: FullFetchPlan,
    known: &DetailsVersions,
) -> Result<BTreeSet<ShowId>, RunError> {
    let (sender, mut receiver) = mpsc::channel(context.client.concurrency());
    let has_map = plan.updates.is_some();
    let mut misplaced = None;
    let mut discrepancies = Discrepancies::new(plan.updates);
    for (id, version) in plan.staged.shows {
        // The other shows are compared when their page arrives, if they still exist.
        if plan.staged_pages.contains(&page_of(id)) || discrepancies.is_missing(id) {
            discrepancies.compare(id, version.updated());
        }
    }
    let fetcher = PageFetcher { context, extent: plan.extent, staged: plan.staged_pages };
    let fetching = fetcher.fetch(sender);
    let staging = async {
        let mut batch = Vec::with_capacity(MAX_PAGES_PER_BATCH);
        while receiver.recv_many(&mut batch, MAX_PAGES_PER_BATCH).await > 0 {
            let (pages, permits): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|page: Page| ((page.number, context.accept_shows(page.shows)), page.permit))
                .unzip();
            for (page, shows) in &pages {
                if misplaced.is_none() {
                    misplaced = check_membership(*page, shows).err();
                }
                for show in shows {
                    discrepancies.compare(show.id, show.updated);
                }
            }
            if let Some(error) = misplaced.take_if(|_| !has_map) {
                return Err(error);
            }
            let expected =
                details::count_needed(context, known, pages.iter().flat_map(|(_, shows)| shows));
            context.progress.apply(RunEvent::DetailsExpected(expected));
            let shows = pages.iter().map(|(_, shows)| shows.len()).sum();
            let staged = RunEvent::PagesStaged {
                pages: saturating_u32(pages.len()),
                shows: saturating_u32(shows),
            };
            let batch = StagedBatch::Pages { pages, at: now_secs() };
            context.checkpoint(staged, Some(batch)).await?;
            drop(permits);
        }
        Ok(())
    };
    futures::future::try_join(fetching, staging).await?;
    let compared = discrepancies.compared;
    let refetches = discrepancies.into_refetches();
    if refetches.len() <= max_discrepancies(compared) {
        return Ok(refetches);
    }
    tracing::warn!(
        shows = refetches.len(),
        "the updates map and the index disagree on too many shows; using the index alone"
    );
    misplaced.map_or_else(|| Ok(BTreeSet::new()), Err)
}

/// A fetched page.
struct Page {
    number: u32,
    shows: Vec<TvmazeShow>,
    /// Held until the page is staged. There are as many permits as concurrent requests, which limits the
    /// pages in memory and those that must be fetched again if the process is killed.
    permit: OwnedSemaphorePermit,
}

/// Fetches the pages that are not staged yet.
struct PageFetcher<'a> {
    context: &'a RunContext<'a>,
    extent: Option<IndexExtent>,
    staged: BTreeSet<u32>,
}

impl PageFetcher<'_> {
    /// Fetches concurrently and sends each page as soon as it arrives, until the first 404, or until too many pages
    /// in a row are empty.
    async fn fetch(&self, sender: mpsc::Sender<Page>) -> Result<(), RunError> {
        let client = self.context.client;
        let max_pages = self.extent.map_or(MAX_PAGES, |extent| extent.last + MAX_PAGES_BEYOND);
        let permits = Arc::new(Semaphore::new(client.concurrency()));
        let mut in_flight = FuturesUnordered::new();
        let mut pages = (0..).filter(|page| !self.staged.contains(page)).peekable();
        let mut last_present = None;
        let mut first_missing: Option<u32> = None;
        // The last page that is known to have shows.
        let mut last_filled =
            self.extent.map(|extent| extent.last).max(self.staged.last().copied());
        loop {
            let next = pages.peek().copied();
            let is_past_end = |page: u32| page > last_filled.unwrap_or(0) + MAX_EMPTY_PAGES;
            let next = next.filter(|page| {
                !is_past_end(*page) && self.may_request(*page, in_flight.len(), first_missing)
            });
            let fetched = tokio::select! {
                biased;
                Ok(permit) = Arc::clone(&permits).acquire_owned(), if next.is_some() => {
                    if let Some(page) = pages.next() {
                        self.context.check_request_limit()?;
                        in_flight.push(in_own_task(fetch_page(client.clone(), page, permit)));
                    }
                    continue;
                }
                Some(fetched) = in_flight.next() => fetched,
                else => {
                    if first_missing.is_none() {
                        tracing::warn!(
                            "the index does not end with a 404; the last {MAX_EMPTY_PAGES} pages are empty"
                        );
                    }
                    return Ok(());
                }
            };
            let (page, response, permit) = fetched;
            match response.map_err(|source| RunError::Page { page, source })? {
                Some(_) if page >= max_pages => {
                    return Err(RunError::IndexTooLong { pages: max_pages });
                }
                Some(shows) => {
                    if !shows.is_empty() {
                        last_filled = last_filled.max(Some(page));
                    }
                    last_present = last_present.max(Some(page));
                    if sender.send(Page { number: page, shows, permit }).await.is_err() {
                        // Staging failed, and its error becomes that of the run.
                        return Ok(());
                    }
                }
                None => {
                    self.check_missing_page(page)?;
                    first_missing = Some(first_missing.map_or(page, |missing| missing.min(page)));
                }
            }
            if let (Some(page), Some(later)) = (first_missing, last_present)
                && page < later
            {
                return Err(RunError::MissingPage { page, later });
            }
        }
    }

    /// Whether a page may be requested now.
    ///
    /// Beyond the known extent, pages are requested one at a time, so that only one request is sent past the end.
    /// If the extent is unknown, a few pages after a missing one are requested as well: if any of them exists, the
    /// missing page is not the end.
    fn may_request(&self, page: u32, in_flight: usize, first_missing: Option<u32>) -> bool {
        let concurrency = self.context.client.concurrency();
        match (self.extent, first_missing) {
            (Some(_), Some(_)) => false,
            (Some(extent), None) if page > extent.last => in_flight == 0,
            (None, Some(missing)) if (page - missing) as usize >= concurrency => false,
            _ => true,
        }
    }

    /// Checks that a page that returned 404 may be missing.
    fn check_missing_page(&self, page: u32) -> Result<(), RunError> {
        if let Some(later) = self.staged.range((Excluded(page), Unbounded)).next_back() {
            return Err(RunError::MissingPage { page, later: *later });
        }
        match self.extent {
            Some(IndexExtent { last, .. }) if page < last => {
                Err(RunError::MissingPage { page, later: last })
            }
            Some(extent) if page == extent.last && !extent.last_may_be_missing => {
                Err(RunError::VanishedPage { page })
            }
            _ => Ok(()),
        }
    }
}

async fn fetch_page(
    client: Client,
    page: u32,
    permit: OwnedSemaphorePermit,
) -> (u32, Result<Option<Vec<TvmazeShow>>, tvmaze_client::Error>, OwnedSemaphorePermit) {
    let request = client.show_page(PageIndex(page)).decode_as::<Option<Vec<TvmazeShow>>>();
    let response = request.recover_with(recover_page).await;
    (page, response, permit)
}

/// Checks that the shows of a page belong on it. Without an updates map that can be right, this is the only way to
/// detect a page with wrong content.
fn check_membership(page: u32, shows: &[Show]) -> Result<(), RunError> {
    match shows.iter().find(|show| page_of(show.id) != page) {
        Some(show) => Err(RunError::UnexpectedShowOnPage { page, show: show.id.0 }),
        None => Ok(()),
    }
}

/// The shows on which the index and the updates map disagree. Either can be out of date.
struct Discrepancies {
    /// `None` without a map.
    updates: Option<UpdatesMap>,
    /// For each entry of the map, whether its show has been on a page.
    is_seen: Vec<bool>,
    /// The last show in the map. Later shows are newer than the map.
    last: Option<ShowId>,
    shows: BTreeSet<ShowId>,
    /// How many shows were compared.
    compared: usize,
}

impl Discrepancies {
    fn new(updates: Option<UpdatesMap>) -> Discrepancies {
        let last = updates.as_ref().and_then(|updates| updates.last_key_value());
        let last = last.map(|(id, _)| *id);
        let is_seen = vec![false; updates.as_ref().map_or(0, UpdatesMap::len)];
        Discrepancies { updates, is_seen, last, shows: BTreeSet::new(), compared: 0 }
    }

    /// Whether the map has no entry for a show.
    fn is_missing(&self, id: ShowId) -> bool {
        self.updates.as_ref().is_some_and(|updates| !updates.contains_key(&id))
    }

    fn compare(&mut self, id: ShowId, updated: Option<i64>) {
        let Some(map) = &self.updates else { return };
        self.compared += 1;
        let is_current = match map.index_of(&id) {
            // A show on two pages is out of date on one of them.
            Some(index) if std::mem::replace(&mut self.is_seen[index], true) => false,
            Some(_) => updated.unwrap_or_default() >= map[&id],
            None => Some(id) > self.last,
        };
        if !is_current {
            self.shows.insert(id);
        }
    }

    /// Returns all discrepancies, including the shows that are in the map but on no page.
    fn into_refetches(mut self) -> BTreeSet<ShowId> {
        let ids = self.updates.iter().flat_map(UpdatesMap::keys);
        self.shows.extend(ids.zip(self.is_seen).filter(|(_, is_seen)| !is_seen).map(|(id, _)| id));
        self.shows
    }
}
