use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::person::{Character, Person};

/// An entry of `/shows/:id/cast` or `/episodes/:id/guestcast`: a person and their character.
///
/// TVmaze orders entries by importance. A person with two characters has two entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CastMember {
    /// The actor.
    pub person: Person,
    /// The character.
    pub character: Character,
    /// Whether the person appears as themselves; absent in old responses.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether it is a voice role; absent in old responses.
    pub voice: Option<bool>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An entry of `/shows/:id/crew` or `/episodes/:id/guestcrew`: a person and their job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrewMember {
    /// `Creator`, `Executive Producer`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The person.
    pub person: Person,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
