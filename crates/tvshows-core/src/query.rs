use std::collections::{BTreeMap, BTreeSet};

use crate::{Facet, FacetCount, Show, ShowFilter, ShowId, Sort, UnmatchedFilter};

/// The position of a show in a sorted list, for keyset pagination.
///
/// A list can be continued after any change of the data: a show that did not change is listed exactly
/// once.
#[derive(Debug, Clone, PartialEq)]
pub struct KeysetCursor {
    pub value: SortValue,
    pub id: ShowId,
}

/// The value a show is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue {
    None,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// A request for one page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowQuery {
    pub filter: ShowFilter,
    pub sort: Sort,
    /// The last show of the previous page; `None` for the first page.
    pub after: Option<KeysetCursor>,
    pub limit: u32,
    /// The facets to count.
    pub facets: BTreeSet<Facet>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowPage {
    pub shows: Vec<Show>,
    /// The position of the last show, if there are more.
    pub next: Option<KeysetCursor>,
    /// The number of shows in the whole list.
    pub total: u64,
    /// For each requested facet, how many shows have each value if all filters but the facet's own apply. The
    /// most frequent [`Facet::MAX_VALUES`], in the order of [`FacetCount::sort_by_count`].
    pub facets: BTreeMap<Facet, Vec<FacetCount<String>>>,
    /// The filters that exclude every show, whatever the others are.
    pub unmatched: Vec<UnmatchedFilter>,
}
