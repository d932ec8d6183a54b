use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::person::Person;
use super::show::{Show, whole_as_integer};

/// A search result: a show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScoredShow {
    /// The relevance; comparable only within one response.
    #[serde(serialize_with = "whole_as_integer")]
    pub score: f64,
    /// The show.
    pub show: Show,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A search result: a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScoredPerson {
    /// The relevance; comparable only within one response.
    #[serde(serialize_with = "whole_as_integer")]
    pub score: f64,
    /// The person.
    pub person: Person,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
