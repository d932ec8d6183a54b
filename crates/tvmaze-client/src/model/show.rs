use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::date_time::{parse_or_none, time_or_empty, unix_seconds};
use super::id::ShowId;
use super::image::Image;
use super::link::Links;
use super::network::{Country, Network};
use super::summary;

/// A show as returned by the index, `/shows/:id` and searches.
///
/// Only `id` and `name` are always present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Show {
    /// TVmaze's id.
    pub id: ShowId,
    /// The page about the show on tvmaze.com.
    pub url: Option<String>,
    /// The name; not unique.
    pub name: String,
    /// `Scripted`, `Reality`, `Animation`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The language's English name.
    pub language: Option<String>,
    /// The genres; may be empty.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub genres: Vec<String>,
    /// `Running`, `Ended`, `To Be Determined` or `In Development`.
    pub status: Option<String>,
    /// The scheduled runtime of an episode in minutes.
    pub runtime: Option<i64>,
    /// The average runtime of an episode in minutes.
    pub average_runtime: Option<i64>,
    /// The date of the first broadcast.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub premiered: Option<Date>,
    /// The date of the last broadcast.
    #[serde(default, deserialize_with = "parse_or_none")]
    pub ended: Option<Date>,
    /// The show's official website.
    pub official_site: Option<String>,
    /// The broadcast schedule.
    pub schedule: Option<Schedule>,
    /// The user rating.
    pub rating: Option<Rating>,
    /// TVmaze's popularity score, 0 to 100. Changes without a change of `updated`.
    pub weight: Option<i64>,
    /// The broadcaster.
    pub network: Option<Network>,
    /// The streaming service.
    pub web_channel: Option<Network>,
    /// The country of the first DVD release, for shows whose country is not known otherwise.
    pub dvd_country: Option<Country>,
    /// The show's ids in other databases.
    pub externals: Option<Externals>,
    /// The poster.
    pub image: Option<Image>,
    /// HTML; see [`summary_text`](Show::summary_text).
    pub summary: Option<String>,
    /// The time of the last update of the show or a part of it, such as an episode or a cast entry.
    #[serde(default, with = "unix_seconds")]
    pub updated: Option<Timestamp>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Box<Links>>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Show {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}

/// The broadcast schedule of a show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schedule {
    /// The time of day in the network's time zone.
    #[serde(default, deserialize_with = "parse_or_none", serialize_with = "time_or_empty")]
    pub time: Option<Time>,
    /// English weekday names; may be empty.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub days: Vec<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The user rating of a show or an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rating {
    /// 0 to 10, with at most one decimal. Changes without a change of the show's `updated`.
    #[serde(serialize_with = "whole_as_integer")]
    pub average: Option<f64>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A show's ids in other databases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Externals {
    /// The TVRage id. TVRage no longer exists.
    pub tvrage: Option<i64>,
    /// The TheTVDB id.
    pub thetvdb: Option<i64>,
    /// The IMDb id: `tt` followed by digits.
    pub imdb: Option<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A name of a show in another country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Aka {
    /// The name.
    pub name: String,
    /// `None` for a name that is not specific to a country.
    pub country: Option<Country>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn null_as_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Writes a whole number as TVmaze does: `8`, not `8.0`.
pub(super) fn whole_as_integer<S: Serializer>(
    number: &(impl Copy + Into<Option<f64>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let number: Option<f64> = (*number).into();
    #[expect(clippy::cast_possible_truncation, reason = "only whole, small numbers are cast")]
    match number {
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => {
            (whole as i64).serialize(serializer)
        }
        _ => number.serialize(serializer),
    }
}
