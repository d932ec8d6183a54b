use jiff::Timestamp;
use serde::Serialize;

use crate::ShowId;

/// One row of a show's cast: a person in a character.
///
/// A person with two characters in a show is two rows. The order of rows is TVmaze's order of
/// importance.
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
    /// The address of the character's original image.
    pub image: Option<String>,
    /// Whether the person appears as themselves; `None` when the answer did not say.
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; `None` when the answer did not say.
    pub voice: Option<bool>,
}

/// A published row of a show's cast: the columns of `Top_Shows_Cast`.
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
    /// The address of the character's original image.
    pub image: Option<String>,
    /// When the cast was fetched.
    pub processed_at: Timestamp,
    /// Whether the person appears as themselves; null when the answer did not say.
    #[serde(rename = "self")]
    pub plays_self: Option<bool>,
    /// Whether only the voice is heard; null when the answer did not say.
    pub voice: Option<bool>,
    /// The place in TVmaze's order, from 0.
    pub position: u32,
}
