use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// TVmaze's number for a show.
    ShowId
}
id! {
    /// TVmaze's number for a person.
    PersonId
}
id! {
    /// TVmaze's number for a character.
    CharacterId
}
id! {
    /// A page of the show index, counted from 0.
    PageIndex
}

/// How many ids an index page covers: page n holds the shows 250n to 250n+249, fewer where ids were
/// deleted (TVmaze's API page).
pub const SHOWS_PER_PAGE: u32 = 250;

impl PageIndex {
    /// The page that holds `show`.
    #[must_use]
    pub fn of(show: ShowId) -> PageIndex {
        PageIndex(show.0 / SHOWS_PER_PAGE)
    }
}
