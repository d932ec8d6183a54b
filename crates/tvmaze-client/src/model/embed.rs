//! Markers for related objects that TVmaze can embed in a response; see
//! [`Request::embed`](crate::Request::embed).
//!
//! `WithEmbedded<Show, (embed::Episodes, embed::NextEpisode)>` is a show with its episodes and, if
//! there is one, its next episode.

use serde::de::{DeserializeOwned, Error};
use serde::ser::Serialize;
use serde_json::{Map, Value};

use super::alternate_list::{AlternateEpisode, AlternateList};
use super::cast::{CastMember, CrewMember};
use super::credit;
use super::episode::Episode as EpisodeModel;
use super::image::ShowImage;
use super::person::{Character as CharacterModel, Person};
use super::season::Season;
use super::show::{Aka, Show as ShowModel};

/// Related objects that TVmaze can embed in a `T`: one of the markers of [this module](self), or a tuple
/// of up to four.
///
/// Only this crate implements it.
pub trait Embed<T>: EmbedMarker {
    /// The type of the embedded objects.
    type Output;

    /// Moves the objects out of `_embedded`.
    #[doc(hidden)]
    fn extract<E: Error>(embedded: &mut Map<String, Value>) -> Result<Self::Output, E>;

    /// Inserts the objects into `_embedded`.
    #[doc(hidden)]
    fn insert(output: &Self::Output, embedded: &mut Map<String, Value>) -> serde_json::Result<()>;
}

mod sealed {
    pub trait EmbedMarker {
        /// The values of the `embed` query parameter.
        fn names() -> Vec<&'static str>;
    }
}

pub(crate) use sealed::EmbedMarker;

macro_rules! marker {
    ($(#[$doc:meta])* $marker:ident, $name:literal: $($model:ty => $output:ty;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $marker;

        impl EmbedMarker for $marker {
            fn names() -> Vec<&'static str> {
                vec![$name]
            }
        }

        $(impl Embed<$model> for $marker {
            type Output = $output;

            fn extract<E: Error>(embedded: &mut Map<String, Value>) -> Result<$output, E> {
                extract($name, embedded)
            }

            fn insert(output: &$output, embedded: &mut Map<String, Value>) -> serde_json::Result<()> {
                insert($name, output, embedded)
            }
        })+
    };
}

marker! {
    /// The episodes of a show without specials, or those that an alternate episode corresponds to.
    Episodes, "episodes":
        ShowModel => Vec<EpisodeModel>;
        AlternateEpisode => Vec<EpisodeModel>;
}
marker! {
    /// The cast of a show.
    Cast, "cast": ShowModel => Vec<CastMember>;
}
marker! {
    /// The crew of a show.
    Crew, "crew": ShowModel => Vec<CrewMember>;
}
marker! {
    /// The seasons of a show.
    Seasons, "seasons": ShowModel => Vec<Season>;
}
marker! {
    /// The next episode of a show, if known.
    NextEpisode, "nextepisode": ShowModel => Option<EpisodeModel>;
}
marker! {
    /// The last broadcast episode of a show, if any.
    PreviousEpisode, "previousepisode": ShowModel => Option<EpisodeModel>;
}
marker! {
    /// The names of a show in other countries.
    Akas, "akas": ShowModel => Vec<Aka>;
}
marker! {
    /// The images of a show.
    Images, "images": ShowModel => Vec<ShowImage>;
}
marker! {
    /// The show of an episode or a credit.
    Show, "show":
        EpisodeModel => ShowModel;
        credit::CastCredit => ShowModel;
        credit::CrewCredit => ShowModel;
}
marker! {
    /// The guest cast of an episode.
    GuestCast, "guestcast": EpisodeModel => Vec<CastMember>;
}
marker! {
    /// The guest crew of an episode.
    GuestCrew, "guestcrew": EpisodeModel => Vec<CrewMember>;
}
marker! {
    /// The cast credits of a person.
    CastCredits, "castcredits": Person => Vec<credit::CastCredit>;
}
marker! {
    /// The crew credits of a person.
    CrewCredits, "crewcredits": Person => Vec<credit::CrewCredit>;
}
marker! {
    /// The guest cast credits of a person.
    GuestCastCredits, "guestcastcredits": Person => Vec<credit::GuestCastCredit>;
}
marker! {
    /// The character of a credit.
    Character, "character":
        credit::CastCredit => CharacterModel;
        credit::GuestCastCredit => CharacterModel;
}
marker! {
    /// The episode of a credit.
    Episode, "episode": credit::GuestCastCredit => EpisodeModel;
}
marker! {
    /// The episodes of an alternate list.
    AlternateEpisodes, "alternateepisodes": AlternateList => Vec<AlternateEpisode>;
}

macro_rules! tuple {
    ($($marker:ident $index:tt),+) => {
        impl<$($marker: EmbedMarker),+> EmbedMarker for ($($marker,)+) {
            fn names() -> Vec<&'static str> {
                [$($marker::names()),+].concat()
            }
        }

        impl<T, $($marker: Embed<T>),+> Embed<T> for ($($marker,)+) {
            type Output = ($($marker::Output,)+);

            fn extract<Err: Error>(embedded: &mut Map<String, Value>) -> Result<Self::Output, Err> {
                Ok(($($marker::extract(embedded)?,)+))
            }

            fn insert(
                output: &Self::Output,
                embedded: &mut Map<String, Value>,
            ) -> serde_json::Result<()> {
                $($marker::insert(&output.$index, embedded)?;)+
                Ok(())
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);

fn extract<T: DeserializeOwned, E: Error>(
    name: &'static str,
    embedded: &mut Map<String, Value>,
) -> Result<T, E> {
    match embedded.remove(name) {
        Some(value) => serde_json::from_value(value)
            .map_err(|error| E::custom(format_args!("`_embedded.{name}`: {error}"))),
        // Only an option can be decoded from null.
        None => serde_json::from_value(Value::Null).map_err(|_| E::missing_field(name)),
    }
}

fn insert<T: Serialize>(
    name: &str,
    output: &T,
    embedded: &mut Map<String, Value>,
) -> serde_json::Result<()> {
    embedded.insert(name.to_owned(), serde_json::to_value(output)?);
    Ok(())
}
