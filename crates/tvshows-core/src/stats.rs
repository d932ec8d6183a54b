use jiff::Timestamp;
use serde::Serialize;

/// What the published shows are like, counted for charts.
///
/// The counts of one list add up to the number of shows, except for `genres` (a show has several) and
/// `networks` (the most frequent ones).
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ShowStats {
    /// The number of the published snapshot; 0 before the first.
    #[schema(example = 12)]
    pub snapshot: u64,
    /// When it was published.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-22T20:00:15Z")]
    pub published_at: Option<Timestamp>,
    /// How many rows the tables have.
    pub tables: TableRows,
    /// By the year of the premiere, in order; shows without one last, as null.
    pub premiere_years: Vec<Count<i64>>,
    /// By the whole number below the rating (8 counts 8.0 to 8.9), in order; unrated shows last, as null.
    pub ratings: Vec<Count<i64>>,
    /// By genre, most shows first; shows without any are counted as null.
    pub genres: Vec<Count<String>>,
    /// By language, most shows first.
    pub languages: Vec<Count<String>>,
    /// By network, or web channel where there is no network, most shows first: the first 50.
    pub networks: Vec<Count<String>>,
    /// By status, most shows first.
    pub statuses: Vec<Count<String>>,
    /// By type, most shows first.
    pub types: Vec<Count<String>>,
}

/// How many rows each table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the names are the tables'")]
pub struct TableRows {
    #[schema(example = 84670)]
    pub all_shows: u64,
    #[schema(example = 10)]
    pub top_shows: u64,
    #[schema(example = 143)]
    pub top_shows_cast: u64,
}

/// How many shows have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Count<T> {
    /// The value; null for shows without one.
    pub value: Option<T>,
    /// How many shows.
    pub count: u64,
}
