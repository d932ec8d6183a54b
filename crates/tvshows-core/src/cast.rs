use jiff::Timestamp;
use serde::Serialize;

use crate::ShowId;

/// A person in a role of a show, as received.
///
/// A person who plays two characters is two members. The order is TVmaze's, by importance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastMember {
    pub show_id: ShowId,
    pub show_name: String,
    pub person_id: u32,
    pub person_name: String,
    pub person_birthday: Option<String>,
    pub person_deathday: Option<String>,
    pub person_gender: Option<String>,
    pub person_country_name: Option<String>,
    pub character_id: u32,
    pub character_name: String,
    /// The URL of the character's original image.
    pub image: Option<String>,
    /// Whether the person appears as themselves; `None` if TVmaze did not say.
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; `None` if TVmaze did not say.
    pub voice: Option<bool>,
}

/// A published row of `Top_Shows_Cast`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CastRow {
    pub show_id: ShowId,
    pub show_name: String,
    pub person_id: u32,
    pub person_name: String,
    pub person_birthday: Option<String>,
    pub person_deathday: Option<String>,
    pub person_gender: Option<String>,
    pub person_country_name: Option<String>,
    pub character_id: u32,
    pub character_name: String,
    /// The URL of the character's original image.
    pub image: Option<String>,
    /// When the cast was fetched.
    pub processed_at: Timestamp,
    /// Whether the person appears as themselves; null if TVmaze did not say.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; null if TVmaze did not say.
    pub voice: Option<bool>,
    /// The position in TVmaze's order, from 0.
    pub position: u32,
}
