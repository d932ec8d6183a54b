//! The facets and the orders of the published shows, in memory: 84 bytes per show.
//!
//! It is read from `_Show_Facets` once per snapshot. Totals, facet counts, and lists need no other data, except for the
//! rows of a page.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tvshows_core::{Facet, FacetCount, FacetFilter, SnapshotVersion, UnmatchedFilter, fold_case};

use crate::error::SqlResult;
use crate::orders::Orders;
use crate::snapshot;
use crate::stats::Histograms;
use crate::text_index::TextIndex;

/// Caches the index of the last snapshot that was read.
#[derive(Default)]
pub(crate) struct FacetIndexCache(Mutex<Option<Arc<FacetIndex>>>);

impl FacetIndexCache {
    /// Returns the index of the snapshot that the transaction reads.
    pub(crate) fn get(&self, transaction: &Connection) -> SqlResult<Arc<FacetIndex>> {
        let snapshot = snapshot::current(transaction)?;
        // While one thread reads the index, others that need it wait.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = cached.as_ref().filter(|index| index.snapshot == snapshot) {
            return Ok(Arc::clone(index));
        }
        *cached = None;
        let index = Arc::new(FacetIndex::read(transaction, snapshot)?);
        Ok(Arc::clone(cached.insert(index)))
    }
}

pub(crate) struct FacetIndex {
    pub(crate) snapshot: SnapshotVersion,
    /// In ascending order.
    pub(crate) ids: Vec<i64>,
    pub(crate) orders: Orders,
    texts: Mutex<Option<Arc<TextIndex>>>,
    pub(crate) histograms: Histograms,
    /// In the order of [`Facet::ALL`].
    columns: Vec<FacetColumn>,
}

/// A column of `_Show_Facets`.
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

/// The column of a facet in `_Show_Facets`.
pub(crate) fn column_name(facet: Facet) -> &'static str {
    match facet {
        Facet::Genre => "genres",
        Facet::Language => "language",
        Facet::Status => "status",
        Facet::Type => "type",
        Facet::Network => "network",
        Facet::Country => "country",
        Facet::Day => "days",
    }
}

pub(crate) fn split(facet: Facet, text: &str) -> Vec<String> {
    match facet {
        Facet::Genre => {
            text.split(',').filter(|genre| !genre.is_empty()).map(str::to_owned).collect()
        }
        Facet::Day => {
            let days: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
            days.iter().filter_map(|day| day.as_str().map(str::to_owned)).collect()
        }
        _ => vec![text.to_owned()],
    }
}

impl FacetIndex {
    fn read(connection: &Connection, snapshot: SnapshotVersion) -> SqlResult<FacetIndex> {
        let (mut ids, mut histograms) = (Vec::new(), Histograms::default());
        let mut columns = Facet::ALL.map(ColumnReader::new);
        let names = Facet::ALL.map(column_name).join(", ");
        let sql = format!(
            "SELECT id, {names}, country_code, premiered, rating_average FROM _Show_Facets ORDER BY id"
        );
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
            for (index, column) in (1..).zip(&mut columns) {
                column.add(row.get_ref(index)?.as_str_or_null()?);
            }
            if let Some(code) = row.get_ref(1 + columns.len())?.as_str_or_null()? {
                columns[Facet::Country as usize].add_alias(code);
            }
            histograms.add(row.get_ref(2 + columns.len())?, row.get_ref(3 + columns.len())?);
        }
        ids.shrink_to_fit();
        let columns = columns.map(ColumnReader::finish).into();
        let orders = Orders::read(connection, &ids)?;
        let texts = Mutex::default();
        Ok(FacetIndex { snapshot, ids, orders, texts, histograms, columns })
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
