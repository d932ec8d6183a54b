//! What a run must fetch when the rest is published already. Pure: it is told the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tvmaze_client::PageIndex;
use tvshows_core::{PublishedManifest, Show, ShowId, TopLimit};

use crate::convert::tvmaze_id;
use crate::index::Updates;

/// The shows that must have changed on a page for the page to be fetched in their place. A page is up to
/// 24 hours old, so on average half of a day's changes are not on it and cost a request each anyhow.
const CHANGES_WORTH_A_PAGE: usize = 3;
/// More shows than this, and than a hundredth of all, do not vanish between two runs: then it is the map
/// that is wrong.
const MOST_GONE: usize = 100;
/// How old an index page may be when TVmaze's cache gives it.
const CACHE_AGE: Duration = Duration::from_hours(24);
/// Ratings move without a change mark, and this often somebody should look.
const RATING_AGE: Duration = Duration::from_hours(24);
/// What a rating may move by until then.
const RATING_DRIFT: f64 = 0.2;

/// What to fetch, and what to drop.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FetchPlan {
    /// Index pages, those fetched longest ago first.
    pub(crate) pages: Vec<u32>,
    /// Shows to be fetched by themselves.
    pub(crate) shows: BTreeSet<ShowId>,
    /// Published shows that TVmaze no longer has.
    pub(crate) gone: Vec<ShowId>,
}

/// What changed since the snapshot was published, or since an interrupted run prepared it so far: then
/// `staged` has the pages that it fetched. `None` where the map cannot be right: then the whole index must
/// be asked.
pub(crate) fn since(
    published: &PublishedManifest,
    staged: &BTreeMap<u32, Timestamp>,
    updates: &Updates,
    max_age: Duration,
    now: Timestamp,
) -> Option<FetchPlan> {
    let (gone, unclear) = missing(published, updates)?;
    let mut pages = aged_pages(published, updates, max_age, now);
    pages.retain(|page| !staged.contains_key(page));
    let (busy, alone) = by_page(changed(published, updates), |page| may_ask(staged, page, now));
    pages.extend(busy.into_iter().filter(|page| !pages.contains(page)).collect::<Vec<_>>());
    let on_pages = |id: &ShowId| pages.contains(&page_of(*id));
    let shows = alone.into_iter().filter(|id| !on_pages(id)).chain(unclear).collect();
    Some(FetchPlan { pages, shows, gone })
}

/// Published shows that the map lacks, and those of them beyond its last one, which may be gone, or newer
/// than the map.
fn missing(published: &PublishedManifest, updates: &Updates) -> Option<(Vec<ShowId>, Vec<ShowId>)> {
    let last = *updates.last_key_value()?.0;
    let missing = published.shows.keys().copied().filter(|id| !updates.contains_key(id));
    let (gone, unclear): (Vec<_>, Vec<_>) = missing.partition(|id| *id <= last);
    let is_plausible = gone.len() + unclear.len() <= MOST_GONE.max(published.shows.len() / 100);
    is_plausible.then_some((gone, unclear))
}

/// Shows that are new, or newer than what is published.
fn changed(published: &PublishedManifest, updates: &Updates) -> impl Iterator<Item = ShowId> {
    updates.iter().filter(|(id, updated)| is_older(published, **id, **updated)).map(|(id, _)| *id)
}

/// Whether what is published of a show is older than `updated`.
pub(crate) fn is_older(published: &PublishedManifest, id: ShowId, updated: i64) -> bool {
    let known = published.shows.get(&id);
    known.is_none_or(|version| version.updated.unwrap_or_default() < updated)
}

/// Whether a page may bring news to a run that has fetched those of `staged`: one of those could come from
/// the cache as it was.
fn may_ask(staged: &BTreeMap<u32, Timestamp>, page: u32, now: Timestamp) -> bool {
    staged.get(&page).is_none_or(|at| is_aged(*at, CACHE_AGE, now))
}

