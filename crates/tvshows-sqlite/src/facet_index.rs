//! The facets and the orders of the published shows, in memory: 84 bytes per show.
//!
//! It is read from `All_Shows` once per snapshot. Totals, facet counts, and lists need no other data, except for the
//! rows of a page.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tvshows_core::{Facet, FacetCount, FacetFilter, UnmatchedFilter, fold_case};

use crate::error::SqlResult;
use crate::facets::{self, FacetReader, split};
use crate::index_cache::IndexCache;
use crate::orders::{Orders, OrdersReader};
use crate::stats::Histograms;
use crate::text_index::TextIndex;

pub(crate) struct FacetIndex {
    /// In ascending order.
    pub(crate) ids: Vec<i64>,
    pub(crate) orders: Orders,
    texts: Mutex<Option<Arc<TextIndex>>>,
    pub(crate) histograms: Histograms,
    /// In the order of [`Facet::ALL`].
    columns: Vec<FacetColumn>,
}

/// The values of a facet.
#[derive(Default)]
struct FacetColumn {
    /// For each show, the index of its text in `texts`.
    shows: Vec<u32>,
    /// The distinct texts of the column.
    texts: Vec<Option<String>>,
    /// For each text, the indexes of its values: none, one, or more for a list.
    values_of_text: Vec<Vec<u32>>,
    values: Vec<String>,
    /// Other names of values, without case: the codes of countries.
    aliases: BTreeSet<(u32, String)>,
}

impl FacetIndex {
    /// Returns the index of the snapshot that the transaction reads.
    pub(crate) fn get(
        cache: &IndexCache<FacetIndex>,
        transaction: &Connection,
    ) -> SqlResult<Arc<FacetIndex>> {
        cache.get_or_read(transaction, FacetIndex::read)
    }

    fn read(connection: &Connection) -> SqlResult<FacetIndex> {
        let (mut ids, mut histograms) = (Vec::new(), Histograms::default());
        let (mut columns, mut orders) =
            (Facet::ALL.map(ColumnReader::new), OrdersReader::default());
        let mut reader = FacetReader::default();
        let sql = format!(
            "SELECT id, name, premiered, rating_average, updated, weight, {} FROM All_Shows ORDER BY id",
            facets::columns(|_| true)
        );
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
            orders.add(row)?;
            histograms.add(row.get_ref("premiered")?, row.get_ref("rating_average")?);
            let show = reader.read(row, 6)?;
            for (column, text) in columns.iter_mut().zip(show.texts) {
                column.add(text);
            }
            if let Some(code) = show.country_code {
                columns[Facet::Country as usize].add_alias(code);
            }
        }
        ids.shrink_to_fit();
        let columns = columns.map(ColumnReader::finish).into();
        let (orders, texts) = (orders.finish(), Mutex::default());
        Ok(FacetIndex { ids, orders, texts, histograms, columns })
    }

    /// Returns the index of texts, which is read when it is first needed. The transaction must be one of the same
    /// snapshot.
    pub(crate) fn texts(&self, transaction: &Connection) -> SqlResult<Arc<TextIndex>> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(texts) = texts.as_ref() {
            return Ok(Arc::clone(texts));
        }
        Ok(Arc::clone(texts.insert(Arc::new(TextIndex::read(transaction, &self.ids)?))))
    }

    fn column(&self, facet: Facet) -> &FacetColumn {
        &self.columns[facet as usize]
    }

    /// The texts of a facet's column, and how many shows have each.
    pub(crate) fn text_counts(&self, facet: Facet) -> impl Iterator<Item = (Option<&str>, u64)> {
        let column = self.column(facet);
        let mut counts = vec![0; column.texts.len()];
        for text in &column.shows {
            counts[*text as usize] += 1;
        }
        column.texts.iter().map(Option::as_deref).zip(counts)
    }

    /// Returns the filters that no show matches, with suggestions.
    pub(crate) fn unmatched(&self, filters: &BTreeMap<Facet, FacetFilter>) -> Vec<UnmatchedFilter> {
        let unmatched = filters.iter().filter_map(|(facet, filter)| match filter {
            FacetFilter::Is(value) => {
                let column = self.column(*facet);
                let is_matched = column.matching(filter).contains(&true);
                let known = column.values.iter().map(String::as_str);
                (!is_matched).then(|| UnmatchedFilter::new(*facet, value, known))
            }
            FacetFilter::Missing => None,
        });
        unmatched.collect()
    }

    /// Narrows `matches`, the shows that match everything but the facets, to those that match these filters as well.
    /// Returns the counts of each facet of `counted` among the shows that match the filters of other facets.
    pub(crate) fn filter(
        &self,
        filters: &BTreeMap<Facet, FacetFilter>,
        matches: &mut [bool],
        counted: &BTreeSet<Facet>,
    ) -> BTreeMap<Facet, Vec<FacetCount<String>>> {
        let filters: Vec<_> = filters
            .iter()
            .map(|(facet, filter)| (*facet, self.column(*facet).matching(filter)))
            .collect();
        let mut tallies: Vec<_> = counted
            .iter()
            .map(|facet| (*facet, vec![0_u64; self.column(*facet).texts.len()]))
            .collect();
        for (show, is_match) in matches.iter_mut().enumerate().filter(|(_, is_match)| **is_match) {
            let mut excluding = filters
                .iter()
                .filter(|(facet, matching)| !matching[self.column(*facet).text_of(show)]);
            let (excluded_by, is_excluded_twice) = (excluding.next(), excluding.next().is_some());
            *is_match = excluded_by.is_none();
            if is_excluded_twice {
                continue;
            }
            let excluded_by = excluded_by.map(|(facet, _)| *facet);
            for (facet, tally) in &mut tallies {
                if excluded_by.is_none_or(|excluded_by| excluded_by == *facet) {
                    tally[self.column(*facet).text_of(show)] += 1;
                }
            }
        }
        let facets =
            tallies.into_iter().map(|(facet, tally)| (facet, self.column(facet).counts(&tally)));
        facets.collect()
    }
}

