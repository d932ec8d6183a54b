#![doc = include_str!("../README.md")]

mod cast;
mod catalogue;
#[cfg(feature = "conformance")]
pub mod conformance;
mod criteria;
mod export;
mod json;
mod run;
mod show;
mod stats;
mod status;
mod store;
mod tracker;

pub use cast::{CastMember, CastRow};
pub use catalogue::{
    Position, PremiereBound, RatingBound, SearchText, ShowFilter, ShowPage, ShowQuery, Snapshot,
    Sort, SortBy, SortValue, TooLong, WrongDate, WrongRating, WrongSort,
};
pub use criteria::{OutOfRange, TopLimit, TopShowsCriteria, Years};
pub use export::{Cell, Column, ColumnKind, OpenRows, RowSink, Table, UnknownTable};
pub use json::Json;
pub use run::{Mode, RunId, RunParameters, RunState, Step, UnknownWord};
pub use show::{Selection, Show, ShowId};
pub use stats::{NumberCount, ShowStats, TableRows, TextCount};
pub use status::{Event, RunStatus, Traffic};
pub use store::{
    Changes, Enqueued, Finish, MultiCharacterActor, Published, Rights, ShowStore, Staged,
    StoreError, StoreHealth, TopShow, Version,
};
pub use tracker::{LEASE, ProgressTracker, TrackerError};