/// Of the pages that a run has fetched before it was interrupted, those on which so much has changed that
/// they are to be fetched again.
pub(crate) fn outdated(
    snapshot: &PublishedManifest,
    staged: &BTreeMap<u32, Timestamp>,
    updates: &Updates,
    now: Timestamp,
) -> Vec<u32> {
    let is_staged = |page| staged.contains_key(&page) && may_ask(staged, page, now);
    by_page(changed(snapshot, updates), is_staged).0
}

/// The pages that may be asked and on which enough changed to do that, and the shows of all others.
fn by_page(
    changed: impl Iterator<Item = ShowId>,
    may_ask: impl Fn(u32) -> bool,
) -> (Vec<u32>, Vec<ShowId>) {
    let mut pages: BTreeMap<u32, Vec<ShowId>> = BTreeMap::new();
    for id in changed {
        pages.entry(page_of(id)).or_default().push(id);
    }
    let (busy, quiet): (Vec<_>, Vec<_>) = pages
        .into_iter()
        .partition(|(page, shows)| shows.len() >= CHANGES_WORTH_A_PAGE && may_ask(*page));
    let busy = busy.into_iter().map(|(page, _)| page).collect();
    (busy, quiet.into_iter().flat_map(|(_, shows)| shows).collect())
}

/// Pages fetched longer than `max_age` ago, oldest first; one that never was is the oldest.
fn aged_pages(
    published: &PublishedManifest,
    updates: &Updates,
    max_age: Duration,
    now: Timestamp,
) -> Vec<u32> {
    let last = updates.last_key_value().map_or(0, |(id, _)| page_of(*id));
    let is_due = |fetched: &Option<Timestamp>| fetched.is_none_or(|at| is_aged(at, max_age, now));
    let fetched = (0..=last).map(|page| (published.pages.get(&page).copied(), page));
    let mut due: Vec<_> = fetched.filter(|(at, _)| is_due(at)).collect();
    due.sort();
    due.into_iter().map(|(_, page)| page).collect()
}

/// Whether `at` is `age` ago or more, or in the future: a clock was set back.
fn is_aged(at: Timestamp, age: Duration, now: Timestamp) -> bool {
    let passed = Duration::try_from(now.duration_since(at));
    passed.map_or(true, |passed| passed >= age)
}

/// Of the shows `ranked` by what is published, those whose rating could have moved them over the edge of
/// the top since they were fetched: near enough to the last one in it, at most as many as it has places.
pub(crate) fn near_the_edge(
    published: &PublishedManifest,
    ranked: &[Show],
    top: TopLimit,
    now: Timestamp,
) -> BTreeSet<ShowId> {
    let places = usize::from(top.number());
    let Some(last) = ranked.get(places - 1) else { return BTreeSet::new() };
    let distance = |show: &Show| match (show.rating_average, last.rating_average) {
        (Some(rating), Some(edge)) => (rating - edge).abs(),
        _ => f64::INFINITY,
    };
    let is_due = |show: &&Show| {
        let fetched = published.shows.get(&show.id).map(|version| version.fetched_at);
        distance(show) <= RATING_DRIFT + 1e-9
            && fetched.is_some_and(|at| is_aged(at, RATING_AGE, now))
    };
    let mut near: Vec<(usize, ShowId)> = (0..)
        .zip(ranked)
        .filter(|(_, show)| is_due(show))
        .map(|(rank, show): (usize, &Show)| ((2 * rank + 1).abs_diff(2 * places), show.id))
        .collect();
    near.sort_unstable();
    near.into_iter().take(places).map(|(_, id)| id).collect()
}

pub(crate) fn page_of(id: ShowId) -> u32 {
    PageIndex::containing(tvmaze_id(id)).0
}

