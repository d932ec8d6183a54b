use super::link::Links;
use super::lossless::lossless;

lossless! {
    /// An entry of `/people/:id/castcredits`: a character that the person plays in a show.
    ///
    /// The show and the character are linked or, on request, embedded.
    pub struct CastCredit {
        /// Whether the person appears as themselves.
        "self" => plays_self: Option<bool>,
        /// Whether it is a voice role.
        "voice" => voice: Option<bool>,
        /// HAL links to `show` and `character`.
        "_links" => links: Option<Box<Links>>,
    }
}

lossless! {
    /// An entry of `/people/:id/guestcastcredits`: a character that the person plays in an episode.
    ///
    /// The episode and the character are linked or, on request, embedded.
    pub struct GuestCastCredit {
        /// Whether the person appears as themselves.
        "self" => plays_self: Option<bool>,
        /// Whether it is a voice role.
        "voice" => voice: Option<bool>,
        /// HAL links to `episode` and `character`.
        "_links" => links: Option<Box<Links>>,
    }
}

lossless! {
    /// An entry of `/people/:id/crewcredits`: a job of the person in the crew of a show.
    ///
    /// The show is linked or, on request, embedded.
    pub struct CrewCredit {
        /// `Creator`, `Executive Producer`, …
        "type" => kind: Option<String>,
        /// HAL link to `show`.
        "_links" => links: Option<Box<Links>>,
    }
}
