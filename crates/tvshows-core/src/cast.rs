use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::ShowId;

/// A person in a role of a show.
///
/// A person who plays two characters is two members. The order is TVmaze's, by importance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CastMember {
    /// The show's id at TVmaze.
    pub show_id: ShowId,
    /// The show's name.
    pub show_name: String,
    /// The person's id at TVmaze.
    pub person_id: u32,
    /// The person's name.
    pub person_name: String,
    /// The person's date of birth, `YYYY-MM-DD`.
    pub person_birthday: Option<String>,
    /// The person's date of death, `YYYY-MM-DD`.
    pub person_deathday: Option<String>,
    /// The person's gender.
    pub person_gender: Option<String>,
    /// The person's country.
    pub person_country_name: Option<String>,
    /// The character's id at TVmaze.
    pub character_id: u32,
    /// The character's name.
    pub character_name: String,
    /// The URL of the character's original image.
    pub image: Option<String>,
    /// Whether the person appears as themselves; `null` if unknown.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; `null` if unknown.
    pub voice: Option<bool>,
    /// What no other field can hold of the object that TVmaze sent.
    #[serde(skip)]
    pub extra: Map<String, Value>,
}

/// A row of `Show_Cast`: a person in a character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(example = json!({
    "show_id": 82, "show_name": "Game of Thrones", "person_id": 14072, "person_name": "Peter Dinklage",
    "person_birthday": "1969-06-11", "person_deathday": null, "person_gender": "Male",
    "person_country_name": "United States", "character_id": 24551, "character_name": "Tyrion Lannister",
    "image": null, "self": false, "voice": false, "processed_at": "2026-11-22T20:00:15Z", "position": 0,
}))]
pub struct CastRow {
    #[serde(flatten)]
    pub member: CastMember,
    /// When the cast was fetched.
    pub processed_at: Timestamp,
    /// The row's place in TVmaze's order, from 0.
    pub position: u32,
}
