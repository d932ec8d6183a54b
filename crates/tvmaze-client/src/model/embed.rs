//! What can be embedded in an answer: markers to name it in [`With`](crate::With).
//!
//! `With<Show, (embed::Episodes, embed::NextEpisode)>` is a show with its episodes and with the next
//! of them, if there is one.

use serde::de::{DeserializeOwned, Error};
use serde::ser::Serialize;
use serde_json::{Map, Value};

use super::alternate::{AlternateEpisode, AlternateList};
use super::cast::{CastMember, CrewMember};
use super::credit;
use super::episode::Episode as EpisodeModel;
use super::image::ShowImage;
use super::person::{Character as CharacterModel, Person};
use super::season::Season;
use super::show::{Aka, Show as ShowModel};

/// What TVmaze can embed in a `T`: one of the markers of [this module](self), or a tuple of up to four.
///
/// This crate alone implements it.
pub trait Embed<T>: sealed::Sealed {
    /// What the answer has of it.
    type Output;

    /// The names that the query has.
    fn names() -> Vec<&'static str>;

    /// Takes it out of `_embedded`.
    #[doc(hidden)]
    fn take<E: Error>(embedded: &mut Map<String, Value>) -> Result<Self::Output, E>;

    /// Puts it into `_embedded`.
    #[doc(hidden)]
    fn put(output: &Self::Output, embedded: &mut Map<String, Value>) -> serde_json::Result<()>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! marker {
    ($(#[$doc:meta])* $marker:ident, $name:literal: $($output:ty, of $whole:ty;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $marker;

        impl sealed::Sealed for $marker {}

        $(impl Embed<$whole> for $marker {
            type Output = $output;

            fn names() -> Vec<&'static str> {
                vec![$name]
            }

            fn take<E: Error>(embedded: &mut Map<String, Value>) -> Result<$output, E> {
                take($name, embedded)
            }

            fn put(output: &$output, embedded: &mut Map<String, Value>) -> serde_json::Result<()> {
                put($name, output, embedded)
            }
        })+
    };
}

marker! {
    /// The episodes of a show, specials excepted, or those that an alternate episode stands for.
    Episodes, "episodes":
        Vec<EpisodeModel>, of ShowModel;
        Vec<EpisodeModel>, of AlternateEpisode;
}
marker! {
    /// The cast of a show.
    Cast, "cast": Vec<CastMember>, of ShowModel;
}
marker! {
    /// The crew of a show.
    Crew, "crew": Vec<CrewMember>, of ShowModel;
}
marker! {
    /// The seasons of a show.
    Seasons, "seasons": Vec<Season>, of ShowModel;
}
marker! {
    /// The next episode of a show to be broadcast, if one is known.
    NextEpisode, "nextepisode": Option<EpisodeModel>, of ShowModel;
}
marker! {
    /// The last episode of a show that was broadcast, if there is one.
    PreviousEpisode, "previousepisode": Option<EpisodeModel>, of ShowModel;
}
marker! {
    /// The names of a show in other countries.
    Akas, "akas": Vec<Aka>, of ShowModel;
}
marker! {
    /// The images of a show.
    Images, "images": Vec<ShowImage>, of ShowModel;
}
marker! {
    /// The show of an episode or a credit.
    Show, "show":
        ShowModel, of EpisodeModel;
        ShowModel, of credit::CastCredit;
        ShowModel, of credit::CrewCredit;
}
marker! {
    /// The guest cast of an episode.
    GuestCast, "guestcast": Vec<CastMember>, of EpisodeModel;
}
marker! {
    /// The guest crew of an episode.
    GuestCrew, "guestcrew": Vec<CrewMember>, of EpisodeModel;
}
marker! {
    /// The characters of a person in shows.
    CastCredits, "castcredits": Vec<credit::CastCredit>, of Person;
}
marker! {
    /// The roles of a person behind the camera.
    CrewCredits, "crewcredits": Vec<credit::CrewCredit>, of Person;
}
marker! {
    /// The characters of a person in single episodes.
    GuestCastCredits, "guestcastcredits": Vec<credit::GuestCastCredit>, of Person;
}
marker! {
    /// The character of a credit.
    Character, "character":
        CharacterModel, of credit::CastCredit;
        CharacterModel, of credit::GuestCastCredit;
}
marker! {
    /// The episode of a credit.
    Episode, "episode": EpisodeModel, of credit::GuestCastCredit;
}
marker! {
    /// The episodes of an alternate list.
    AlternateEpisodes, "alternateepisodes": Vec<AlternateEpisode>, of AlternateList;
}

macro_rules! tuple {
    ($($marker:ident $index:tt),+) => {
        impl<$($marker: sealed::Sealed),+> sealed::Sealed for ($($marker,)+) {}

        impl<T, $($marker: Embed<T>),+> Embed<T> for ($($marker,)+) {
            type Output = ($($marker::Output,)+);

            fn names() -> Vec<&'static str> {
                [$($marker::names()),+].concat()
            }

            fn take<Err: Error>(embedded: &mut Map<String, Value>) -> Result<Self::Output, Err> {
                Ok(($($marker::take(embedded)?,)+))
            }

            fn put(
                output: &Self::Output,
                embedded: &mut Map<String, Value>,
            ) -> serde_json::Result<()> {
                $($marker::put(&output.$index, embedded)?;)+
                Ok(())
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);

fn take<T: DeserializeOwned, E: Error>(
    name: &'static str,
    embedded: &mut Map<String, Value>,
) -> Result<T, E> {
    // A null stays where it is, to be written again.
    let there = embedded.get(name).is_some_and(|value| !value.is_null());
    match if there { embedded.remove(name) } else { None } {
        Some(value) => serde_json::from_value(value)
            .map_err(|error| E::custom(format_args!("`_embedded.{name}`: {error}"))),
        // Only an option can be had from null.
        None => serde_json::from_value(Value::Null).map_err(|_| E::missing_field(name)),
    }
}

fn put<T: Serialize>(
    name: &str,
    output: &T,
    embedded: &mut Map<String, Value>,
) -> serde_json::Result<()> {
    let value = serde_json::to_value(output)?;
    if !value.is_null() {
        embedded.insert(name.to_owned(), value);
    }
    Ok(())
}
