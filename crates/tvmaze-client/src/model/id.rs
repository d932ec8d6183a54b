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
    /// The id of a show.
    ShowId
}
id! {
    /// The id of an episode.
    EpisodeId
}
id! {
    /// The id of a season.
    SeasonId
}
id! {
    /// The id of a person.
    PersonId
}
id! {
    /// The id of a character.
    CharacterId
}
id! {
    /// The id of a broadcaster or a streaming service. TVmaze numbers the two separately.
    NetworkId
}
id! {
    /// The id of an image.
    ImageId
}
id! {
    /// The id of an alternate episode list.
    AlternateListId
}
id! {
    /// The id of an episode in an alternate list.
    AlternateEpisodeId
}
id! {
    /// The number of a page of the show or people index, starting at 0.
    PageIndex
}

/// The number of ids per page of the show index: page n has the shows 250n to 250n+249, except deleted
/// ones (TVmaze API documentation).
pub const SHOWS_PER_PAGE: u32 = 250;

/// The number of ids per page of the people index (TVmaze API documentation).
pub const PEOPLE_PER_PAGE: u32 = 1000;

impl PageIndex {
    /// The page of the show index that contains `show`.
    #[must_use]
    pub fn containing(show: ShowId) -> PageIndex {
        PageIndex(show.0 / SHOWS_PER_PAGE)
    }

    /// The page of the people index that contains `person`.
    #[must_use]
    pub fn containing_person(person: PersonId) -> PageIndex {
        PageIndex(person.0 / PEOPLE_PER_PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_the_ids_from_its_first_to_its_last() {
        assert_eq!([249, 250].map(|id| PageIndex::containing(ShowId(id)).0), [0, 1]);
        assert_eq!([999, 1000].map(|id| PageIndex::containing_person(PersonId(id)).0), [0, 1]);
    }
}
