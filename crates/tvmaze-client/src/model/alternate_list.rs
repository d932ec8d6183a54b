use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::date_time::{date_or_empty, parse_or_none, time_or_empty, with_utc_offset};
use super::id::{AlternateEpisodeId, AlternateListId};
use super::link::Links;
use super::network::Network;

/// An alternate order or numbering of a show's episodes, such as that of its DVDs.
///
/// The flags describe the list; usually one of them is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlternateList {
    /// TVmaze's id.
    pub id: AlternateListId,
    /// The page about the list on tvmaze.com.
    pub url: Option<String>,
    /// Ordered as on DVD.
    pub dvd_release: Option<bool>,
    /// Numbered as in the episodes' credits.
    pub verbatim_order: Option<bool>,
    /// Ordered as first broadcast in another country.
    pub country_premiere: Option<bool>,
    /// Ordered as first streamed.
    pub streaming_premiere: Option<bool>,
    /// Ordered as first broadcast.
    pub broadcast_premiere: Option<bool>,
    /// Ordered as first shown in another language.
    pub language_premiere: Option<bool>,
    /// The language's English name, for a premiere in another language.
    pub language: Option<String>,
    /// The broadcaster of the premiere.
    pub network: Option<Network>,
    /// The streaming service of the premiere.
    #[serde(rename = "webChannel")]
    pub web_channel: Option<Network>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An episode of an [`AlternateList`]. It corresponds to one or more of the show's own episodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlternateEpisode {
    /// TVmaze's id.
    pub id: AlternateEpisodeId,
    /// The page about the episode on tvmaze.com.
    pub url: Option<String>,
    /// The title.
    pub name: Option<String>,
    /// The season number in the list.
    pub season: Option<i64>,
    /// The number within the season; `None` for a special.
    pub number: Option<i64>,
    /// `regular`, `significant_special` or `insignificant_special`.
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
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