#[cfg(test)]
mod tests {
    use tvshows_core::ShowVersion;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 3600 * hours).unwrap()
    }

    fn show(id: u32, rating: Option<f64>) -> Show {
        let sent = serde_json::json!({"id": id, "name": "X", "rating": {"average": rating}});
        let crate::convert::Received(show) = serde_json::from_value(sent).unwrap();
        show
    }

    /// Shows with these ratings, best first, the ids from 1 up; fetched at hour 0.
    fn ranked(ratings: &[Option<f64>]) -> (PublishedManifest, Vec<Show>) {
        let ranked: Vec<Show> = (1..).zip(ratings).map(|(id, rating)| show(id, *rating)).collect();
        let version = ShowVersion { updated: Some(1), fetched_at: at(0) };
        let shows = ranked.iter().map(|show| (show.id, version)).collect();
        (PublishedManifest { shows, ..PublishedManifest::default() }, ranked)
    }

    #[test]
    fn a_page_that_was_fetched_before_an_interruption_is_asked_again_after_a_day_only() {
        let (snapshot, _) = ranked(&[Some(1.0), Some(1.0), Some(1.0)]);
        let staged = BTreeMap::from([(0, at(0))]);
        let updates = Updates::from([1, 2, 3, 251, 252, 253].map(|id| (ShowId(id), 2)));
        let always = Duration::ZERO;
        let changes = |hours| since(&snapshot, &staged, &updates, always, at(hours)).unwrap();
        assert_eq!((changes(23).pages, ids(changes(23).shows)), (vec![1], vec![1, 2, 3]));
        assert_eq!((changes(24).pages, ids(changes(24).shows)), (vec![1, 0], vec![]));
        let again = |hours| outdated(&snapshot, &staged, &updates, at(hours));
        assert_eq!((again(23), again(24)), (vec![], vec![0]));
    }

    fn ids(shows: BTreeSet<ShowId>) -> Vec<u32> {
        shows.into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn ratings_near_the_edge_are_looked_at_after_a_day() {
        let ratings = [9.0, 8.2, 8.0, 7.9, 7.8, 7.7].map(Some);
        let (published, ranked) = ranked(&ratings);
        let top = TopLimit::new(3).unwrap();
        assert_eq!(ids(near_the_edge(&published, &ranked, top, at(23))), [0; 0]);
        let due = near_the_edge(&published, &ranked, top, at(24));
        assert_eq!(
            ids(due),
            [2, 3, 4],
            "within 0.2, the nearest ones, as many as there are places"
        );
        let back = near_the_edge(&published, &ranked, top, at(-1));
        assert_eq!(back.len(), 3, "a clock that was set back makes all of them due");
    }

    #[test]
    fn far_or_unrated_shows_are_not_near_the_edge() {
        let (published, far) = ranked(&[Some(9.0), Some(5.0), Some(4.7), None]);
        let two = TopLimit::new(2).unwrap();
        assert_eq!(ids(near_the_edge(&published, &far, two, at(99))), [2]);
        let four = TopLimit::new(4).unwrap();
        assert_eq!(ids(near_the_edge(&published, &far, four, at(99))), [0; 0], "unrated edge");
        let ten = TopLimit::new(10).unwrap();
        assert_eq!(ids(near_the_edge(&published, &far, ten, at(99))), [0; 0], "nobody is outside");
    }

    #[test]
    fn aged_pages_are_due_oldest_first_and_those_never_fetched_before_all() {
        let (mut published, _) = ranked(&[Some(1.0)]);
        published.pages = BTreeMap::from([(0, at(50)), (1, at(10)), (3, at(90)), (4, at(5))]);
        let updates = Updates::from([(ShowId(1), 1), (ShowId(1249), 1)]);
        let pages = |hours| {
            let age = Duration::from_hours(hours);
            aged_pages(&published, &updates, age, at(100))
        };
        assert_eq!(pages(50), [2, 4, 1, 0]);
        assert_eq!(pages(51), [2, 4, 1]);
        assert_eq!(pages(0), [2, 4, 1, 0, 3]);
    }
}
