#![doc = include_str!("../README.md")]

mod cast;
#[cfg(feature = "conformance")]
pub mod conformance;
mod criteria;
mod json;
mod run;
mod show;
mod status;
mod store;
mod tracker;

pub use cast::CastMember;
pub use criteria::{OutOfRange, TopLimit, TopShowsCriteria, Years};
pub use json::Json;
pub use run::{Mode, RunId, RunParameters, RunState, Step, UnknownWord};
pub use show::{Show, ShowId};
pub use status::{Event, RunStatus, Traffic};
pub use store::{
    Changes, Enqueued, Finish, MultiCharacterActor, Published, ShowStore, Staged, StoreError,
    TopShow, Version,
};
pub use tracker::{LEASE, ProgressTracker, TrackerError};
