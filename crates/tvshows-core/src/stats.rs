use jiff::Timestamp;
use serde::Serialize;

/// Counts over the published shows.
///
/// The counts of one list add up to the number of shows, except for `genres` (a show has several) and
/// `networks` (only the most frequent ones).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShowStats {
    /// The number of the published snapshot; 0 before the first.
    pub snapshot: u64,
    pub published_at: Option<Timestamp>,
    pub tables: RowCounts,
    /// By premiere year, ascending; shows without a premiere last.
    pub premiere_years: Vec<FacetCount<i64>>,
    /// By rating rounded down to a whole number, ascending; unrated shows last.
    pub ratings: Vec<FacetCount<i64>>,
    /// By genre, most shows first.
    pub genres: Vec<FacetCount<String>>,
    /// By language, most shows first.
    pub languages: Vec<FacetCount<String>>,
    /// By network, or web channel if there is no network: the first 50, most shows first.
    pub networks: Vec<FacetCount<String>>,
    /// By status, most shows first.
    pub statuses: Vec<FacetCount<String>>,
    /// By type, most shows first.
    pub types: Vec<FacetCount<String>>,
}

/// The number of rows of each published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RowCounts {
    pub all_shows: u64,
    pub top_shows: u64,
    pub top_shows_cast: u64,
}

/// How many shows have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount<T> {
    /// The value; null for shows without one.
    pub value: Option<T>,
    pub count: u64,
}
