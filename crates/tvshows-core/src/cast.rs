use crate::ShowId;

/// One row of a show's cast: a person in a character.
///
/// A person with two characters in a show is two rows. The order of rows is TVmaze's order of
/// importance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are TVmaze's, with TVmaze's meaning")]
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
