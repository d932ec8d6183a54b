//! Filtering, searching and sorting shows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::matching::{Search, facet_values, has, matches_except};
use crate::{
    Facet, FacetCount, FacetFilter, KeysetCursor, SearchText, Show, ShowFilter, ShowPage,
    ShowQuery, Sort, SortBy, SortValue, UnmatchedFilter,
};

pub(super) fn page<'a>(shows: impl Iterator<Item = &'a Show>, query: &ShowQuery) -> ShowPage {
    let text = query.filter.text.as_ref().map(SearchText::as_str);
    let search = text.map(|text| (text.trim(), Search::parse(text)));
    let shows: Vec<&Show> = shows.collect();
    let matches = |show: &Show, except: Option<Facet>| {
        matches_except(&query.filter, except, show)
            && search.as_ref().is_none_or(|(_, search)| search.finds(show))
    };
    let matching = shows.iter().filter(|show| matches(show, None));
    let mut listed: Vec<(SortValue, &Show)> =
        matching.map(|show| (sort_value(query.sort, show, search.as_ref()), *show)).collect();
    let total = listed.len() as u64;
    let compare = |a: (&SortValue, u32), b: (&SortValue, u32)| {
        compare_values(query.sort, a.0, b.0).then(a.1.cmp(&b.1))
    };
    listed.sort_by(|a, b| compare((&a.0, a.1.id.0), (&b.0, b.1.id.0)));
    if let Some(after) = &query.after {
        let after = (&after.value, after.id.0);
        listed.retain(|(value, show)| compare((value, show.id.0), after).is_gt());
    }
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more);
    let count = |facet: Facet| {
        let counted = shows.iter().filter(|show| matches(show, Some(facet)));
        (facet, facet_counts(counted.map(|show| facet_values(show, facet))))
    };
    ShowPage {
        next: last.map(|(value, show)| KeysetCursor { value: value.clone(), id: show.id }),
        shows: listed.into_iter().map(|(_, show)| show.clone()).collect(),
        total,
        facets: query.facets.iter().copied().map(count).collect(),
        unmatched: unmatched(&shows, &query.filter),
    }
}

fn facet_counts(values: impl Iterator<Item = BTreeSet<String>>) -> Vec<FacetCount<String>> {
    let mut counts = BTreeMap::<Option<String>, u64>::new();
    for values in values {
        if values.is_empty() {
            *counts.entry(None).or_default() += 1;
        }
        for value in values {
            *counts.entry(Some(value)).or_default() += 1;
        }
    }
    let counts = counts.into_iter().map(|(value, count)| FacetCount { value, count });
    let mut counts: Vec<_> = counts.collect();
    FacetCount::sort_by_count(&mut counts);
    counts.truncate(Facet::MAX_VALUES);
    counts
}

fn unmatched(shows: &[&Show], filter: &ShowFilter) -> Vec<UnmatchedFilter> {
    let unmatched = filter.facets.iter().filter_map(|(facet, condition)| match condition {
        FacetFilter::Is(value) if !shows.iter().any(|show| has(show, *facet, condition)) => {
            let known: BTreeSet<_> =
                shows.iter().flat_map(|show| facet_values(show, *facet)).collect();
            Some(UnmatchedFilter::new(*facet, value, known.iter().map(String::as_str)))
        }
        _ => None,
    });
    unmatched.collect()
}

fn sort_value(sort: Sort, show: &Show, search: Option<&(&str, Search)>) -> SortValue {
    let integer = |number: Option<i64>| number.map_or(SortValue::None, SortValue::Integer);
    match sort.by {
        SortBy::Id => SortValue::Integer(i64::from(show.id.0)),
        SortBy::Name => SortValue::Text(show.name.to_ascii_lowercase()),
        SortBy::Rating => show.rating_average.map_or(SortValue::None, SortValue::Real),
        SortBy::Premiered => show.premiered.clone().map_or(SortValue::None, SortValue::Text),
        SortBy::Updated => integer(show.updated),
        SortBy::Weight => integer(show.weight),
        SortBy::Relevance => {
            let class = match search {
                Some((text, _)) if text.eq_ignore_ascii_case(&show.name) => 0,
                Some((_, search)) if search.is_in(&show.name, &[]) => 1000,
                _ => 2000,
            };
            SortValue::Integer(class - show.weight.unwrap_or_default().clamp(0, 999))
        }
    }
}

/// Missing values come last in either direction.
fn compare_values(sort: Sort, a: &SortValue, b: &SortValue) -> Ordering {
    let order = match (a, b) {
        (SortValue::None, SortValue::None) => return Ordering::Equal,
        (SortValue::None, _) => return Ordering::Greater,
        (_, SortValue::None) => return Ordering::Less,
        (SortValue::Integer(a), SortValue::Integer(b)) => a.cmp(b),
        (SortValue::Real(a), SortValue::Real(b)) => a.total_cmp(b),
        (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    if sort.descending { order.reverse() } else { order }
}
