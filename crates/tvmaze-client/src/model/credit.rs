use super::faithful::faithful;
use super::link::Links;

faithful! {
    /// A row of `/people/:id/castcredits`: a character that the person plays in a show.
    ///
    /// Show and character are named by the links, or embedded.
    pub struct CastCredit {
        /// Whether the person appears as themselves.
        "self" => plays_self: Option<bool>,
        /// Whether only the voice is heard.
        "voice" => voice: Option<bool>,
        /// HAL links: `show` and `character`.
        "_links" => links: Option<Box<Links>>,
    }
}

faithful! {
    /// A row of `/people/:id/guestcastcredits`: a character that the person plays in an episode.
    ///
    /// Episode and character are named by the links, or embedded.
    pub struct GuestCastCredit {
        /// Whether the person appears as themselves.
        "self" => plays_self: Option<bool>,
        /// Whether only the voice is heard.
        "voice" => voice: Option<bool>,
        /// HAL links: `episode` and `character`.
        "_links" => links: Option<Box<Links>>,
    }
}

faithful! {
    /// A row of `/people/:id/crewcredits`: a role behind the camera of a show.
    ///
    /// The show is named by the links, or embedded.
    pub struct CrewCredit {
        /// `Creator`, `Executive Producer`, …
        "type" => kind: Option<String>,
        /// HAL links: `show`.
        "_links" => links: Option<Box<Links>>,
    }
}
