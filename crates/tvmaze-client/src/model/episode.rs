use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::date_time::{date_or_empty, parse_or_none, time_or_empty, with_utc_offset};
use super::id::EpisodeId;
use super::image::Image;
use super::link::Links;
use super::show::Rating;
use super::summary;

/// An episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Episode {
    /// TVmaze's id.
    pub id: EpisodeId,
    /// The page about the episode on tvmaze.com.
    pub url: Option<String>,
    /// The title.
    pub name: String,
    /// The season number; a year for some shows.
    pub season: Option<i64>,
    /// The number within the season; `None` for a special.
    pub number: Option<i64>,
    /// `regular`, `significant_special` or `insignificant_special`; absent in old responses.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The broadcast date in the network's time zone.
    #[serde(default, deserialize_with = "parse_or_none", serialize_with = "date_or_empty")]
    pub airdate: Option<Date>,
    /// The broadcast time in the network's time zone.
    #[serde(default, deserialize_with = "parse_or_none", serialize_with = "time_or_empty")]
    pub airtime: Option<Time>,
    /// The timestamp of the broadcast.
    #[serde(default, deserialize_with = "parse_or_none", serialize_with = "with_utc_offset")]
    pub airstamp: Option<Timestamp>,
    /// The runtime in minutes.
    pub runtime: Option<i64>,
    /// The user rating; absent in old responses.
    pub rating: Option<Rating>,
    /// A still image.
    pub image: Option<Image>,
    /// HTML; see [`summary_text`](Episode::summary_text).
    pub summary: Option<String>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Episode {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}
