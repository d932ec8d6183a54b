use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use uuid::Uuid;

use crate::{TopLimit, Years};

/// A run's name, the `request_id` of the HTTP answers.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// An id that nobody has used.
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

/// What somebody asked a run to do. Two requests with equal parameters share a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each type says what it is")]
pub struct RunParameters {
    pub years: Years,
    pub top: TopLimit,
    pub mode: FetchMode,
}

/// A word that is none of those expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {}", words.join(", "))]
pub struct ParseEnumError {
    words: &'static [&'static str],
}

/// Writes an enum of plain words: their text, the way back, and serde through both.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word for it in answers, tables and logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        // The derive does not see through the macro what serde calls a value.
        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$($word),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseEnumError;

            fn from_str(text: &str) -> Result<$name, ParseEnumError> {
                let words = &[$($word),+];
                $name::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(ParseEnumError { words })
            }
        }
    };
}

words! {
    /// How much a run fetches.
    #[derive(Default)]
    FetchMode {
        /// What is due: new, changed and aged shows. Fetches everything where nothing is stored yet.
        #[default]
        Auto = "auto",
        /// The whole index.
        Full = "full",
    }
}

words! {
    /// Where a run is in its life.
    RunState {
        /// Waits for the runs before it.
        Queued = "queued",
        /// Is being worked on.
        Running = "running",
        /// Published a complete snapshot.
        Succeeded = "succeeded",
        /// Ended without changing a table; the error says why.
        Failed = "failed",
        /// Was told to stop, and stopped without changing a table.
        Cancelled = "cancelled",
        /// Its process ended first. Nobody works on it until a service goes on with it.
        Interrupted = "interrupted",
    }
}

impl RunState {
    /// Whether the run is over for good.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, RunState::Succeeded | RunState::Failed | RunState::Cancelled)
    }

    /// Whether somebody has the run in hand, so that its status may still change by itself.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, RunState::Queued | RunState::Running)
    }
}

words! {
    /// What a run is doing. A run that fails keeps the step that it reached.
    Step {
        /// Waits for its turn.
        Queued = "Queued",
        /// Asks TVmaze what there is.
        Planning = "Planning",
        /// Fetches and stages the index.
        FetchingShows = "Fetching all shows",
        /// Ranks what was staged.
        ComputingTop = "Computing top shows",
        /// Fetches and stages the casts of the top shows.
        FetchingCast = "Fetching cast",
        /// Replaces the three tables in one transaction.
        Publishing = "Publishing",
        /// Published.
        Completed = "Completed",
    }
}
