use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::RawJson;
use crate::json::json_number;

/// TVmaze's id of a show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ShowId(pub u32);

impl fmt::Display for ShowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A show with all of its fields.
///
/// Serializes to the JSON object that TVmaze sent, key for key. `extra` holds what no other field can:
/// unknown keys, and known keys whose value the typed field cannot reproduce exactly. It takes precedence
/// over the field. Its key [`ABSENT`](Show::ABSENT) lists the known keys that the received object lacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Show {
    pub id: ShowId,
    pub name: String,
    pub kind: Option<String>,
    pub language: Option<String>,
    pub genres: Vec<String>,
    pub status: Option<String>,
    pub premiered: Option<String>,
    pub ended: Option<String>,
    pub rating_average: Option<f64>,
    pub summary: Option<String>,
    pub updated: Option<i64>,
    pub url: Option<String>,
    pub runtime: Option<i64>,
    pub average_runtime: Option<i64>,
    pub official_site: Option<String>,
    pub weight: Option<i64>,
    pub schedule: Option<RawJson>,
    pub network: Option<RawJson>,
    pub web_channel: Option<RawJson>,
    pub dvd_country: Option<RawJson>,
    pub externals: Option<RawJson>,
    pub image: Option<RawJson>,
    pub links: Option<RawJson>,
    pub extra: Map<String, Value>,
}

/// A show as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredShow {
    pub show: Show,
    /// When the show was fetched.
    pub processed_at: Timestamp,
}

impl Show {
    /// The premiere year; `None` if there is no date or it is not `YYYY-MM-DD`.
    #[must_use]
    pub fn premiere_year(&self) -> Option<i16> {
        let (year, rest) = self.premiered.as_deref()?.split_once('-')?;
        (year.len() == 4 && rest.len() == 5).then(|| year.parse().ok())?
    }
}

impl Serialize for Show {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_fields(None, serializer)
    }
}

/// A show that serializes to some of its fields only.
#[derive(Debug, Clone, Copy)]
pub struct SparseShow<'a> {
    pub show: &'a Show,
    pub fields: &'a [String],
}

impl Serialize for SparseShow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.show.serialize_fields(Some(self.fields), serializer)
    }
}

type GetField = fn(&Show) -> Field<'_>;

/// The JSON keys of every show, in order, and their values.
const FIELDS: [(&str, GetField); 23] = [
    ("id", |show| Field::Id(show.id)),
    ("url", |show| Field::Text(show.url.as_deref())),
    ("name", |show| Field::Text(Some(&show.name))),
    ("type", |show| Field::Text(show.kind.as_deref())),
    ("language", |show| Field::Text(show.language.as_deref())),
    ("genres", |show| Field::Genres(&show.genres)),
    ("status", |show| Field::Text(show.status.as_deref())),
    ("runtime", |show| Field::Integer(show.runtime)),
    ("averageRuntime", |show| Field::Integer(show.average_runtime)),
    ("premiered", |show| Field::Text(show.premiered.as_deref())),
    ("ended", |show| Field::Text(show.ended.as_deref())),
    ("officialSite", |show| Field::Text(show.official_site.as_deref())),
    ("schedule", |show| Field::Json(show.schedule.as_ref())),
    ("rating", |show| Field::Rating { average: show.rating_average.map(json_number) }),
    ("weight", |show| Field::Integer(show.weight)),
    ("network", |show| Field::Json(show.network.as_ref())),
    ("webChannel", |show| Field::Json(show.web_channel.as_ref())),
    ("dvdCountry", |show| Field::Json(show.dvd_country.as_ref())),
    ("externals", |show| Field::Json(show.externals.as_ref())),
    ("image", |show| Field::Json(show.image.as_ref())),
    ("summary", |show| Field::Text(show.summary.as_deref())),
    ("updated", |show| Field::Integer(show.updated)),
    ("_links", |show| Field::Json(show.links.as_ref())),
];

#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Id(ShowId),
    Integer(Option<i64>),
    Text(Option<&'a str>),
    Genres(&'a [String]),
    Rating { average: Option<Value> },
    Json(Option<&'a RawJson>),
}

impl Show {
    /// The JSON keys of every show, in order.
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|(name, _)| *name)
    }

    /// A key of `extra`. Its value is an object: `keys` lists the keys of [`field_names`](Show::field_names) that
    /// the received object lacks, and `value`, if present, is what the received object has at this key itself.
    pub const ABSENT: &str = "_absent";

    /// Writes the object without the keys that were absent or not requested. `extra` overrides the fields.
    fn serialize_fields<S: Serializer>(
        &self,
        requested: Option<&[String]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let is_requested = |key: &str| {
            requested.is_none_or(|requested| requested.iter().any(|field| field == key))
        };
        let absent = self.extra.get(Show::ABSENT);
        let absent = absent.and_then(|absent| absent["keys"].as_array()).map(Vec::as_slice);
        let absent = absent.unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        for (key, field) in FIELDS {
            let is_present = !self.extra.contains_key(key) && absent.iter().all(|name| name != key);
            if is_present && is_requested(key) {
                map.serialize_entry(key, &field(self))?;
            }
        }
        for (key, value) in self.extra.iter().filter(|(key, _)| is_requested(key)) {
            let value = if key == Show::ABSENT { value.get("value") } else { Some(value) };
            if let Some(value) = value {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_keys_are_not_written() {
        let mut show = Show { name: "x".into(), ..Show::default() };
        let keys: Vec<&str> =
            Show::field_names().filter(|key| !["id", "name"].contains(key)).collect();
        show.extra.insert(Show::ABSENT.into(), json!({"keys": keys}));
        assert_eq!(serde_json::to_value(&show).unwrap(), json!({"id": 0, "name": "x"}));
        show.extra.insert(Show::ABSENT.into(), json!({"keys": keys, "value": [1]}));
        let with_such_a_key = json!({"id": 0, "name": "x", "_absent": [1]});
        assert_eq!(serde_json::to_value(&show).unwrap(), with_such_a_key);
        let fields = ["id".to_owned(), "url".to_owned()];
        let sparse = SparseShow { show: &show, fields: &fields };
        assert_eq!(serde_json::to_value(sparse).unwrap(), json!({"id": 0}));
    }
}
