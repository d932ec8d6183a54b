use std::fmt;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::RawJson;

/// TVmaze's id of a show.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
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

impl Show {
    /// The JSON keys of every show, in order.
    pub const FIELDS: &[&str] = &[
        "id",
        "url",
        "name",
        "type",
        "language",
        "genres",
        "status",
        "runtime",
        "averageRuntime",
        "premiered",
        "ended",
        "officialSite",
        "schedule",
        "rating",
        "weight",
        "network",
        "webChannel",
        "dvdCountry",
        "externals",
        "image",
        "summary",
        "updated",
        "_links",
    ];

    /// A key of `extra`. Its value is an object: `keys` lists the keys of [`FIELDS`](Show::FIELDS) that the
    /// received object lacks, and `value`, if present, is what the received object has at this key itself.
    pub const ABSENT: &str = "_absent";

    fn serialize_fields<S: Serializer>(
        &self,
        fields: Option<&[String]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let map = serializer.serialize_map(None)?;
        let absent = self.extra.get(Show::ABSENT);
        let absent_keys = absent.and_then(|absent| absent["keys"].as_array()).map(Vec::as_slice);
        let absent_keys = absent_keys.unwrap_or_default();
        let mut object = FilteredObject { map, extra: &self.extra, absent_keys, fields };
        object.entry("id", &self.id)?;
        object.entry("url", &self.url)?;
        object.entry("name", &self.name)?;
        object.entry("type", &self.kind)?;
        object.entry("language", &self.language)?;
        object.entry("genres", &self.genres)?;
        object.entry("status", &self.status)?;
        object.entry("runtime", &self.runtime)?;
        object.entry("averageRuntime", &self.average_runtime)?;
        object.entry("premiered", &self.premiered)?;
        object.entry("ended", &self.ended)?;
        object.entry("officialSite", &self.official_site)?;
        object.entry("schedule", &self.schedule)?;
        object.entry("rating", &Rating { average: self.rating_average.map(json_number) })?;
        object.entry("weight", &self.weight)?;
        object.entry("network", &self.network)?;
        object.entry("webChannel", &self.web_channel)?;
        object.entry("dvdCountry", &self.dvd_country)?;
        object.entry("externals", &self.externals)?;
        object.entry("image", &self.image)?;
        object.entry("summary", &self.summary)?;
        object.entry("updated", &self.updated)?;
        object.entry("_links", &self.links)?;
        for (key, value) in &self.extra {
            let value = if key == Show::ABSENT { value.get("value") } else { Some(value) };
            if let Some(value) = value.filter(|_| object.includes(key)) {
                object.map.serialize_entry(key, value)?;
            }
        }
        object.map.end()
    }
}

#[derive(Serialize)]
struct Rating {
    average: Option<Value>,
}

/// TVmaze writes a whole rating as `8`, never `8.0`.
fn json_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e9 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Writes an object without the keys that `extra` overrides, that are absent or that were not requested.
struct FilteredObject<'a, M> {
    map: M,
    extra: &'a Map<String, Value>,
    absent_keys: &'a [Value],
    fields: Option<&'a [String]>,
}

impl<M: SerializeMap> FilteredObject<'_, M> {
    fn entry<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), M::Error> {
        let is_absent = || self.absent_keys.iter().any(|absent| absent == key);
        if self.extra.contains_key(key) || !self.includes(key) || is_absent() {
            return Ok(());
        }
        self.map.serialize_entry(key, value)
    }

    fn includes(&self, key: &str) -> bool {
        self.fields.is_none_or(|fields| fields.iter().any(|field| field == key))
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
            Show::FIELDS.iter().copied().filter(|key| !["id", "name"].contains(key)).collect();
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
