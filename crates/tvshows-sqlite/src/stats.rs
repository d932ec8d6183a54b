//! Counts of the published shows.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use tvshows_core::{FacetCount, RowCounts, ShowStats};

use crate::error::SqlResult;
use crate::snapshot;

/// As many networks as a chart can show; there are more than a thousand.
const MAX_NETWORKS: usize = 50;

/// Counts in one pass over the table `_Show_Facets`, and in one snapshot.
pub(crate) fn stats(connection: &Connection) -> SqlResult<ShowStats> {
    let transaction = connection.unchecked_transaction()?;
    let published = snapshot::current(&transaction)?;
    let mut counts = Counts::default();
    let mut select = transaction.prepare_cached(
        "SELECT type, language, genres, status, premiered, rating_average, network FROM _Show_Facets",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        counts.add(row)?;
    }
    let mut networks = counts.networks.by_count();
    networks.truncate(MAX_NETWORKS);
    let tables = RowCounts {
        all_shows: row_count(&transaction, "_Show_Facets")?,
        top_shows: row_count(&transaction, "Top_Shows")?,
        top_shows_cast: row_count(&transaction, "Top_Shows_Cast")?,
    };
    Ok(ShowStats {
        snapshot: published.number,
        published_at: published.published_at,
        tables,
        premiere_years: nulls_last(counts.premiere_years),
        ratings: nulls_last(counts.ratings),
        genres: counts.genres.by_count(),
        languages: counts.languages.by_count(),
        networks,
        statuses: counts.statuses.by_count(),
        types: counts.types.by_count(),
    })
}

fn row_count(connection: &Connection, table: &str) -> SqlResult<u64> {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
}

#[derive(Default)]
struct Counts {
    types: Tally,
    languages: Tally,
    genres: Tally,
    statuses: Tally,
    networks: Tally,
    premiere_years: BTreeMap<Option<i64>, u64>,
    ratings: BTreeMap<Option<i64>, u64>,
}

impl Counts {
    fn add(&mut self, row: &Row<'_>) -> SqlResult<()> {
        self.types.add(text(row, 0)?);
        self.languages.add(text(row, 1)?);
        match text(row, 2)? {
            None | Some("") => self.genres.add(None),
            Some(genres) => genres.split(',').for_each(|genre| self.genres.add(Some(genre))),
        }
        self.statuses.add(text(row, 3)?);
        let year = text(row, 4)?.and_then(|premiered| premiered.get(..4)?.parse().ok());
        *self.premiere_years.entry(year).or_default() += 1;
        let rating: Option<f64> = row.get(5)?;
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        let rating = rating.map(|rating| rating.floor() as i64);
        *self.ratings.entry(rating).or_default() += 1;
        self.networks.add(text(row, 6)?);
        Ok(())
    }
}

fn text<'row>(row: &'row Row<'_>, column: usize) -> SqlResult<Option<&'row str>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}

/// The number of occurrences of each text, and of NULL.
#[derive(Default)]
struct Tally {
    some: HashMap<String, u64>,
    none: u64,
}

impl Tally {
    fn add(&mut self, text: Option<&str>) {
        match text {
            None => self.none += 1,
            Some(text) => match self.some.get_mut(text) {
                Some(count) => *count += 1,
                None => _ = self.some.insert(text.to_owned(), 1),
            },
        }
    }

    /// Returns the texts by frequency, highest first, and in alphabetical order if they are equally frequent.
    fn by_count(self) -> Vec<FacetCount<String>> {
        let some =
            self.some.into_iter().map(|(value, count)| FacetCount { value: Some(value), count });
        let none = (self.none > 0).then_some(FacetCount { value: None, count: self.none });
        let mut counts: Vec<_> = some.chain(none).collect();
        FacetCount::sort_by_count(&mut counts);
        counts
    }
}

fn nulls_last(counts: BTreeMap<Option<i64>, u64>) -> Vec<FacetCount<i64>> {
    let (none, some): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(value, _)| value.is_none());
    some.into_iter().chain(none).map(|(value, count)| FacetCount { value, count }).collect()
}
