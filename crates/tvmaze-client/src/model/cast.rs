use super::lossless::lossless;
use super::person::{Character, Person};

lossless! {
    /// An entry of `/shows/:id/cast` or `/episodes/:id/guestcast`: a person and their character.
    ///
    /// TVmaze orders entries by importance. A person with two characters has two entries.
    pub struct CastMember {
        /// The actor.
        "person" => person: Person,
        /// The character.
        "character" => character: Character,
        /// Whether the person appears as themselves; absent in old responses.
        "self" => plays_self: Option<bool>,
        /// Whether it is a voice role; absent in old responses.
        "voice" => voice: Option<bool>,
    }
}

lossless! {
    /// An entry of `/shows/:id/crew` or `/episodes/:id/guestcrew`: a person and their job.
    pub struct CrewMember {
        /// `Creator`, `Executive Producer`, …
        "type" => kind: Option<String>,
        /// The person.
        "person" => person: Person,
    }
}
