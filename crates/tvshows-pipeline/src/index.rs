//! The whole index, page by page, to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::panic::resume_unwind;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use tvmaze_client::{Client, PageIndex};
use tvshows_core::{PublishedManifest, RunEvent, Show, ShowId, ShowStore, StagingState};

use crate::changes;
use crate::convert::Received;
use crate::error::RunError;
use crate::monitor::{Monitor, now, this_second};
use crate::pipeline::count;

/// Pages that are staged in one transaction, where so many have come: the disk is waited for once.
const MOST_PAGES_AT_ONCE: usize = 4;
/// Ten times TVmaze's index. An upstream that never says 404 must not fill the disk.
const MOST_PAGES: u32 = 4000;
/// More than TVmaze grows in a year, beyond what is known.
const MOST_PAGES_BEYOND: u32 = 100;

/// When each show last changed, by `/updates/shows`: every show that exists.
pub(crate) type Updates = BTreeMap<ShowId, i64>;

/// What is known of the index before it is fetched.
pub(crate) struct Plan {
    updates: Option<Updates>,
    known: Option<Known>,
    /// What an earlier attempt has staged already: pages that are not asked for again, and their shows.
    staged_pages: BTreeSet<u32>,
    staged_shows: PublishedManifest,
}

/// What is known of the length of the index.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// The page of the last show.
    pub(crate) last: u32,
    /// Whether that page itself may answer 404: that of a show so new that only the map has it.
    last_may_be_missing: bool,
}

impl Plan {
    pub(crate) fn new(
        updates: Option<Updates>,
        last_published: Option<ShowId>,
        staged: StagingState,
    ) -> Plan {
        let last_may_be_missing = updates.is_some();
        let last = match &updates {
            Some(updates) => updates.last_key_value().map(|(id, _)| *id),
            None => last_published,
        };
        let known = last.map(|id| Known { last: changes::page_of(id), last_may_be_missing });
        let mut staged_pages: BTreeSet<u32> = staged.pages.keys().copied().collect();
        for page in updates
            .iter()
            .flat_map(|updates| changes::outdated(&staged.snapshot, &staged.pages, updates, now()))
        {
            staged_pages.remove(&page);
        }
        Plan { updates, known, staged_pages, staged_shows: staged.snapshot }
    }

    /// How many pages are still to be fetched, where the length of the index is known.
    pub(crate) fn pages_left(&self) -> Option<u32> {
        let last = self.known?.last;
        let left = (0..=last).filter(|page| !self.staged_pages.contains(page)).count();
        u32::try_from(left).ok()
    }
}

/// Fetches and stages every page. Gives the shows on which the index and the map disagree.
pub(crate) async fn stage(
    client: &Client,
    store: &dyn ShowStore,
    monitor: &Monitor,
    plan: Plan,
) -> Result<BTreeSet<ShowId>, RunError> {
    let (sender, mut receiver) = mpsc::channel(client.concurrency());
    let has_map = plan.updates.is_some();
    let mut disputed = Disputed::new(plan.updates);
    for (id, version) in plan.staged_shows.shows {
        // The others come with their pages, if they still exist.
        if plan.staged_pages.contains(&changes::page_of(id)) || disputed.is_missing(id) {
            disputed.compare(id, version.updated);
        }
    }
    let pages = Pages { client, known: plan.known, staged: plan.staged_pages };
    let fetching = pages.fetch(monitor.answered(), sender);
    let staging = async {
        let mut came = Vec::with_capacity(MOST_PAGES_AT_ONCE);
        while receiver.recv_many(&mut came, MOST_PAGES_AT_ONCE).await > 0 {
            let (pages, places): (Vec<_>, Vec<_>) =
                came.drain(..).map(|page: Page| ((page.number, page.shows), page.place)).unzip();
            for (page, shows) in &pages {
                if !has_map {
                    must_be_of(*page, shows)?;
                }
                for show in shows {
                    disputed.compare(show.id, show.updated);
                }
            }
            let shows = pages.iter().map(|(_, shows)| shows.len()).sum();
            let staged = RunEvent::PagesStaged { pages: count(pages.len()), shows: count(shows) };
            let reached = monitor.after(staged.clone());
            store.stage_pages(pages, this_second(), &reached).await?;
            drop(places);
            monitor.record(staged);
        }
        Ok(disputed.settle())
    };
    let ((), disputed) = futures::future::try_join(fetching, staging).await?;
    Ok(disputed)
}

/// A page that has come.
struct Page {
    number: u32,
    shows: Vec<Show>,
    /// One of as many as there may be requests, kept until the page is staged: a process that is killed loses no
    /// more pages than that, and memory holds no more.
    place: OwnedSemaphorePermit,
}

/// The pages that are not staged yet.
struct Pages<'a> {
    client: &'a Client,
    known: Option<Known>,
    staged: BTreeSet<u32>,
}

