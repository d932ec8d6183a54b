use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::route::ExternalId;
use crate::source::Source;

/// TVmaze returns at most ten shows.
const MAX_RESULTS: usize = 10;

/// The names and external ids of all shows, in the order of their ids.
#[derive(Debug)]
pub(crate) struct SearchIndex(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    id: u32,
    /// See [`words`].
    name: String,
    imdb: Option<Box<str>>,
    thetvdb: Option<u32>,
    tvrage: Option<u32>,
}

#[derive(Deserialize)]
struct Header {
    id: u32,
    name: String,
    /// An object, except in a malformed show.
    #[serde(default)]
    externals: Value,
}

impl SearchIndex {
    pub(crate) fn new(source: &dyn Source) -> Self {
        let mut entries = Vec::new();
        for n in 0..source.page_count() {
            let page = source.page(n);
            let shows: Vec<&RawValue> = serde_json::from_slice(&page).unwrap_or_default();
            // A malformed show cannot be found.
            let headers =
                shows.iter().filter_map(|show| serde_json::from_str::<Header>(show.get()).ok());
            entries.extend(headers.map(Entry::from));
        }
        Self(entries)
    }

    /// The shows whose names contain all words of `query`, at least as prefixes, with their scores from 0
    /// to 1. The score is the share of the name that the query covers. Best first, then by id.
    pub(crate) fn search(&self, query: &str) -> Vec<(f64, u32)> {
        let query = words(query);
        let is_match =
            |name: &str| query.split_whitespace().all(|word| contains_prefix(name, word));
        let mut found: Vec<(f64, u32)> = self
            .0
            .iter()
            .filter(|entry| query.len() > 1 && is_match(&entry.name))
            .map(|entry| (coverage(&query, &entry.name), entry.id))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(MAX_RESULTS);
        found
    }

    pub(crate) fn lookup(&self, external: &ExternalId) -> Option<u32> {
        let is_match = |entry: &&Entry| match external {
            ExternalId::Imdb(id) => entry.imdb.as_deref() == Some(id),
            ExternalId::TheTvdb(id) => entry.thetvdb == Some(*id),
            ExternalId::TvRage(id) => entry.tvrage == Some(*id),
        };
        self.0.iter().find(is_match).map(|entry| entry.id)
    }
}

impl From<Header> for Entry {
    fn from(header: Header) -> Self {
        let Header { id, name, externals } = header;
        let number = |key| externals[key].as_u64().and_then(|id| u32::try_from(id).ok());
        Self {
            id,
            name: words(&name),
            imdb: externals["imdb"].as_str().map(Box::from),
            thetvdb: number("thetvdb"),
            tvrage: number("tvrage"),
        }
    }
}

/// The words of a text in lower case, with a space before and after each.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).fold(" ".to_owned(), |text, word| text + word + " ")
}

fn contains_prefix(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(start, _)| name[..start].ends_with(' '))
}

fn coverage(query: &str, name: &str) -> f64 {
    let characters = |text: &str| u32::try_from(text.chars().count()).map_or(f64::MAX, f64::from);
    // Repeated words in the query can make it longer than the name.
    (characters(query) / characters(name)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(names: &[&str]) -> SearchIndex {
        let entries = (1..).zip(names).map(|(id, name)| {
            Entry::from(Header { id, name: (*name).to_owned(), externals: Value::Null })
        });
        SearchIndex(entries.collect())
    }

    #[test]
    fn all_words_must_match_and_the_closest_name_is_first() {
        let index = index(&["Dome", "Under the Dome: Extra", "Under the Dome", "Thunder", "Ж / É"]);
        let ids = |query: &str| -> Vec<u32> {
            index.search(query).into_iter().map(|(_, id)| id).collect()
        };
        assert_eq!(index.search("under THE dome!"), [(1.0, 3), (16.0 / 22.0, 2)]);
        assert_eq!(ids("dome"), [1, 3, 2]);
        assert_eq!(ids("dom und"), [3, 2], "prefixes, in any order");
        assert_eq!(ids("é ж"), [5]);
        assert_eq!(ids("hunder"), [0; 0]);
        assert_eq!(ids("dome silo"), [0; 0]);
        assert_eq!(ids(" -!"), [0; 0], "no word");
        assert_eq!(index.search("dome dome dome"), [(1.0, 1), (1.0, 3), (16.0 / 22.0, 2)]);
    }
}
