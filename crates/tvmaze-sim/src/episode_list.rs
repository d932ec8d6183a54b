//! The episodes of a show, as JSON texts.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// An episode's text, and what the routes need to know of it.
pub(crate) struct ListedEpisode<'list> {
    pub(crate) header: Header,
    pub(crate) text: &'list str,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    #[serde(default)]
    pub(crate) id: Value,
    #[serde(default)]
    season: Value,
    /// Absent only in a malformed episode, which is then not a special.
    #[serde(default = "first_number")]
    number: Value,
    #[serde(default)]
    airdate: Value,
    #[serde(default)]
    airstamp: Value,
}

fn first_number() -> Value {
    1.into()
}

impl Header {
    /// A special has no number.
    pub(crate) fn is_special(&self) -> bool {
        self.number.is_null()
    }

    pub(crate) fn has_number(&self, season: u32, number: u32) -> bool {
        self.season == season && self.number == number
    }

    /// Empty if it is unknown.
    pub(crate) fn airdate(&self) -> &str {
        self.airdate.as_str().unwrap_or_default()
    }

    pub(crate) fn airstamp(&self) -> &str {
        self.airstamp.as_str().unwrap_or_default()
    }
}

/// The episodes in a list; malformed ones are left out.
pub(crate) fn parse(list: &[u8]) -> Vec<ListedEpisode<'_>> {
    let texts: Vec<&RawValue> = serde_json::from_slice(list).unwrap_or_default();
    let texts = texts.into_iter().map(RawValue::get);
    texts
        .filter_map(|text| Some(ListedEpisode { header: serde_json::from_str(text).ok()?, text }))
        .collect()
}

/// A list of these JSON texts.
pub(crate) fn json_list<'text>(texts: impl Iterator<Item = &'text str>) -> Bytes {
    format!("[{}]", texts.collect::<Vec<_>>().join(",")).into()
}

/// The list without its specials, unchanged if it has none.
pub(crate) fn without_specials(list: Bytes) -> Bytes {
    let episodes = parse(&list);
    if !episodes.iter().any(|episode| episode.header.is_special()) {
        return list;
    }
    let regular = episodes.iter().filter(|episode| !episode.header.is_special());
    json_list(regular.map(|episode| episode.text))
}
