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
    /// Whether the show is in `_embedded`, as in `/schedule/web` and `/schedule/full`. In `/schedule`, it
    /// is not.
    show_is_embedded: bool,
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
        let inline = episode.extra.remove("show");
        let show_is_embedded = inline.is_none();
        let show = match inline {
            Some(show) => serde_json::from_value(show)
                .map_err(|error| D::Error::custom(format_args!("`show`: {error}")))?,
            None => extract_embedded::<embed::Show, Episode, _>(&mut episode.extra)?,
        };
        Ok(ScheduledEpisode { episode, show, show_is_embedded })
    }
}

impl Serialize for ScheduledEpisode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::to_value(&self.episode).map_err(S::Error::custom)?;
        if self.show_is_embedded {
            insert_embedded::<embed::Show, Episode>(&mut object, &self.show)
                .map_err(S::Error::custom)?;
        } else {
            object["show"] = serde_json::to_value(&self.show).map_err(S::Error::custom)?;
        }
        object.serialize(serializer)
    }
}
