//! Lists of published shows.

use std::collections::BTreeSet;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension};
use tvshows_core::{
    KeysetCursor, Show, ShowFilter, ShowId, ShowPage, ShowQuery, Sort, SortBy, SortValue,
};

use crate::error::SqlResult;
use crate::facet_index::FacetIndex;
use crate::index_cache::IndexCache;
use crate::orders::{compare, is_after, read_value};
use crate::show_row;
use crate::text_index::{TextMatches, and};

/// Finds the ids in memory, except for texts, and reads the rows of the page.
pub(crate) fn shows(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
    query: &ShowQuery,
) -> SqlResult<ShowPage> {
    let snapshot = connection.unchecked_transaction()?;
    let index = FacetIndex::get(indexes, &snapshot)?;
    let reader = Reader::new(&snapshot, &index, &query.filter)?;
    let mut matches = reader.matches_without_facets(&query.filter)?;
    let facets = reader.index.filter(&query.filter.facets, &mut matches, &query.facets);
    let unmatched = reader.index.unmatched(&query.filter.facets);
    let total = matches.iter().filter(|is_match| **is_match).count() as u64;
    let (shows, next) = reader.page(query, &matches)?;
    Ok(ShowPage { shows, next, total, facets, unmatched })
}

/// Returns the ids of the shows that match a filter, in ascending order.
pub(crate) fn matching_ids(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
    filter: &ShowFilter,
) -> SqlResult<Vec<i64>> {
    let index = FacetIndex::get(indexes, connection)?;
    let reader = Reader::new(connection, &index, filter)?;
    let mut matches = reader.matches_without_facets(filter)?;
    reader.index.filter(&filter.facets, &mut matches, &BTreeSet::new());
    let matching = reader.index.ids.iter().zip(matches).filter(|(_, is_match)| *is_match);
    Ok(matching.map(|(id, _)| *id).collect())
}

struct Reader<'a> {
    connection: &'a Connection,
    index: &'a FacetIndex,
    /// The shows that match the text of the filter, if it has one.
    text: Option<TextMatches>,
}

