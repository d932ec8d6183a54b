use super::faithful::faithful;
use super::person::{Character, Person};

faithful! {
    /// A row of `/shows/:id/cast` or `/episodes/:id/guestcast`: a person in a character.
    ///
    /// Rows come in TVmaze's order of importance; a person with two characters is two rows.
    pub struct CastMember {
        /// Who plays.
        "person" => person: Person,
        /// Who is played.
        "character" => character: Character,
        /// Whether the person appears as themselves; absent in old answers.
        "self" => plays_self: Option<bool>,
        /// Whether only the voice is heard; absent in old answers.
        "voice" => voice: Option<bool>,
    }
}

faithful! {
    /// A row of `/shows/:id/crew` or `/episodes/:id/guestcrew`: a person in a role behind the camera.
    pub struct CrewMember {
        /// `Creator`, `Executive Producer`, …
        "type" => kind: Option<String>,
        /// Who works.
        "person" => person: Person,
    }
}
