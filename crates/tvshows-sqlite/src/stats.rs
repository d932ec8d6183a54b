//! Counts of the published shows.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tvshows_core::{Facet, FacetCount, RowCounts, ShowStats};

use crate::error::SqlResult;
use crate::facet_index::FacetIndex;
use crate::index_cache::IndexCache;
use crate::snapshot;

/// As many networks as a chart can show; there are more than a thousand.
const MAX_NETWORKS: usize = 50;

/// Counts in memory, except for the rows of the small tables.
pub(crate) fn stats(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
) -> SqlResult<ShowStats> {
    let transaction = connection.unchecked_transaction()?;
    let (index, snapshot) =
        (FacetIndex::get(indexes, &transaction)?, snapshot::current(&transaction)?);
    let mut networks = by_count(index.text_counts(Facet::Network));
    networks.truncate(MAX_NETWORKS);
    let tables = RowCounts {
        all_shows: index.ids.len() as u64,
        top_shows: row_count(&transaction, "Top_Shows")?,
        top_shows_cast: row_count(&transaction, "Top_Shows_Cast")?,
        episodes: row_count(&transaction, "Episodes")?,
        show_cast: row_count(&transaction, "Show_Cast")?,
    };
    Ok(ShowStats {
        snapshot: snapshot.number,
        published_at: snapshot.published_at,
        tables,
        premiere_years: nulls_last(&index.histograms.premiere_years),
        ratings: nulls_last(&index.histograms.ratings),
        genres: by_count(genre_counts(&index)),
        languages: by_count(index.text_counts(Facet::Language)),
        networks,
        statuses: by_count(index.text_counts(Facet::Status)),
        types: by_count(index.text_counts(Facet::Type)),
    })
}

fn row_count(connection: &Connection, table: &str) -> SqlResult<u64> {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
}

/// The number of shows for each value of the columns that are no facets.
#[derive(Default)]
pub(crate) struct Histograms {
    premiere_years: BTreeMap<Option<i64>, u64>,
    ratings: BTreeMap<Option<i64>, u64>,
}

impl Histograms {
    /// Adds a show. Values of other types, which only other programs write, count as none.
    pub(crate) fn add(&mut self, premiered: ValueRef<'_>, rating: ValueRef<'_>) {
        let year = match premiered {
            ValueRef::Text(date) => str::from_utf8(date).ok().and_then(|date| date.get(..4)),
            _ => None,
        };
        let year = year.and_then(|year| year.parse().ok());
        *self.premiere_years.entry(year).or_default() += 1;
        let rating = match rating {
            #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
            ValueRef::Real(rating) => Some(rating.floor() as i64),
            ValueRef::Integer(rating) => Some(rating),
            _ => None,
        };
        *self.ratings.entry(rating).or_default() += 1;
    }
}

fn genre_counts(index: &FacetIndex) -> impl Iterator<Item = (Option<&str>, u64)> {
    index.text_counts(Facet::Genre).flat_map(|(genres, count)| {
        let genres = genres.filter(|genres| !genres.is_empty());
        let some = genres.into_iter().flat_map(|genres| genres.split(','));
        let none = genres.is_none().then_some(None);
        some.map(Some).chain(none).map(move |genre| (genre, count))
    })
}

/// Returns the texts by frequency, highest first, and in alphabetical order if they are equally frequent.
fn by_count<'a>(counts: impl Iterator<Item = (Option<&'a str>, u64)>) -> Vec<FacetCount<String>> {
    let mut totals = HashMap::new();
    for (value, count) in counts {
        *totals.entry(value).or_default() += count;
    }
    let counts = totals.into_iter();
    let mut counts: Vec<_> = counts
        .map(|(value, count)| FacetCount { value: value.map(str::to_owned), count })
        .collect();
    FacetCount::sort_by_count(&mut counts);
    counts
}

fn nulls_last(counts: &BTreeMap<Option<i64>, u64>) -> Vec<FacetCount<i64>> {
    let (none, some): (Vec<_>, Vec<_>) = counts.iter().partition(|(value, _)| value.is_none());
    let counts = some.into_iter().chain(none);
    counts.map(|(value, count)| FacetCount { value: *value, count: *count }).collect()
}
