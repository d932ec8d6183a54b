//! TVmaze's updates map, `/updates/shows`.

use tvmaze_client::{Client, PageIndex, SHOWS_PER_PAGE};
use tvshows_core::{PublishedManifest, ShowId, ShowMap};

use crate::convert::tvmaze_id;
use crate::error::RunError;

/// When each existing show last changed, as Unix time.
pub(crate) type UpdatesMap = ShowMap<i64>;

/// How many shows a map may have: twenty times as many as TVmaze.
const MAX_SHOWS: usize = 2_000_000;
/// The most bytes that an entry takes, such as `"4294967295":1700000000,`.
const MAX_ENTRY_BYTES: usize = 24;
/// How many pages without a show there may be between two shows. More than TVmaze grows in a year.
const MAX_PAGE_GAP: u32 = 100;
/// How many pages there may be for each page that the shows would fill without gaps.
const MAX_SPARSENESS: u32 = 4;
/// How many pages there may be in any case. TVmaze has fewer.
const MAX_SPARSE_PAGES: u32 = 400;
/// A smaller map may change altogether between two updates.
const MIN_SHOWS_TO_COMPARE: usize = 100;

/// Fetches the map, unless it is too large.
///
/// # Errors
///
/// [`RunError::Unreachable`] or [`RunError::UpdatesMap`].
pub(crate) async fn fetch_updates(client: &Client) -> Result<UpdatesMap, RunError> {
    let request = client.show_updates(None).decode_as::<UpdatesMap>();
    match request.max_body_bytes(MAX_SHOWS * MAX_ENTRY_BYTES).await {
        Err(source) if source.is_unreachable() => Err(RunError::Unreachable { source }),
        updates => updates.map_err(|source| RunError::UpdatesMap { source }),
    }
}

/// Why a map cannot be TVmaze's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImplausibleMap {
    #[error("it has {shows} shows, more than TVmaze can have")]
    TooManyShows { shows: usize },
    #[error("it has show {id}, far beyond show {previous}, the last one before it")]
    FarShow { id: ShowId, previous: ShowId },
    #[error("it has only {shows} shows up to show {last}")]
    TooSparse { shows: usize, last: ShowId },
    #[error("every show in it is newer than all known shows")]
    AllNewer,
}

/// Checks that a map can be TVmaze's, compared with the shows that are known.
pub(crate) fn check_updates(
    updates: &UpdatesMap,
    known: &PublishedManifest,
) -> Result<(), ImplausibleMap> {
    let (shows, known_shows) = (updates.len(), known.shows.len());
    if shows > MAX_SHOWS {
        return Err(ImplausibleMap::TooManyShows { shows });
    }
    let last_known = known.shows.last_key_value().map_or(ShowId(0), |(id, _)| *id);
    let mut previous = ShowId(0);
    for id in updates.keys().copied() {
        let gap = page_of(id).saturating_sub(page_of(previous.max(last_known)));
        if gap > MAX_PAGE_GAP {
            return Err(ImplausibleMap::FarShow { id, previous: previous.max(last_known) });
        }
        previous = id;
    }
    let filled = u32::try_from(shows).unwrap_or(u32::MAX) / SHOWS_PER_PAGE;
    let max_page = filled.saturating_mul(MAX_SPARSENESS).max(MAX_SPARSE_PAGES);
    if page_of(previous) > max_page.max(page_of(last_known).saturating_add(MAX_PAGE_GAP)) {
        return Err(ImplausibleMap::TooSparse { shows, last: previous });
    }
    let newest = known.shows.values().filter_map(|version| version.updated()).max();
    let is_comparable = shows.min(known_shows) >= MIN_SHOWS_TO_COMPARE;
    if is_comparable && updates.values().min().copied() > newest {
        return Err(ImplausibleMap::AllNewer);
    }
    Ok(())
}

/// Returns how many shows may be fetched individually because the map and their index pages disagree, in a catalog of
/// this size. More means that the map is wrong: TVmaze's pages are at most a day old.
pub(crate) fn max_discrepancies(shows: usize) -> usize {
    (shows / 10).max(100)
}

/// Returns the index page a show belongs on.
pub(crate) fn page_of(id: ShowId) -> u32 {
    PageIndex::containing(tvmaze_id(id)).0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tvshows_core::ShowVersion;

    use super::*;

    fn known(ids: impl IntoIterator<Item = u32>) -> PublishedManifest {
        let version = ShowVersion::new(Some(10), Timestamp::UNIX_EPOCH);
        let shows = ids.into_iter().map(|id| (ShowId(id), version)).collect();
        PublishedManifest { shows, ..PublishedManifest::default() }
    }

    fn map(ids: impl IntoIterator<Item = u32>) -> UpdatesMap {
        ids.into_iter().map(|id| (ShowId(id), 10)).collect()
    }

    #[test]
    fn a_map_that_grows_as_the_index_does_is_accepted() {
        for (updates, known) in [
            (map(1..600), known([])),
            (map(1..600), known(1..600)),
            (map((1..90_000).step_by(37)), known([])),
            (map(1..90_000), known(1..600)),
            (map([1, 250]), known([])),
            (map([80_000]), known([79_000])),
            (map([]), known(1..9)),
            (map((1..200_000).map(|id| 3 * id)), known([])),
        ] {
            let checked = check_updates(&updates, &known);
            assert_eq!(checked, Ok(()), "{:?}", updates.last_key_value());
        }
    }

    #[test]
    fn an_id_far_beyond_all_others_is_not() {
        for far in [30_000, 1_000_000, u32::MAX] {
            let (id, previous) = (ShowId(far), ShowId(599));
            let updates = map((1..600).chain([far]));
            let expected = Err(ImplausibleMap::FarShow { id, previous });
            assert_eq!(check_updates(&updates, &known([])), expected);
            assert_eq!(check_updates(&updates, &known(1..600)), expected);
        }
        let known = known([1, 29_000]);
        assert_eq!(check_updates(&map([1, 30_000]), &known), Ok(()), "it follows a known one");
    }

    #[test]
    fn ids_all_over_the_range_are_not() {
        let scattered = map((0..170_000).map(|id| 25_000 * id));
        let checked = check_updates(&scattered, &known(1..600));
        assert!(matches!(checked, Err(ImplausibleMap::TooSparse { shows: 170_000, .. })));
    }

    #[test]
    fn more_shows_than_tvmaze_can_have_are_not() {
        let updates = map(0..2_000_001);
        let expected = ImplausibleMap::TooManyShows { shows: 2_000_001 };
        assert_eq!(check_updates(&updates, &known([])), Err(expected));
    }

    #[test]
    fn a_map_in_which_everything_is_newer_is_not() {
        let updates: UpdatesMap = (1..600).map(|id| (ShowId(id), 11)).collect();
        assert_eq!(check_updates(&updates, &known([])), Ok(()));
        assert_eq!(check_updates(&updates, &known(1..9)), Ok(()), "too few to say");
        assert_eq!(check_updates(&updates, &known(1..600)), Err(ImplausibleMap::AllNewer));
        let updates = updates.into_iter().chain([(ShowId(7), 10)]).collect();
        assert_eq!(check_updates(&updates, &known(1..600)), Ok(()));
    }
}
