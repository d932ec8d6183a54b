#![doc = include_str!("../README.md")]

mod cast;
#[cfg(feature = "conformance")]
pub mod conformance;
mod criteria;
mod export;
mod json;
mod ports;
mod query;
mod run;
mod show;
mod stats;
mod status;

pub use cast::{CastMember, CastRow};
pub use criteria::{OutOfRangeError, TopLimit, TopShowsCriteria, Years};
pub use export::{CellValue, Column, ColumnType, MakeRowWriter, ParseTableError, RowWriter, Table};
pub use json::RawJson;
pub use ports::{
    Catalog, ChangeCounts, Enqueued, FinalStatus, LOCK_TTL, LockError, LockExpiry,
    MultiCharacterActor, NextRun, Ownership, ProgressTracker, PublishedManifest, RunLock, RunQueue,
    RunSession, ShowVersion, StagedBatch, StagingState, StoreError, StoreHealth, TopShow,
    TrackerError,
};
pub use query::{
    DateBound, KeysetCursor, MinRating, ParseDateBoundError, ParseRatingError, ParseSortError,
    SearchText, SearchTextTooLong, ShowFilter, ShowPage, ShowQuery, SnapshotVersion, Sort, SortBy,
    SortValue,
};
pub use run::{FetchMode, ParseEnumError, RunId, RunParameters, RunState, Step};
pub use show::{Show, ShowId, SparseShow};
pub use stats::{FacetCount, RowCounts, ShowStats};
pub use status::{RequestCounts, RunEvent, RunStatus};
