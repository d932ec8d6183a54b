//! The facets of shows, read from their rows.

use std::collections::HashMap;

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::Value;
use tvshows_core::Facet;

use crate::error::SqlResult;

/// The columns that facets are read from. The first four are facets themselves, in the order of [`Facet::ALL`].
const COLUMNS: [&str; 7] =
    ["genres", "language", "status", "type", "network", "web_channel", "schedule"];
const NETWORK: usize = 4;
const WEB_CHANNEL: usize = 5;
const SCHEDULE: usize = 6;

/// Returns the columns for [`FacetReader`], separated by commas. Columns that no `wanted` facet needs are NULL.
pub(crate) fn columns(wanted: impl Fn(Facet) -> bool) -> String {
    let is_wanted = |facets: &[Facet]| facets.iter().any(|facet| wanted(*facet));
    let columns = COLUMNS.iter().enumerate().map(|(index, column)| {
        let facets: &[Facet] = match index {
            NETWORK | WEB_CHANNEL => &[Facet::Network, Facet::Country],
            SCHEDULE => &[Facet::Day],
            _ => &Facet::ALL[index..=index],
        };
        if is_wanted(facets) { *column } else { "NULL" }
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// Returns the values in the text of a facet.
pub(crate) fn split(facet: Facet, text: &str) -> Vec<String> {
    match facet {
        Facet::Genre => {
            text.split(',').filter(|genre| !genre.is_empty()).map(str::to_owned).collect()
        }
        Facet::Day => serde_json::from_str(text).unwrap_or_default(),
        _ => vec![text.to_owned()],
    }
}

/// Reads the facets of shows. JSON that many shows share is parsed once.
#[derive(Default)]
pub(crate) struct FacetReader {
    channels: Parsed<Channel>,
    days: Parsed<Option<String>>,
}

/// The texts of a show's facets.
pub(crate) struct ShowFacets<'a> {
    /// In the order of [`Facet::ALL`].
    pub(crate) texts: [Option<&'a str>; Facet::ALL.len()],
    /// The code of the country, which filters accept as well.
    pub(crate) country_code: Option<&'a str>,
}

impl FacetReader {
    /// Reads a row whose `first` column is the first one of [`columns`]. Malformed values, which only other programs
    /// write, count as missing.
    pub(crate) fn read<'a>(
        &'a mut self,
        row: &'a Row<'_>,
        first: usize,
    ) -> SqlResult<ShowFacets<'a>> {
        let mut texts = [None; COLUMNS.len()];
        for (column, value) in (first..).zip(&mut texts) {
            *value = text(row.get_ref(column)?);
        }
        let channels = [NETWORK, WEB_CHANNEL]
            .map(|column| texts[column].map(|json| self.channels.index(json, Channel::parse)));
        let days = texts[SCHEDULE].map(|json| self.days.index(json, parse_days));
        let channels = channels.iter().flatten().map(|index| &self.channels.values[*index]);
        let channel_text = |text: fn(&Channel) -> Option<&str>| channels.clone().find_map(text);
        let country = channels.clone().find(|channel| channel.country.is_some());
        let [genres, language, status, kind, ..] = texts;
        Ok(ShowFacets {
            texts: Facet::ALL.map(|facet| match facet {
                Facet::Genre => genres,
                Facet::Language => language,
                Facet::Status => status,
                Facet::Type => kind,
                Facet::Network => channel_text(|channel| channel.name.as_deref()),
                Facet::Country => country.and_then(|channel| channel.country.as_deref()),
                Facet::Day => days.and_then(|index| self.days.values[index].as_deref()),
            }),
            country_code: country.and_then(|channel| channel.country_code.as_deref()),
        })
    }
}

/// The text of a value; `None` for values of other types.
pub(crate) fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(text) => str::from_utf8(text).ok(),
        _ => None,
    }
}

/// A network or a web channel.
struct Channel {
    name: Option<String>,
    country: Option<String>,
    country_code: Option<String>,
}

impl Channel {
    fn parse(json: &str) -> Channel {
        let json: Value = serde_json::from_str(json).unwrap_or_default();
        let text = |pointer| Some(json.pointer(pointer)?.as_str()?.to_owned());
        Channel {
            name: text("/name"),
            country: text("/country/name"),
            country_code: text("/country/code"),
        }
    }
}

/// Returns the days of a schedule as a JSON array.
fn parse_days(json: &str) -> Option<String> {
    let schedule: Value = serde_json::from_str(json).ok()?;
    let days: Vec<_> = schedule.get("days")?.as_array()?.iter().filter_map(Value::as_str).collect();
    serde_json::to_string(&days).ok()
}

/// Parsed texts.
struct Parsed<T> {
    indexes: HashMap<String, usize>,
    values: Vec<T>,
}

impl<T> Parsed<T> {
    /// Returns the index of the parsed text in `values`.
    fn index(&mut self, text: &str, parse: fn(&str) -> T) -> usize {
        if let Some(index) = self.indexes.get(text) {
            return *index;
        }
        let index = self.values.len();
        self.values.push(parse(text));
        self.indexes.insert(text.to_owned(), index);
        index
    }
}

impl<T> Default for Parsed<T> {
    fn default() -> Parsed<T> {
        Parsed { indexes: HashMap::new(), values: Vec::new() }
    }
}
