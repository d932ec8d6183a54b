//! What an incremental update has to fetch. Pure: the time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tvshows_core::{PublishedManifest, Show, ShowId, TopLimit};

use crate::details;
use crate::updates::{UpdatesMap, page_of};

/// How many changed shows on a page make it cheaper to fetch the page. A page can be 24 hours old, so on
/// average it lacks half of a day's changes, and each of those costs one more request.
const MIN_CHANGES_PER_PAGE: usize = 3;
/// If more shows than this, and more than a hundredth of all, are missing from the updates map, then the map
/// is wrong.
const MAX_DELETIONS: usize = 100;
/// The maximum age of an index page in TVmaze's cache.
const CACHE_AGE: Duration = Duration::from_hours(24);
/// The age beyond which a rating near the cutoff is refetched: ratings change without a new `updated`.
const RATING_AGE: Duration = Duration::from_hours(24);
/// How far a rating may move within that time.
const RATING_DRIFT: f64 = 0.2;

/// What limits a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanLimits<'a> {
    /// The age of an index page at which it is fetched again.
    pub(crate) max_age: Duration,
    /// The shows that `DETAILS` is known to choose: published ones, and new ones if it lists their ids.
    pub(crate) chosen: &'a BTreeSet<ShowId>,
    /// Of how many shows the details may be fetched.
    pub(crate) max_detailed: usize,
}

/// What to fetch and what to delete.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FetchPlan {
    /// Index pages, the least recently fetched first.
    pub(crate) pages: Vec<u32>,
    /// Shows to fetch individually.
    pub(crate) shows: BTreeSet<ShowId>,
    /// New and changed shows that are or may be chosen, to fetch together with their details.
    pub(crate) detailed: BTreeSet<ShowId>,
    /// Published shows that no longer exist at TVmaze.
    pub(crate) deletions: Vec<ShowId>,
}

/// Plans the update of a snapshot. `staged` has the pages that an interrupted attempt has fetched already.
///
/// A chosen show that has changed is fetched together with its details, which take a request in any case, unless there are
/// more than `max_detailed` such shows. So are the new shows that are fetched individually, if more than half of all shows
/// are chosen, and `max_detailed` allows for them in addition to all other details that are needed: they may turn out not
/// to be chosen.
///
/// Returns `None` if the updates map cannot be right. Then the whole index has to be fetched.
pub(crate) fn plan(
    snapshot: &PublishedManifest,
    staged: &BTreeMap<u32, Timestamp>,
    updates: &UpdatesMap,
    limits: PlanLimits<'_>,
    now: Timestamp,
) -> Option<FetchPlan> {
    let (deletions, unclear) = missing_shows(snapshot, updates)?;
    let mut pages = expired_pages(snapshot, updates, limits.max_age, now);
    pages.retain(|page| !staged.contains_key(page));
    let is_chosen = |id: &ShowId| limits.chosen.contains(id);
    let mut detailed: BTreeSet<ShowId> =
        changed_shows(snapshot, updates).filter(is_chosen).collect();
    if detailed.len() > limits.max_detailed {
        detailed.clear();
    }
    let changed = changed_shows(snapshot, updates).filter(|id| !detailed.contains(id));
    let (batched, individual) = group_by_page(changed, |page| may_refetch(staged, page, now));
    let mut planned: BTreeSet<u32> = pages.iter().copied().collect();
    pages.extend(batched.into_iter().filter(|page| planned.insert(*page)));
    let is_on_page = |id: &ShowId| planned.contains(&page_of(*id));
    let mut shows: BTreeSet<ShowId> =
        individual.into_iter().filter(|id| !is_on_page(id)).chain(unclear).collect();
    if 2 * limits.chosen.len() > snapshot.shows.len() {
        let is_new = |id: &ShowId| !snapshot.shows.contains_key(id);
        let new: BTreeSet<ShowId> = shows.iter().copied().filter(is_new).collect();
        let lacks_details = |id: &&ShowId| {
            let show = snapshot.shows.get(id);
            let newest = show.and_then(|version| version.updated());
            details::is_outdated(snapshot.details.get(id), newest)
        };
        let others = limits.chosen.difference(&detailed).filter(lacks_details).count();
        if detailed.len() + others + new.len() <= limits.max_detailed {
            shows.retain(|id| !new.contains(id));
            detailed.extend(new);
        }
    }
    Some(FetchPlan { pages, shows, detailed, deletions })
}

