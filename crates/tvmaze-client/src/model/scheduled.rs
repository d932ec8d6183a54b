use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Error as _, Serialize, Serializer};

use super::embed;
use super::embedded::{extract_embedded, insert_embedded};
use super::episode::Episode;
use super::show::Show;

/// An episode in a schedule, with its show.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScheduledEpisode {
    /// The episode.
    pub episode: Episode,
    /// The show of the episode.
    pub show: Show,
    show_location: ShowLocation,
}

/// Where the JSON of an episode contains its show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShowLocation {
    /// In the key `show`, as in `/schedule`.
    Inline,
    /// In `_embedded`, as in `/schedule/web` and `/schedule/full`.
    Embedded,
}

impl Deref for ScheduledEpisode {
    type Target = Episode;

    fn deref(&self) -> &Episode {
        &self.episode
    }
}

impl DerefMut for ScheduledEpisode {
    fn deref_mut(&mut self) -> &mut Episode {
        &mut self.episode
    }
}

impl<'de> Deserialize<'de> for ScheduledEpisode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ScheduledEpisode, D::Error> {
        let mut episode = Episode::deserialize(deserializer)?;
        let (show, show_location) = if let Some(show) = episode.extra.remove("show") {
            let show = serde_json::from_value(show);
            (show.map_err(|error| in_show(&error))?, ShowLocation::Inline)
        } else {
            let show = extract_embedded::<embed::Show, Episode, _>(&mut episode.extra)?;
            (show, ShowLocation::Embedded)
        };
        Ok(ScheduledEpisode { episode, show, show_location })
    }
}

fn in_show<E: Error>(error: &serde_json::Error) -> E {
    E::custom(format_args!("`show`: {error}"))
}

impl Serialize for ScheduledEpisode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::to_value(&self.episode).map_err(S::Error::custom)?;
        match self.show_location {
            ShowLocation::Inline => {
                object["show"] = serde_json::to_value(&self.show).map_err(S::Error::custom)?;
            }
            ShowLocation::Embedded => {
                insert_embedded::<embed::Show, Episode>(&mut object, &self.show)
                    .map_err(S::Error::custom)?;
            }
        }
        object.serialize(serializer)
    }
}