impl FacetColumn {
    fn text_of(&self, show: usize) -> usize {
        self.shows[show] as usize
    }

    /// For each text, whether the filter matches it.
    fn matching(&self, filter: &FacetFilter) -> Vec<bool> {
        let FacetFilter::Is(wanted) = filter else {
            return self.values_of_text.iter().map(Vec::is_empty).collect();
        };
        let wanted = fold_case(wanted);
        let mut is_wanted: Vec<_> =
            self.values.iter().map(|value| fold_case(value) == wanted).collect();
        for (value, alias) in &self.aliases {
            is_wanted[*value as usize] |= *alias == wanted;
        }
        let is_wanted = |values: &Vec<u32>| values.iter().any(|value| is_wanted[*value as usize]);
        self.values_of_text.iter().map(is_wanted).collect()
    }

    /// Converts the number of shows with each text to the most frequent values.
    fn counts(&self, tally: &[u64]) -> Vec<FacetCount<String>> {
        let (mut some, mut none) = (vec![0; self.values.len()], 0);
        for (count, values) in tally.iter().zip(&self.values_of_text) {
            if values.is_empty() {
                none += count;
            }
            for value in values {
                some[*value as usize] += count;
            }
        }
        let some = some.iter().zip(&self.values);
        let some = some.map(|(count, value)| FacetCount { value: Some(value), count: *count });
        let none = FacetCount { value: None, count: none };
        let mut counts: Vec<_> =
            some.chain([none]).filter(|FacetCount { count, .. }| *count > 0).collect();
        FacetCount::sort_by_count(&mut counts);
        counts.truncate(Facet::MAX_VALUES);
        let owned = |FacetCount { value, count }: FacetCount<&String>| FacetCount {
            value: value.cloned(),
            count,
        };
        counts.into_iter().map(owned).collect()
    }
}

/// Reads a column, and assigns the index of each text and value.
struct ColumnReader {
    facet: Facet,
    column: FacetColumn,
    texts: HashMap<String, u32>,
    null: Option<u32>,
    values: HashMap<String, u32>,
}

impl ColumnReader {
    fn new(facet: Facet) -> ColumnReader {
        ColumnReader {
            facet,
            column: FacetColumn::default(),
            texts: HashMap::new(),
            null: None,
            values: HashMap::new(),
        }
    }

    /// Adds the text of the next show.
    fn add(&mut self, text: Option<&str>) {
        let known = match text {
            None => self.null,
            Some(text) => self.texts.get(text).copied(),
        };
        let index = known.unwrap_or_else(|| self.add_text(text));
        self.column.shows.push(index);
    }

    fn add_text(&mut self, text: Option<&str>) -> u32 {
        let index = next_index(&self.column.texts);
        match text {
            None => self.null = Some(index),
            Some(text) => _ = self.texts.insert(text.to_owned(), index),
        }
        let values: BTreeSet<u32> = text
            .map(|text| split(self.facet, text))
            .unwrap_or_default()
            .into_iter()
            .map(|value| self.value(value))
            .collect();
        self.column.texts.push(text.map(str::to_owned));
        self.column.values_of_text.push(values.into_iter().collect());
        index
    }

    fn value(&mut self, value: String) -> u32 {
        *self.values.entry(value).or_insert_with_key(|value| {
            self.column.values.push(value.clone());
            next_index(&self.column.values) - 1
        })
    }

    /// Adds another name of the last show's value.
    fn add_alias(&mut self, alias: &str) {
        let text = self.column.shows.last().map(|text| *text as usize);
        let value = text.and_then(|text| self.column.values_of_text[text].first());
        if let Some(value) = value {
            self.column.aliases.insert((*value, fold_case(alias)));
        }
    }

    fn finish(mut self) -> FacetColumn {
        self.column.shows.shrink_to_fit();
        self.column
    }
}

/// There are fewer shows than fit in 32 bits: their ids are 32 bits long.
fn next_index<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