/// Returns the published shows that the map lacks: first the deleted ones, then those beyond the map's last
/// show, which are either deleted or newer than the map. `None` if there are too many.
fn missing_shows(
    snapshot: &PublishedManifest,
    updates: &UpdatesMap,
) -> Option<(Vec<ShowId>, Vec<ShowId>)> {
    let last = *updates.last_key_value()?.0;
    let missing = snapshot.shows.keys().copied().filter(|id| !updates.contains_key(id));
    let (deletions, unclear): (Vec<_>, Vec<_>) = missing.partition(|id| *id <= last);
    let is_plausible =
        deletions.len() + unclear.len() <= MAX_DELETIONS.max(snapshot.shows.len() / 100);
    is_plausible.then_some((deletions, unclear))
}

/// Returns the shows that are not in the snapshot, or only in an older version.
fn changed_shows(
    snapshot: &PublishedManifest,
    updates: &UpdatesMap,
) -> impl Iterator<Item = ShowId> {
    updates.iter().filter(|(id, updated)| is_outdated(snapshot, **id, **updated)).map(|(id, _)| *id)
}

/// Whether the snapshot lacks a show or has a version older than `updated`.
pub(crate) fn is_outdated(snapshot: &PublishedManifest, id: ShowId, updated: i64) -> bool {
    let version = snapshot.shows.get(&id);
    version.is_none_or(|version| version.updated().unwrap_or_default() < updated)
}

/// Whether fetching a page can return anything new: TVmaze's cache may still return a page of `staged` unchanged.
fn may_refetch(staged: &BTreeMap<u32, Timestamp>, page: u32, now: Timestamp) -> bool {
    staged.get(&page).is_none_or(|at| is_older_than(*at, CACHE_AGE, now))
}

/// Returns the pages of an interrupted attempt that must be fetched again because too much on them has changed.
pub(crate) fn outdated_pages(
    snapshot: &PublishedManifest,
    staged: &BTreeMap<u32, Timestamp>,
    updates: &UpdatesMap,
    now: Timestamp,
) -> Vec<u32> {
    let is_staged = |page| staged.contains_key(&page) && may_refetch(staged, page, now);
    group_by_page(changed_shows(snapshot, updates), is_staged).0
}

/// Groups changed shows by page. Returns the pages that are worth fetching, and the shows on all others.
fn group_by_page(
    changed: impl Iterator<Item = ShowId>,
    may_fetch: impl Fn(u32) -> bool,
) -> (Vec<u32>, Vec<ShowId>) {
    let mut pages: BTreeMap<u32, Vec<ShowId>> = BTreeMap::new();
    for id in changed {
        pages.entry(page_of(id)).or_default().push(id);
    }
    let (batched, sparse): (Vec<_>, Vec<_>) = pages
        .into_iter()
        .partition(|(page, shows)| shows.len() >= MIN_CHANGES_PER_PAGE && may_fetch(*page));
    let batched = batched.into_iter().map(|(page, _)| page).collect();
    (batched, sparse.into_iter().flat_map(|(_, shows)| shows).collect())
}

/// Returns the pages with shows that were fetched `max_age` ago or earlier, oldest first. A page that was never
/// fetched counts as the oldest.
fn expired_pages(
    snapshot: &PublishedManifest,
    updates: &UpdatesMap,
    max_age: Duration,
    now: Timestamp,
) -> Vec<u32> {
    let mut pages: Vec<u32> = updates.keys().map(|id| page_of(*id)).collect();
    pages.dedup();
    let is_expired =
        |fetched: &Option<Timestamp>| fetched.is_none_or(|at| is_older_than(at, max_age, now));
    let fetched = pages.into_iter().map(|page| (snapshot.pages.get(&page).copied(), page));
    let mut expired: Vec<_> = fetched.filter(|(at, _)| is_expired(at)).collect();
    expired.sort();
    expired.into_iter().map(|(_, page)| page).collect()
}

/// Whether `at` is at least `age` ago, or in the future because the clock was set back.
fn is_older_than(at: Timestamp, age: Duration, now: Timestamp) -> bool {
    let elapsed = Duration::try_from(now.duration_since(at));
    elapsed.map_or(true, |elapsed| elapsed >= age)
}

