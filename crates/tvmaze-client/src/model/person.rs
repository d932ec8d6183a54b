use jiff::Timestamp;
use jiff::civil::Date;

use super::date_time::{AsText, UnixSeconds};
use super::id::{CharacterId, PersonId};
use super::image::Image;
use super::link::Links;
use super::lossless::lossless;
use super::network::Country;

lossless! {
    /// A person.
    pub struct Person {
        /// TVmaze's id.
        "id" => id: PersonId,
        /// The page about the person on tvmaze.com.
        "url" => url: Option<String>,
        /// The name.
        "name" => name: String,
        /// The country of origin.
        "country" => country: Option<Country>,
        /// The date of birth.
        "birthday" => birthday: Option<Date> as AsText,
        /// The date of death.
        "deathday" => deathday: Option<Date> as AsText,
        /// `Male`, `Female`, …
        "gender" => gender: Option<String>,
        /// The portrait.
        "image" => image: Option<Image>,
        /// The time of the last update.
        "updated" => updated: Option<Timestamp> as UnixSeconds,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

lossless! {
    /// A character.
    pub struct Character {
        /// TVmaze's id.
        "id" => id: CharacterId,
        /// The page about the character on tvmaze.com.
        "url" => url: Option<String>,
        /// The name.
        "name" => name: String,
        /// An image of the character.
        "image" => image: Option<Image>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}
