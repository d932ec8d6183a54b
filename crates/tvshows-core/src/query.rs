use crate::{Show, ShowFilter, ShowId, Sort};

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
#[derive(Debug, Clone, PartialEq)]
pub struct ShowQuery {
    pub filter: ShowFilter,
    pub sort: Sort,
    /// The last show of the previous page; `None` for the first page.
    pub after: Option<KeysetCursor>,
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowPage {
    pub shows: Vec<Show>,
    /// The position of the last show, if there are more.
    pub next: Option<KeysetCursor>,
}
