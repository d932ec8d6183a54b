use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::json::{Ordered, in_order};
use crate::{Episode, Show, ShowFilter, ShowId};

/// Which stored episodes a schedule contains.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleQuery {
    /// Only episodes of shows that match.
    pub filter: ShowFilter,
    /// The first and the last day, in the time zone of each network.
    pub first: Date,
    pub last: Date,
}

/// Episodes with their shows.
///
/// Serializes as TVmaze's own schedule: an array of episodes, each with its `show`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// By `airdate`, then by `airstamp`, those without one last in their day; then by show and TVmaze's order.
    pub episodes: Vec<Episode>,
    /// The shows of the episodes.
    pub shows: BTreeMap<ShowId, Show>,
}

/// An episode with its show, as in TVmaze's schedule of networks.
#[derive(Debug, Clone, Copy)]
pub struct ScheduledEpisode<'a> {
    pub episode: &'a Episode,
    pub show: Option<&'a Show>,
}

impl Serialize for ScheduledEpisode<'_> {
    /// In this schedule only, TVmaze puts the show before the links.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = self.episode.to_object();
        object.remove("show");
        let links = object.remove("_links");
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in in_order(&object) {
            map.serialize_entry(key, &value)?;
        }
        map.serialize_entry("show", &self.show)?;
        if let Some(links) = &links {
            map.serialize_entry("_links", &Ordered(links))?;
        }
        map.end()
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.episodes.iter().map(|episode| {
            let show = self.shows.get(&episode.show_id);
            ScheduledEpisode { episode, show }
        }))
    }
}
