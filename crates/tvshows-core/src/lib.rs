#![doc = include_str!("../README.md")]

mod cast;
#[cfg(feature = "conformance")]
pub mod conformance;
mod criteria;
mod export;
mod json;
mod query;
mod run;
mod show;
mod stats;
mod status;
mod store;
mod tracker;

pub use cast::{CastMember, CastRow};
pub use criteria::{OutOfRange, TopLimit, TopShowsCriteria, Years};
pub use export::{CellValue, Column, ColumnType, MakeRowWriter, ParseTableError, RowWriter, Table};
pub use json::RawJson;
pub use query::{
    DateBound, KeysetCursor, MinRating, ParseDateBoundError, ParseRatingError, ParseSortError,
    SearchText, SearchTextTooLong, ShowFilter, ShowPage, ShowQuery, SnapshotVersion, Sort, SortBy,
    SortValue,
};
pub use run::{FetchMode, ParseEnumError, RunId, RunParameters, RunState, Step};
pub use show::{Show, ShowId, SparseShow};
pub use stats::{NumberCount, RowCounts, ShowStats, TextCount};
pub use status::{RequestCounts, RunEvent, RunStatus};
pub use store::{
    ChangeCounts, Enqueued, FinalStatus, MultiCharacterActor, Ownership, PublishedManifest,
    ShowStore, ShowVersion, StagingState, StoreError, StoreHealth, TopShow,
};
pub use tracker::{LEASE_TTL, ProgressTracker, TrackerError};
