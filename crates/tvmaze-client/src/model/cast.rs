use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{CharacterId, PersonId};
use super::show::{Country, Image, Links};

/// A row of `/shows/:id/cast`: a person in a character.
///
/// Rows come in TVmaze's order of importance; a person with two characters is two rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CastMember {
    /// Who plays.
    pub person: Person,
    /// Who is played.
    pub character: Character,
    /// Whether the person appears as themselves; absent in old answers.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; absent in old answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<bool>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// TVmaze's number.
    pub id: PersonId,
    /// The page about the person on tvmaze.com.
    pub url: Option<String>,
    /// The name.
    pub name: String,
    /// Where the person is from.
    pub country: Option<Country>,
    /// `YYYY-MM-DD`.
    pub birthday: Option<String>,
    /// `YYYY-MM-DD`.
    pub deathday: Option<String>,
    /// `Male`, `Female`, …
    pub gender: Option<String>,
    /// The portrait.
    pub image: Option<Image>,
    /// Unix time of the last change.
    pub updated: Option<i64>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Links>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A character.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Character {
    /// TVmaze's number.
    pub id: CharacterId,
    /// The page about the character on tvmaze.com.
    pub url: Option<String>,
    /// The name.
    pub name: String,
    /// The character's picture.
    pub image: Option<Image>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Links>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
