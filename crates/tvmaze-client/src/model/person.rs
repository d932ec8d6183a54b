use jiff::Timestamp;
use jiff::civil::Date;

use super::faithful::faithful;
use super::id::{CharacterId, PersonId};
use super::image::Image;
use super::link::Links;
use super::moment::{Text, UnixSeconds};
use super::network::Country;

faithful! {
    /// A person.
    pub struct Person {
        /// TVmaze's number.
        "id" => id: PersonId,
        /// The page about the person on tvmaze.com.
        "url" => url: Option<String>,
        /// The name.
        "name" => name: String,
        /// Where the person is from.
        "country" => country: Option<Country>,
        /// The day of birth.
        "birthday" => birthday: Option<Date> as Text,
        /// The day of death.
        "deathday" => deathday: Option<Date> as Text,
        /// `Male`, `Female`, …
        "gender" => gender: Option<String>,
        /// The portrait.
        "image" => image: Option<Image>,
        /// The last change.
        "updated" => updated: Option<Timestamp> as UnixSeconds,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

faithful! {
    /// A character.
    pub struct Character {
        /// TVmaze's number.
        "id" => id: CharacterId,
        /// The page about the character on tvmaze.com.
        "url" => url: Option<String>,
        /// The name.
        "name" => name: String,
        /// The character's picture.
        "image" => image: Option<Image>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}
