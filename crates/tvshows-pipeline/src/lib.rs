#![doc = include_str!("../README.md")]

mod changes;
mod convert;
mod elsewhere;
mod error;
mod in_hand;
mod index;
mod interrupted;
mod metrics;
mod mirror;
mod monitor;
mod pipeline;
mod refresh;
mod runner;
mod schedule;
mod singles;
mod submission;
mod verify;
mod worker;

pub use error::{RunError, sentence};
pub use interrupted::{give_up_interrupted, mark_interrupted};
pub use pipeline::{DEFAULT_MAX_AGE, Pipeline};
pub use runner::{CancelError, Runner};
pub use schedule::{Schedule, ScheduleError};
pub use submission::{QUEUE_LENGTH, Submission, SubmissionKind, SubmitError};
pub use verify::{Difference, verify};