impl Reader<'_> {
    fn new<'a>(
        connection: &'a Connection,
        index: &'a FacetIndex,
        filter: &ShowFilter,
    ) -> SqlResult<Reader<'a>> {
        let text = match &filter.text {
            Some(text) => Some(index.texts(connection)?.find(text.as_str())?),
            None => None,
        };
        Ok(Reader { connection, index, text })
    }

    /// For each show, whether it matches everything but the facets.
    fn matches_without_facets(&self, filter: &ShowFilter) -> SqlResult<Vec<bool>> {
        let mut matches = match &self.text {
            Some(text) => text.any_column.clone(),
            None => vec![true; self.index.ids.len()],
        };
        if let Some(ids) = &filter.ids {
            let mut is_chosen = vec![false; matches.len()];
            for id in ids.iter() {
                if let Ok(show) = self.index.ids.binary_search(&id.0.into()) {
                    is_chosen[show] = true;
                }
            }
            and(&mut matches, &is_chosen);
        }
        let date = |date: jiff::civil::Date| SortValue::Text(date.to_string());
        let bounds = [
            (
                SortBy::Premiered,
                filter.premiered_from.map(|bound| date(bound.first())),
                filter.premiered_to.map(|bound| date(bound.last())),
            ),
            (
                SortBy::Rating,
                filter.min_rating.map(|bound| SortValue::Real(bound.get())),
                filter.max_rating.map(|bound| SortValue::Real(bound.get())),
            ),
        ];
        for (by, first, last) in bounds {
            if first.is_some() || last.is_some() {
                let sort = Sort { by, descending: false };
                let range = self.range(sort, first.as_ref(), last.as_ref())?;
                let mut is_within = vec![false; matches.len()];
                for show in &self.index.orders.get(sort)[range] {
                    is_within[*show as usize] = true;
                }
                and(&mut matches, &is_within);
            }
        }
        Ok(matches)
    }

    /// Returns where the values from `first` to `last` are in an ascending order. Shows without a value are not there.
    fn range(
        &self,
        sort: Sort,
        first: Option<&SortValue>,
        last: Option<&SortValue>,
    ) -> SqlResult<Range<usize>> {
        let order = self.index.orders.get(sort);
        let start = match first {
            Some(first) => self
                .partition_point(order, sort.by, |value, _| compare(sort, value, first).is_lt())?,
            None => 0,
        };
        let end = self.partition_point(order, sort.by, |value, _| match last {
            Some(last) => compare(sort, value, last).is_le(),
            None => *value != SortValue::None,
        })?;
        Ok(start..end.max(start))
    }

    /// Returns the number of shows before the first one that `is_before` is false for. A show that no longer exists
    /// counts as the one before it.
    fn partition_point(
        &self,
        order: &[u32],
        by: SortBy,
        is_before: impl Fn(&SortValue, i64) -> bool,
    ) -> SqlResult<usize> {
        let mut failure = None;
        let point = order.partition_point(|show| {
            let id = self.index.ids[*show as usize];
            match read_value(self.connection, by, id) {
                Ok(value) => value.is_none_or(|value| is_before(&value, id)),
                Err(error) => {
                    failure = Some(error);
                    false
                }
            }
        });
        failure.map_or(Ok(point), Err)
    }

    fn page(
        &self,
        query: &ShowQuery,
        matches: &[bool],
    ) -> SqlResult<(Vec<Show>, Option<KeysetCursor>)> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut hits = if query.sort.by == SortBy::Relevance {
            self.most_relevant(query, matches, limit + 1)?
        } else {
            let order = self.index.orders.get(query.sort);
            let start = match &query.after {
                Some(cursor) => self.partition_point(order, query.sort.by, |value, id| {
                    !is_after(query.sort, value, id, cursor)
                })?,
                None => 0,
            };
            let hits = order[start..].iter().filter(|show| matches[**show as usize]);
            hits.take(limit + 1).map(|show| (*show, 0)).collect()
        };
        let has_more = hits.len() > limit;
        hits.truncate(limit);
        let mut select = self.connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
        // Rows can be missing if another program deleted them.
        let shows = hits.iter().filter_map(|(show, _)| {
            let id = self.index.ids[*show as usize];
            select.query_row([id], show_row::read).optional().transpose()
        });
        let shows = shows.collect::<SqlResult<Vec<Show>>>()?;
        let next = match hits.last().filter(|_| has_more) {
            Some(hit) => self.cursor(query.sort, *hit)?,
            None => None,
        };
        Ok((shows, next))
    }

    /// Returns shows that match the text of the query, best match first, each with the rank of its kind of match.
    fn most_relevant(
        &self,
        query: &ShowQuery,
        matches: &[bool],
        count: usize,
    ) -> SqlResult<Vec<(u32, i64)>> {
        let (Some(text), Some(text_matches)) = (&query.filter.text, &self.text) else {
            return Ok(Vec::new());
        };
        let by_name = Sort { by: SortBy::Name, descending: false };
        let name = SortValue::Text(text.as_str().trim().to_owned());
        let equal = self.range(by_name, Some(&name), Some(&name))?;
        let mut is_equal = vec![false; matches.len()];
        for show in &self.index.orders.get(by_name)[equal] {
            is_equal[*show as usize] = true;
        }
        let rank = |show: usize| match (is_equal[show], text_matches.name[show]) {
            (true, _) => EQUAL_NAME,
            (false, true) => WORDS_IN_NAME,
            (false, false) => WORDS_IN_SUMMARY,
        };
        let order = self.index.orders.get(query.sort);
        let mut hits = Vec::new();
        for group in [EQUAL_NAME, WORDS_IN_NAME, WORDS_IN_SUMMARY] {
            let start = match &query.after {
                Some(cursor) => self.partition_point(order, query.sort.by, |value, id| {
                    !is_after(query.sort, &add(group, value), id, cursor)
                })?,
                None => 0,
            };
            let shows = order[start..].iter().filter(|show| {
                let show = **show as usize;
                matches[show] && rank(show) == group
            });
            hits.extend(shows.take(count - hits.len()).map(|show| (*show, group)));
        }
        Ok(hits)
    }

    /// The cursor of a hit; `None` if the show no longer exists.
    fn cursor(&self, sort: Sort, (show, rank): (u32, i64)) -> SqlResult<Option<KeysetCursor>> {
        let id = self.index.ids[show as usize];
        let Some(value) = read_value(self.connection, sort.by, id)? else { return Ok(None) };
        let value = if sort.by == SortBy::Relevance { add(rank, &value) } else { value };
        Ok(u32::try_from(id).ok().map(|id| KeysetCursor { value, id: ShowId(id) }))
    }
}

/// The ranks of the kinds of matches. The weight of a show, at most 999, is subtracted.
const EQUAL_NAME: i64 = 0;
const WORDS_IN_NAME: i64 = 1000;
const WORDS_IN_SUMMARY: i64 = 2000;

fn add(rank: i64, value: &SortValue) -> SortValue {
    match value {
        SortValue::Integer(weight) => SortValue::Integer(rank + weight),
        other => other.clone(),
    }
}
