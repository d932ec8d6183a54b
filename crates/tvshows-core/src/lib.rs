#![doc = include_str!("../README.md")]
#![expect(clippy::missing_errors_doc, reason = "most error types say what can fail")]

mod cast;
#[cfg(feature = "testing")]
pub mod conformance;
mod criteria;
mod details;
mod external_id;
mod facet;
mod filter;
mod json;
mod matching;
#[cfg(feature = "testing")]
pub mod memory;
mod ports;
mod query;
mod run;
mod schedule;
mod search;
mod show;
mod show_map;
mod snapshot;
mod sort;
mod stats;
mod status;
mod table;

pub use cast::{CastMember, CastRow};
pub use criteria::{BoundedInt, OutOfRangeError, TopLimit, TopShowsCriteria, Years};
pub use details::{
    DetailsFilter, DetailsVersion, Episode, EpisodeKey, ParseDetailsFilterError, ShowDetails,
    StoredDetails,
};
pub use external_id::{ExternalDatabase, ExternalId, ParseExternalIdError, ShowKey};
pub use facet::{Facet, FacetFilter, UnmatchedFilter, fold_case};
pub use filter::{
    DateBound, ParseDateBoundError, ParseFilterError, ParseRatingError, ParseShowIdsError,
    RatingBound, SearchText, SearchTextTooLong, ShowFilter, ShowIds,
};
pub use json::{RawJson, TvmazeObject};
pub use ports::{
    Catalog, ChangeCounts, DetailsCatalog, Enqueued, FinalStatus, LOCK_TTL, LockError, LockExpiry,
    MultiCharacterActor, NextRun, Ownership, ProgressTracker, PublishedManifest, ReplicaHealth,
    RunLock, RunQueue, RunRecord, RunSession, ShowVersion, SnapshotChanges, SnapshotCopy,
    SnapshotPosition, SnapshotSource, StagedBatch, StagingState, StoreError, StoreHealth, TopShow,
    TrackerError,
};
pub use query::{KeysetCursor, ShowPage, ShowQuery, SortValue};
pub use run::{
    FetchMode, ParseEnumError, RunId, RunParameters, RunState, Step, StepTiming, Trigger,
};
pub use schedule::{Schedule, ScheduleQuery, ScheduledEpisode};
pub use search::joined_words;
pub use show::{Show, ShowId, SparseShow, StoredShow};
pub use show_map::ShowMap;
pub use snapshot::SnapshotVersion;
pub use sort::{ParseSortError, Sort, SortBy};
pub use stats::{FacetCount, RowCounts, ShowStats};
pub use status::{RequestCounts, RunEvent, RunStatus};
pub use table::{CellValue, Column, ColumnType, DateColumns, MakeRowWriter, RowWriter, Table};
