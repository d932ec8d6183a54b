use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::id::ShowId;

/// A show as the index, `/shows/:id` and the searches send it.
///
/// Only `id` and `name` are always there; a key that an older answer lacks is `None`. `extra` has the
/// keys that this version of the crate does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Show {
    /// TVmaze's number.
    pub id: ShowId,
    /// The page about the show on tvmaze.com.
    pub url: Option<String>,
    /// The name; several shows may share it.
    pub name: String,
    /// `Scripted`, `Reality`, `Animation`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The language's English name.
    pub language: Option<String>,
    /// May be empty.
    #[serde(default)]
    pub genres: Vec<String>,
    /// `Running`, `Ended`, `To Be Determined`, `In Development`.
    pub status: Option<String>,
    /// Minutes an episode is scheduled for.
    pub runtime: Option<i64>,
    /// Minutes an episode lasts on average.
    #[serde(rename = "averageRuntime")]
    pub average_runtime: Option<i64>,
    /// The first broadcast, `YYYY-MM-DD`.
    pub premiered: Option<String>,
    /// The last broadcast, `YYYY-MM-DD`.
    pub ended: Option<String>,
    /// The show's own site.
    #[serde(rename = "officialSite")]
    pub official_site: Option<String>,
    /// When it is broadcast.
    pub schedule: Option<Schedule>,
    /// What users think of it.
    pub rating: Option<Rating>,
    /// TVmaze's measure of popularity, 0 to 100. Drifts without a change of `updated`.
    pub weight: Option<i64>,
    /// The broadcaster.
    pub network: Option<Network>,
    /// The streaming service.
    #[serde(rename = "webChannel")]
    pub web_channel: Option<Network>,
    /// The country of the first DVD, where nothing else tells the show's country.
    #[serde(rename = "dvdCountry")]
    pub dvd_country: Option<Country>,
    /// Its ids elsewhere.
    pub externals: Option<Externals>,
    /// The poster.
    pub image: Option<Image>,
    /// HTML.
    pub summary: Option<String>,
    /// Unix time of the last change to the show or to a child of it, such as an episode or a cast row.
    pub updated: Option<i64>,
    /// HAL links.
    #[serde(rename = "_links")]
    pub links: Option<Links>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// When a show is broadcast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// `HH:MM` in the network's time zone; empty when unknown.
    pub time: Option<String>,
    /// English names of weekdays; may be empty.
    #[serde(default)]
    pub days: Vec<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What users think of a show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// 0 to 10 with at most one decimal; written as an integer when whole. Drifts without a change of
    /// the show's `updated`.
    #[serde(serialize_with = "whole_as_integer")]
    pub average: Option<f64>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// TVmaze writes a whole rating as `8`, never `8.0`.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn whole_as_integer<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match *number {
        None => serializer.serialize_none(),
        #[expect(clippy::cast_possible_truncation, reason = "checked: whole and small")]
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e9 => {
            serializer.serialize_i64(whole as i64)
        }
        Some(number) => serializer.serialize_f64(number),
    }
}

/// A broadcaster or a streaming service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// TVmaze's number.
    pub id: u32,
    /// The name.
    pub name: Option<String>,
    /// `None` for a service of the whole world.
    pub country: Option<Country>,
    /// The network's own site.
    #[serde(rename = "officialSite")]
    pub official_site: Option<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Country {
    /// The English name.
    pub name: Option<String>,
    /// ISO 3166-1, two letters.
    pub code: Option<String>,
    /// A name of the IANA time zone database.
    pub timezone: Option<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A show's ids elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Externals {
    /// TVRage, which is no more.
    pub tvrage: Option<i64>,
    /// TheTVDB.
    pub thetvdb: Option<i64>,
    /// IMDb, `tt` and digits.
    pub imdb: Option<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The addresses of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Scaled down.
    pub medium: Option<String>,
    /// As uploaded.
    pub original: Option<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// HAL links of a show, a person or a character.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Links {
    /// The thing itself.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub this: Option<Link>,
    /// The last episode that was broadcast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previousepisode: Option<Link>,
    /// The next episode to be broadcast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nextepisode: Option<Link>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A HAL link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub href: Option<String>,
    /// The episode's name; only in answers since 2024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Keys unknown to this version.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
