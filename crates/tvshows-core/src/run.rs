use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};
use uuid::Uuid;

use crate::{TopLimit, Years};

/// The id of a run, called `request_id` in HTTP responses, tables and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct RunId(Uuid);

impl RunId {
    /// Creates a new random id.
    #[must_use]
    pub fn random() -> RunId {
        RunId(Uuid::new_v4())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<RunId, uuid::Error> {
        text.parse().map(RunId)
    }
}

/// The parameters of a run. Two requests with equal parameters share a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunParameters {
    pub years: Years,
    pub top: TopLimit,
    pub mode: FetchMode,
}

/// How much a run fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[derive(Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[strum(parse_err_ty = ParseEnumError, parse_err_fn = ParseEnumError::new::<FetchMode>)]
pub enum FetchMode {
    /// New, changed and expired shows. Everything if nothing is stored yet.
    #[default]
    Auto,
    /// The whole index.
    Full,
}

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A request to `POST /pipeline/update`.
    Http,
    /// The schedule of a service.
    Schedule,
    /// `tvshows update`.
    CommandLine,
    /// `tvshows serve --update`.
    Startup,
}

/// When a run worked on a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepTiming {
    /// The step.
    pub step: Step,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `null` if it is in progress.
    pub finished_at: Option<Timestamp>,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[derive(Display, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum RunState {
    /// Waits for the runs before it.
    Queued,
    /// A process works on it.
    Running,
    /// Published a complete snapshot.
    Succeeded,
    /// Ended without changing a table; the error says why.
    Failed,
    /// Stopped on request, without changing a table.
    Cancelled,
    /// Its process ended. It resumes when a service starts.
    Interrupted,
}

impl RunState {
    /// Whether the run has ended for good.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, RunState::Succeeded | RunState::Failed | RunState::Cancelled)
    }

    /// Whether the status may still change without a new process taking over the run.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, RunState::Queued | RunState::Running)
    }
}

/// What a run is doing. A run that fails keeps the last step it reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[derive(Display, IntoStaticStr)]
#[strum(const_into_str)]
pub enum Step {
    /// Waits for the runs before it.
    Queued,
    /// Determines what to fetch.
    Planning,
    /// Fetches and stages shows, and the episodes and the casts of chosen ones.
    #[serde(rename = "Fetching all shows")]
    #[strum(serialize = "Fetching all shows")]
    FetchingShows,
    /// Ranks the staged shows.
    #[serde(rename = "Computing top shows")]
    #[strum(serialize = "Computing top shows")]
    ComputingTop,
    /// Fetches and stages the casts of the top shows.
    #[serde(rename = "Fetching cast")]
    #[strum(serialize = "Fetching cast")]
    FetchingCast,
    /// Publishes the snapshot in one transaction.
    Publishing,
    /// The snapshot is published.
    Completed,
}

/// A text that is not one of the expected words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", words.join(", "))]
pub struct ParseEnumError {
    words: &'static [&'static str],
}

impl ParseEnumError {
    /// The error for a text that is not one of the words of `T`.
    #[must_use]
    pub fn new<T: VariantNames>(_: &str) -> ParseEnumError {
        ParseEnumError { words: T::VARIANTS }
    }
}
