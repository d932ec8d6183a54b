use std::fmt;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::RawJson;

/// TVmaze's number for a show.
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

/// A show with everything that TVmaze says of it.
///
/// Serialises to the object that TVmaze sends, key for key: a row of `All_Shows` gives back what was
/// received. `extra` holds what no other field can: a key that this code does not know, or a known
/// key whose value the field beside it would not give back exactly. It wins over that field.
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
    /// The year of the first broadcast; `None` when TVmaze knows no date or one of another form
    /// than `YYYY-MM-DD`.
    #[must_use]
    pub fn premiere_year(&self) -> Option<i16> {
        let (year, rest) = self.premiered.as_deref()?.split_once('-')?;
        (year.len() == 4 && rest.len() == 5).then(|| year.parse().ok())?
    }
}

impl Serialize for Show {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_keys(None, serializer)
    }
}

/// A show that serialises to some of its keys only.
#[derive(Debug, Clone, Copy)]
pub struct SparseShow<'a> {
    pub show: &'a Show,
    pub keys: &'a [String],
}

impl Serialize for SparseShow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.show.serialize_keys(Some(self.keys), serializer)
    }
}

impl Show {
    /// The keys that every show has, in their order.
    pub const KEYS: &[&str] = &[
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

    fn serialize_keys<S: Serializer>(
        &self,
        keys: Option<&[String]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let map = serializer.serialize_map(None)?;
        let mut object = Object { map, extra: &self.extra, keys };
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
            if object.wants(key) {
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

/// The object being written, less the keys that `extra` overrides or that nobody asked for.
struct Object<'a, M> {
    map: M,
    extra: &'a Map<String, Value>,
    keys: Option<&'a [String]>,
}

impl<M: SerializeMap> Object<'_, M> {
    fn entry<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), M::Error> {
        if self.extra.contains_key(key) || !self.wants(key) {
            return Ok(());
        }
        self.map.serialize_entry(key, value)
    }

    fn wants(&self, key: &str) -> bool {
        self.keys.is_none_or(|keys| keys.iter().any(|wanted| wanted == key))
    }
}
