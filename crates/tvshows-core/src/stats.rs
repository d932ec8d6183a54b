use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Counts of the published shows.
///
/// The counts of a list add up to the number of shows, except for `genres` (a show can have several) and
/// `networks` (only the most frequent). Shows without a value are counted as `null`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ShowStats {
    /// The version of the published snapshot; 0 before the first.
    pub snapshot: u64,
    /// When the snapshot was published.
    pub published_at: Option<Timestamp>,
    /// The number of rows of each table.
    pub tables: RowCounts,
    /// By premiere year, in ascending order, `null` last.
    pub premiere_years: Vec<FacetCount<i64>>,
    /// By rating, rounded down, in ascending order, `null` last.
    pub ratings: Vec<FacetCount<i64>>,
    /// By genre, most shows first.
    pub genres: Vec<FacetCount<String>>,
    /// By language, most shows first.
    pub languages: Vec<FacetCount<String>>,
    /// By network or else web channel, most shows first; at most 50.
    pub networks: Vec<FacetCount<String>>,
    /// By status, most shows first.
    pub statuses: Vec<FacetCount<String>>,
    /// By type, most shows first.
    pub types: Vec<FacetCount<String>>,
}

/// The number of rows of each published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct RowCounts {
    #[schemars(example = 84_670)]
    pub all_shows: u64,
    #[schemars(example = 10)]
    pub top_shows: u64,
    #[schemars(example = 143)]
    pub top_shows_cast: u64,
    /// 0 unless the details of shows are fetched.
    #[schemars(example = 0)]
    pub episodes: u64,
    #[schemars(example = 143)]
    pub show_cast: u64,
}

/// The number of shows with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FacetCount_{T}")]
pub struct FacetCount<T> {
    /// The value; `null` for shows without one.
    pub value: Option<T>,
    pub count: u64,
}
