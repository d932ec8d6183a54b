use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::date_time::parse_or_none;
use super::id::SeasonId;
use super::image::Image;
use super::link::Links;
use super::network::Network;
use super::summary;

/// A season of a show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Season {
    /// TVmaze's id.
    pub id: SeasonId,
    /// The page about the season on tvmaze.com.
    pub url: Option<String>,
    /// The season number; a year for some shows.
    pub number: Option<i64>,
    /// The name; empty for most seasons.
    pub name: Option<String>,
    /// The number of episodes ordered.
    pub episode_order: Option<i64>,
    /// The date of the first broadcast.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub premiere_date: Option<Date>,
    /// The date of the last broadcast.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub end_date: Option<Date>,
    /// The broadcaster.
    pub network: Option<Network>,
    /// The streaming service.
    pub web_channel: Option<Network>,
    /// The poster.
    pub image: Option<Image>,
    /// HTML; see [`summary_text`](Season::summary_text).
    pub summary: Option<String>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Season {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}
