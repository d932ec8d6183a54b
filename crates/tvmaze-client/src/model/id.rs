use std::fmt;

use serde::{Deserialize, Serialize};

use super::field::Required;

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

        impl Required for $name {}
    };
}

id! {
    /// TVmaze's number for a show.
    ShowId
}
id! {
    /// TVmaze's number for an episode.
    EpisodeId
}
id! {
    /// TVmaze's number for a season.
    SeasonId
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
    /// TVmaze's number for a broadcaster or for a streaming service, which count separately.
    NetworkId
}
id! {
    /// TVmaze's number for an image.
    ImageId
}
id! {
    /// TVmaze's number for an alternate list of episodes.
    AlternateListId
}
id! {
    /// TVmaze's number for an episode of an alternate list.
    AlternateEpisodeId
}
id! {
    /// A page of the index of shows or of people, counted from 0.
    PageIndex
}

/// How many ids a page of the index of shows covers: page n holds the shows 250n to 250n+249, fewer
/// where ids were deleted (TVmaze's API page).
pub const SHOWS_PER_PAGE: u32 = 250;

/// How many ids a page of the index of people covers (TVmaze's API page).
pub const PEOPLE_PER_PAGE: u32 = 1000;

impl PageIndex {
    /// The page that holds `show`.
    #[must_use]
    pub fn of(show: ShowId) -> PageIndex {
        PageIndex(show.0 / SHOWS_PER_PAGE)
    }

    /// The page that holds `person`.
    #[must_use]
    pub fn of_person(person: PersonId) -> PageIndex {
        PageIndex(person.0 / PEOPLE_PER_PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_the_ids_from_its_first_to_its_last() {
        assert_eq!([249, 250].map(|id| PageIndex::of(ShowId(id)).0), [0, 1]);
        assert_eq!([999, 1000].map(|id| PageIndex::of_person(PersonId(id)).0), [0, 1]);
    }
}
