//! The whole index, page by page, to its end.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tvmaze_client::{Client, PageIndex};
use tvshows_core::{Event, Show, ShowId, ShowStore};

use crate::convert;
use crate::error::RunError;
use crate::monitor::Monitor;

/// Pages that wait to be staged, beside those under way and the one in the writer's hands.
const PAGES_WAITING: usize = 2;
/// Ten times TVmaze's index. An upstream that never says 404 must not fill the disk.
const MOST_PAGES: u32 = 4000;

/// When each show last changed, by `/updates/shows`: every show that exists.
pub(crate) type Updates = BTreeMap<ShowId, i64>;

/// What is known of the index before it is fetched.
pub(crate) struct Plan {
    pub(crate) updates: Option<Updates>,
    /// A page that is known to exist: by the map, or else by the last snapshot.
    pub(crate) known_page: Option<u32>,
}

impl Plan {
    pub(crate) fn new(updates: Option<Updates>, last_published: Option<ShowId>) -> Plan {
        let last = match &updates {
            Some(updates) => updates.last_key_value().map(|(id, _)| *id),
            None => last_published,
        };
        let known_page = last.map(|id| PageIndex::of(convert::tvmaze_id(id)).0);
        Plan { updates, known_page }
    }
}

/// Fetches and stages every page. Gives the shows on which the index and the map disagree.
pub(crate) async fn stage(
    client: &Client,
    store: &dyn ShowStore,
    monitor: &Monitor,
    plan: Plan,
    at: Timestamp,
) -> Result<BTreeSet<ShowId>, RunError> {
    let (sender, mut receiver) = mpsc::channel(PAGES_WAITING);
    let fetching = fetch(client, plan.known_page, sender);
    let staging = async {
        let mut disputed = Disputed::new(plan.updates);
        while let Some((page, shows)) = receiver.recv().await {
            let shows = convert_page(shows)?;
            for show in &shows {
                disputed.compare(show);
            }
            let count = u32::try_from(shows.len()).unwrap_or(u32::MAX);
            store.stage_page(page, shows, at).await?;
            monitor.record(Event::PageStaged(count));
        }
        Ok(disputed.settle())
    };
    let ((), disputed) = futures::future::try_join(fetching, staging).await?;
    Ok(disputed)
}

fn convert_page(shows: Vec<tvmaze_client::Show>) -> Result<Vec<Show>, RunError> {
    let convert = |show: tvmaze_client::Show| {
        let id = show.id.0;
        convert::show(show).map_err(|source| RunError::Unstorable { show: id, source })
    };
    shows.into_iter().map(convert).collect()
}

/// Sends the pages in order: those up to `known_page` concurrently; beyond it, or where nothing is
/// known, until the first 404.
async fn fetch(
    client: &Client,
    known_page: Option<u32>,
    sender: mpsc::Sender<(u32, Vec<tvmaze_client::Show>)>,
) -> Result<(), RunError> {
    let mut under_way = FuturesOrdered::new();
    let mut next = 0;
    let mut first_missing = None;
    loop {
        while first_missing.is_none() && may_ask(next, known_page, under_way.len(), client) {
            let page = next;
            under_way.push_back(async move { (page, client.show_page(PageIndex(page)).await) });
            next += 1;
        }
        let Some((page, answer)) = under_way.next().await else { return Ok(()) };
        match (answer.map_err(|source| page_error(page, source))?, first_missing) {
            (Some(_), Some(missing)) => {
                return Err(RunError::MissingPage { page: missing, later: page });
            }
            (Some(_), None) if page >= MOST_PAGES => {
                return Err(RunError::EndlessIndex { pages: MOST_PAGES });
            }
            (Some(shows), None) => {
                if sender.send((page, shows)).await.is_err() {
                    // Staging failed; its error is the run's.
                    return Ok(());
                }
            }
            (None, _) if known_page.is_some_and(|known| page < known) => {
                let later = known_page.unwrap_or_default();
                return Err(RunError::MissingPage { page, later });
            }
            (None, _) => first_missing = first_missing.or(Some(page)),
        }
    }
}

/// Beyond a page that is known to be the last or nearly so, pages are asked for one by one, so that
/// just one request meets the end.
fn may_ask(page: u32, known_page: Option<u32>, under_way: usize, client: &Client) -> bool {
    match known_page {
        Some(known) if page > known => under_way == 0,
        _ => under_way < client.concurrency(),
    }
}

fn page_error(page: u32, source: tvmaze_client::Error) -> RunError {
    if source.is_unreachable() {
        return RunError::Unreachable { source };
    }
    RunError::Page { page, source }
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

    fn compare(&mut self, show: &Show) {
        let Some(unseen) = &mut self.unseen else { return };
        let settled = match unseen.remove(&show.id) {
            Some(updated) => show.updated.unwrap_or_default() >= updated,
            None => Some(show.id) > self.last,
        };
        if !settled {
            self.shows.insert(show.id);
        }
    }

    /// All of them: those on the index, and those that the map has and the index has not.
    fn settle(mut self) -> BTreeSet<ShowId> {
        self.shows.extend(self.unseen.into_iter().flatten().map(|(id, _)| id));
        self.shows
    }
}
