#![doc = include_str!("../README.md")]

mod changes;
mod convert;
mod error;
mod index;
mod mirror;
mod monitor;
mod pipeline;
mod queue;
mod refresh;
mod runner;
mod singles;

pub use error::RunError;
pub use pipeline::{DEFAULT_MAX_AGE, Pipeline};
pub use queue::{QUEUE_LENGTH, Submission, SubmissionKind, SubmitError};
pub use runner::{CancelError, Runner};