/// Returns the shows of `ranked` whose rating may have moved across the cutoff of the top since they were
/// fetched: those nearest to the last top show, at most as many as there are top shows.
pub(crate) fn near_cutoff(
    snapshot: &PublishedManifest,
    ranked: &[Show],
    top: TopLimit,
    now: Timestamp,
) -> BTreeSet<ShowId> {
    let size = usize::from(top.get());
    let Some(last) = ranked.get(size - 1) else { return BTreeSet::new() };
    let distance = |show: &Show| match (show.rating_average, last.rating_average) {
        (Some(rating), Some(cutoff)) => (rating - cutoff).abs(),
        _ => f64::INFINITY,
    };
    let is_due = |show: &&Show| {
        let fetched = snapshot.shows.get(&show.id).map(|version| version.fetched_at());
        distance(show) <= RATING_DRIFT + 1e-9
            && fetched.is_some_and(|at| is_older_than(at, RATING_AGE, now))
    };
    let mut near: Vec<(usize, ShowId)> = (0..)
        .zip(ranked)
        .filter(|(_, show)| is_due(show))
        .map(|(rank, show): (usize, &Show)| ((2 * rank + 1).abs_diff(2 * size), show.id))
        .collect();
    near.sort_unstable();
    near.into_iter().take(size).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use tvshows_core::{DetailsVersion, ShowVersion};

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 3600 * hours).unwrap()
    }

    fn show(id: u32, rating: Option<f64>) -> Show {
        let sent = serde_json::json!({"id": id, "name": "X", "rating": {"average": rating}});
        let crate::convert::TvmazeShow { show, .. } = serde_json::from_value(sent).unwrap();
        show
    }

    /// Shows with these ratings, best first, the ids from 1 up; fetched at hour 0.
    fn ranked(ratings: &[Option<f64>]) -> (PublishedManifest, Vec<Show>) {
        let ranked: Vec<Show> = (1..).zip(ratings).map(|(id, rating)| show(id, *rating)).collect();
        let version = ShowVersion::new(Some(1), at(0));
        let shows = ranked.iter().map(|show| (show.id, version)).collect();
        (PublishedManifest { shows, ..PublishedManifest::default() }, ranked)
    }

    #[test]
    fn a_page_that_was_fetched_before_an_interruption_is_asked_again_after_a_day_only() {
        let (snapshot, _) = ranked(&[Some(1.0), Some(1.0), Some(1.0)]);
        let staged = BTreeMap::from([(0, at(0))]);
        let updates: UpdatesMap =
            [1, 2, 3, 251, 252, 253].map(|id| (ShowId(id), 2)).into_iter().collect();
        let chosen = BTreeSet::new();
        let always = PlanLimits { max_age: Duration::ZERO, chosen: &chosen, max_detailed: 0 };
        let changes = |hours| plan(&snapshot, &staged, &updates, always, at(hours)).unwrap();
        assert_eq!((changes(23).pages, ids(changes(23).shows)), (vec![1], vec![1, 2, 3]));
        assert_eq!((changes(24).pages, ids(changes(24).shows)), (vec![1, 0], vec![]));
        let again = |hours| outdated_pages(&snapshot, &staged, &updates, at(hours));
        assert_eq!((again(23), again(24)), (vec![], vec![0]));
    }

    #[test]
    fn a_chosen_show_is_fetched_with_its_details_and_does_not_make_its_page_worthwhile() {
        let (mut snapshot, _) = ranked(&[Some(1.0), Some(1.0), Some(1.0), Some(1.0)]);
        snapshot.pages.insert(0, at(0));
        let chosen = BTreeSet::from([ShowId(2)]);
        let updates: UpdatesMap = [1, 2, 3].map(|id| (ShowId(id), 2)).into_iter().collect();
        let updates = updates.into_iter().chain([(ShowId(4), 1)]).collect();
        let plan = |chosen, max_detailed| {
            let limits = PlanLimits { max_age: Duration::from_hours(99), chosen, max_detailed };
            let plan = plan(&snapshot, &BTreeMap::new(), &updates, limits, at(1)).unwrap();
            (plan.pages, ids(plan.shows), ids(plan.detailed))
        };
        assert_eq!(plan(&chosen, 1), (vec![], vec![1, 3], vec![2]));
        assert_eq!(plan(&chosen, 0), (vec![0], vec![], vec![]));
        assert_eq!(plan(&BTreeSet::new(), 1), (vec![0], vec![], vec![]));
    }

    #[test]
    fn a_new_show_is_fetched_with_its_details_if_most_shows_are_chosen() {
        let (mut snapshot, _) = ranked(&[Some(1.0), Some(1.0), Some(1.0), Some(1.0)]);
        snapshot.pages.insert(0, at(0));
        let details = DetailsVersion { updated: Some(1), has_episodes: true };
        snapshot.details = (1..=3).map(|id| (ShowId(id), details)).collect();
        let updates = [(1, 1), (2, 1), (3, 1), (4, 2), (5, 1), (6, 1)];
        let updates: UpdatesMap =
            updates.map(|(id, updated)| (ShowId(id), updated)).into_iter().collect();
        let plan = |chosen: u32, max_detailed| {
            let chosen = (1..=chosen).map(ShowId).collect();
            let max_age = Duration::from_hours(99);
            let limits = PlanLimits { max_age, chosen: &chosen, max_detailed };
            let plan = plan(&snapshot, &BTreeMap::new(), &updates, limits, at(1)).unwrap();
            (plan.pages, ids(plan.shows), ids(plan.detailed))
        };
        assert_eq!(plan(2, 9), (vec![0], vec![], vec![]), "the page is worthwhile");
        assert_eq!(plan(4, 3), (vec![], vec![], vec![4, 5, 6]));
        assert_eq!(plan(4, 2), (vec![], vec![5, 6], vec![4]), "they may not be chosen");
    }

    #[test]
    fn new_shows_leave_the_limit_to_chosen_shows_that_lack_details() {
        let (mut snapshot, _) = ranked(&[Some(1.0), Some(1.0), Some(1.0), Some(1.0)]);
        snapshot.pages.insert(0, at(0));
        let details = DetailsVersion { updated: Some(1), has_episodes: true };
        snapshot.details = BTreeMap::from([(ShowId(1), details)]);
        let updates = [(1, 1), (2, 1), (3, 1), (4, 2), (5, 1)];
        let updates: UpdatesMap =
            updates.map(|(id, updated)| (ShowId(id), updated)).into_iter().collect();
        let chosen = (1..=4).map(ShowId).collect();
        let plan = |max_detailed| {
            let max_age = Duration::from_hours(99);
            let limits = PlanLimits { max_age, chosen: &chosen, max_detailed };
            let plan = plan(&snapshot, &BTreeMap::new(), &updates, limits, at(1)).unwrap();
            (ids(plan.shows), ids(plan.detailed))
        };
        // Show 4 has changed, 2 and 3 lack details, and 5 is new.
        assert_eq!(plan(4), (vec![], vec![4, 5]));
        assert_eq!(plan(3), (vec![5], vec![4]));
    }

    fn ids(shows: BTreeSet<ShowId>) -> Vec<u32> {
        shows.into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn ratings_near_the_cutoff_are_looked_at_after_a_day() {
        let ratings = [9.0, 8.2, 8.0, 7.9, 7.8, 7.7].map(Some);
        let (published, ranked) = ranked(&ratings);
        let top = TopLimit::new(3).unwrap();
        assert_eq!(ids(near_cutoff(&published, &ranked, top, at(23))), [0; 0]);
        let due = near_cutoff(&published, &ranked, top, at(24));
        assert_eq!(
            ids(due),
            [2, 3, 4],
            "within 0.2, the nearest ones, as many as there are places"
        );
        let back = near_cutoff(&published, &ranked, top, at(-1));
        assert_eq!(back.len(), 3, "a clock that was set back makes all of them due");
    }

    #[test]
    fn far_or_unrated_shows_are_not_near_the_cutoff() {
        let (published, far) = ranked(&[Some(9.0), Some(5.0), Some(4.7), None]);
        let two = TopLimit::new(2).unwrap();
        assert_eq!(ids(near_cutoff(&published, &far, two, at(99))), [2]);
        let four = TopLimit::new(4).unwrap();
        assert_eq!(ids(near_cutoff(&published, &far, four, at(99))), [0; 0], "unrated edge");
        let ten = TopLimit::new(10).unwrap();
        assert_eq!(ids(near_cutoff(&published, &far, ten, at(99))), [0; 0], "no show is outside");
    }

    #[test]
    fn expired_pages_are_due_oldest_first_and_those_never_fetched_before_all() {
        let (mut published, _) = ranked(&[Some(1.0)]);
        published.pages = BTreeMap::from([(0, at(50)), (1, at(10)), (3, at(90)), (4, at(5))]);
        let ids = [1, 2, 250, 500, 501, 750, 1249, 2500];
        let updates = ids.into_iter().map(|id| (ShowId(id), 1)).collect();
        let pages = |hours| {
            let age = Duration::from_hours(hours);
            expired_pages(&published, &updates, age, at(100))
        };
        assert_eq!(pages(50), [2, 10, 4, 1, 0], "no page between 4 and 10 has a show");
        assert_eq!(pages(51), [2, 10, 4, 1]);
        assert_eq!(pages(0), [2, 10, 4, 1, 0, 3]);
    }
}
