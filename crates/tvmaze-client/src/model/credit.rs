use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::link::Links;

/// An entry of `/people/:id/castcredits`: a character that the person plays in a show.
///
/// The show and the character are linked or, on request, embedded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CastCredit {
    /// Whether the person appears as themselves.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether it is a voice role.
    pub voice: Option<bool>,
    /// HAL links to `show` and `character`.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An entry of `/people/:id/guestcastcredits`: a character that the person plays in an episode.
///
/// The episode and the character are linked or, on request, embedded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuestCastCredit {
    /// Whether the person appears as themselves.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether it is a voice role.
    pub voice: Option<bool>,
    /// HAL links to `episode` and `character`.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An entry of `/people/:id/crewcredits`: a job of the person in the crew of a show.
///
/// The show is linked or, on request, embedded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrewCredit {
    /// `Creator`, `Executive Producer`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// HAL link to `show`.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
