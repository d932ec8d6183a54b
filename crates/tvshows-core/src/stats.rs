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
    pub tables: RowCounts,
    /// By the year of the premiere, in order; shows without one last, as null.
    pub premiere_years: Vec<NumberCount>,
    /// By the whole number below the rating (8 counts 8.0 to 8.9), in order; unrated shows last, as null.
    pub ratings: Vec<NumberCount>,
    /// By genre, most shows first; shows without any are counted as null.
    pub genres: Vec<TextCount>,
    /// By language, most shows first.
    pub languages: Vec<TextCount>,
    /// By network, or web channel where there is no network, most shows first: the first 50.
    pub networks: Vec<TextCount>,
    /// By status, most shows first.
    pub statuses: Vec<TextCount>,
    /// By type, most shows first.
    pub types: Vec<TextCount>,
}

/// How many rows each table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the names are the tables'")]
pub struct RowCounts {
    #[schema(example = 84670)]
    pub all_shows: u64,
    #[schema(example = 10)]
    pub top_shows: u64,
    #[schema(example = 143)]
    pub top_shows_cast: u64,
}

/// How many shows have a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"value": "Drama", "count": 24861}))]
pub struct TextCount {
    /// The text; null for shows without one.
    pub value: Option<String>,
    /// How many shows.
    pub count: u64,
}

/// How many shows have a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"value": 2011, "count": 2310}))]
pub struct NumberCount {
    /// The number; null for shows without one.
    pub value: Option<i64>,
    /// How many shows.
    pub count: u64,
}
