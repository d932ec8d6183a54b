use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::date_time::{parse_or_none, unix_seconds};
use super::id::{CharacterId, PersonId};
use super::image::Image;
use super::link::Links;
use super::network::Country;

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Person {
    /// TVmaze's id.
    pub id: PersonId,
    /// The page about the person on tvmaze.com.
    pub url: Option<String>,
    /// The name.
    pub name: String,
    /// The country of origin.
    pub country: Option<Country>,
    /// The date of birth.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub birthday: Option<Date>,
    /// The date of death.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub deathday: Option<Date>,
    /// `Male`, `Female`, …
    pub gender: Option<String>,
    /// The portrait.
    pub image: Option<Image>,
    /// The time of the last update.
    #[serde(default, with = "unix_seconds")]
    pub updated: Option<Timestamp>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A character.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Character {
    /// TVmaze's id.
    pub id: CharacterId,
    /// The page about the character on tvmaze.com.
    pub url: Option<String>,
    /// The name.
    pub name: String,
    /// An image of the character.
    pub image: Option<Image>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
