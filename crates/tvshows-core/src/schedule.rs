use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Map, Value};

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

#[derive(Serialize)]
struct ScheduledEpisode<'a> {
    #[serde(flatten)]
    episode: Map<String, Value>,
    show: Option<&'a Show>,
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.episodes.iter().map(|episode| {
            let show = self.shows.get(&episode.show_id);
            let mut episode = episode.to_object();
            episode.remove("show");
            ScheduledEpisode { episode, show }
        }))
    }
}