impl Pages<'_> {
    /// Sends them as they come, so that what has come is staged whatever else is slow: those that are known
    /// concurrently; beyond them, or where nothing is known, until the first 404.
    async fn fetch(
        &self,
        answered: Arc<Notify>,
        sender: mpsc::Sender<Page>,
    ) -> Result<(), RunError> {
        let most_pages = self.known.map_or(MOST_PAGES, |known| known.last + MOST_PAGES_BEYOND);
        let places = Arc::new(Semaphore::new(self.client.concurrency()));
        let mut under_way = FuturesUnordered::new();
        let mut pages = (0..).filter(|page| !self.staged.contains(page)).peekable();
        let mut last_present = None;
        let mut first_missing: Option<u32> = None;
        loop {
            let next = pages.peek().copied();
            let next = next.filter(|page| self.may_ask(*page, under_way.len(), first_missing));
            let fetched = tokio::select! {
                biased;
                Ok(place) = Arc::clone(&places).acquire_owned(), if next.is_some() => {
                    if let Some(page) = pages.next() {
                        let fetching =
                            fetch_page(self.client.clone(), page, Arc::clone(&answered), place);
                        let fetching = tokio::spawn(fetching.in_current_span());
                        under_way.push(AbortOnDropHandle::new(fetching));
                    }
                    continue;
                }
                Some(fetched) = under_way.next() => fetched,
                else => return Ok(()),
            };
            let (page, answer, place) =
                fetched.unwrap_or_else(|error| resume_unwind(error.into_panic()));
            match answer.map_err(|source| RunError::Page { page, source })? {
                Some(_) if page >= most_pages => {
                    return Err(RunError::EndlessIndex { pages: most_pages });
                }
                Some(shows) => {
                    last_present = last_present.max(Some(page));
                    let shows = shows.into_iter().map(|Received(show)| show).collect();
                    if sender.send(Page { number: page, shows, place }).await.is_err() {
                        // Staging failed; its error is the run's.
                        return Ok(());
                    }
                }
                None => {
                    self.must_be_the_end(page)?;
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

    /// Beyond a page that is known to be the last or nearly so, pages are asked for one by one, so that
    /// just one request meets the end. Where nothing is known, some pages beyond a missing one are asked
    /// for, since one of them would show that it is not the end.
    fn may_ask(&self, page: u32, under_way: usize, first_missing: Option<u32>) -> bool {
        let concurrency = self.client.concurrency();
        match (self.known, first_missing) {
            (Some(_), Some(_)) => false,
            (Some(known), None) if page > known.last => under_way == 0,
            (None, Some(missing)) if (page - missing) as usize >= concurrency => false,
            _ => true,
        }
    }

    /// Checks that a page that answered 404 may be missing.
    fn must_be_the_end(&self, page: u32) -> Result<(), RunError> {
        if let Some(later) = self.staged.range((Excluded(page), Unbounded)).next_back() {
            return Err(RunError::MissingPage { page, later: *later });
        }
        match self.known {
            Some(Known { last, .. }) if page < last => {
                Err(RunError::MissingPage { page, later: last })
            }
            Some(known) if page == known.last && !known.last_may_be_missing => {
                Err(RunError::VanishedPage { page })
            }
            _ => Ok(()),
        }
    }
}

/// A task of its own: an answer is read on while another page is being staged.
async fn fetch_page(
    client: Client,
    page: u32,
    answered: Arc<Notify>,
    place: OwnedSemaphorePermit,
) -> (u32, Result<Option<Vec<Received>>, tvmaze_client::Error>, OwnedSemaphorePermit) {
    let answer = client.show_page(PageIndex(page)).decode_as::<Option<Vec<Received>>>().await;
    if let Ok(Some(_)) = &answer {
        answered.notify_one();
    }
    (page, answer, place)
}

/// Checks that the shows of a page belong there, by which alone a page of something else is told where no
/// map says which shows there are.
fn must_be_of(page: u32, shows: &[Show]) -> Result<(), RunError> {
    match shows.iter().find(|show| changes::page_of(show.id) != page) {
        Some(show) => Err(RunError::Misplaced { page, show: show.id.0 }),
        None => Ok(()),
    }
}

/// Shows on which the index and the map of updates disagree. Either may be the older one.
struct Disputed {
    /// What the map says of the shows not seen so far; `None` without a map.
    unseen: Option<Updates>,
    /// The last show that the map knows: a later one is newer than the map.
    last: Option<ShowId>,
    shows: BTreeSet<ShowId>,
}

impl Disputed {
    fn new(updates: Option<Updates>) -> Disputed {
        let last = updates.as_ref().and_then(|updates| updates.last_key_value());
        let last = last.map(|(id, _)| *id);
        Disputed { unseen: updates, last, shows: BTreeSet::new() }
    }

    /// Whether the map does not know a show.
    fn is_missing(&self, id: ShowId) -> bool {
        self.unseen.as_ref().is_some_and(|unseen| !unseen.contains_key(&id))
    }

    fn compare(&mut self, id: ShowId, updated: Option<i64>) {
        let Some(unseen) = &mut self.unseen else { return };
        let settled = match unseen.remove(&id) {
            Some(known) => updated.unwrap_or_default() >= known,
            None => Some(id) > self.last,
        };
        if !settled {
            self.shows.insert(id);
        }
    }

    /// All of them: those on the index, and those that the map has and the index has not.
    fn settle(mut self) -> BTreeSet<ShowId> {
        self.shows.extend(self.unseen.into_iter().flatten().map(|(id, _)| id));
        self.shows
    }
}
