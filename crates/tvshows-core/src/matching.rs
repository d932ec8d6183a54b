//! Which shows match a filter.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use crate::{Facet, FacetFilter, Show, ShowFilter, fold_case, joined_words};

impl ShowFilter {
    /// Whether a show meets all conditions.
    #[must_use]
    pub fn matches(&self, show: &Show) -> bool {
        let finds = |text: &crate::SearchText| Search::parse(text.as_str()).finds(show);
        matches_except(self, None, show) && self.text.as_ref().is_none_or(finds)
    }
}

/// Whether a show meets the conditions of a filter but for its text and the facet `except`.
pub(crate) fn matches_except(filter: &ShowFilter, except: Option<Facet>, show: &Show) -> bool {
    let premiered = show.premiered.as_deref();
    let rating = show.rating_average;
    filter.ids.as_ref().is_none_or(|ids| ids.contains(show.id))
        && filter
            .facets
            .iter()
            .all(|(facet, condition)| Some(*facet) == except || has(show, *facet, condition))
        && filter.premiered_from.is_none_or(|from| {
            premiered.is_some_and(|day| day >= from.first().to_string().as_str())
        })
        && filter
            .premiered_to
            .is_none_or(|to| premiered.is_some_and(|day| day <= to.last().to_string().as_str()))
        && filter.min_rating.is_none_or(|min| rating.is_some_and(|rating| rating >= min.get()))
        && filter.max_rating.is_none_or(|max| rating.is_some_and(|rating| rating <= max.get()))
}

pub(crate) fn has(show: &Show, facet: Facet, condition: &FacetFilter) -> bool {
    let mut values = facet_values(show, facet);
    let FacetFilter::Is(wanted) = condition else { return values.is_empty() };
    if facet == Facet::Country && !values.is_empty() {
        values.extend(country_code(show));
    }
    values.iter().any(|value| fold_case(value) == fold_case(wanted))
}

pub(crate) fn facet_values(show: &Show, facet: Facet) -> BTreeSet<String> {
    let values = match facet {
        Facet::Genre => show.genres.clone(),
        Facet::Language => show.language.iter().cloned().collect(),
        Facet::Status => show.status.iter().cloned().collect(),
        Facet::Type => show.kind.iter().cloned().collect(),
        Facet::Network => network_name(show).into_iter().collect(),
        Facet::Country => channel_text(show, "/country/name").into_iter().collect(),
        Facet::Day => days(show).unwrap_or_default(),
    };
    values.into_iter().collect()
}

fn days(show: &Show) -> Option<Vec<String>> {
    let schedule: Value = serde_json::from_str(show.schedule.as_ref()?.as_str()).ok()?;
    let days = schedule.get("days")?.as_array()?.iter();
    Some(days.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The name of the network, or of the web channel if there is no network.
pub(crate) fn network_name(show: &Show) -> Option<String> {
    channel_text(show, "/name")
}

/// The code of the country that the show has, if it has a name.
fn country_code(show: &Show) -> Option<String> {
    let channel = channels(show).find(|channel| text(channel, "/country/name").is_some())?;
    text(&channel, "/country/code")
}

/// A text in the network, or in the web channel if the network has none.
fn channel_text(show: &Show, pointer: &str) -> Option<String> {
    channels(show).find_map(|channel| text(&channel, pointer))
}

/// The network and the web channel.
fn channels(show: &Show) -> impl Iterator<Item = Value> {
    let channels = [&show.network, &show.web_channel].into_iter().flatten();
    channels.filter_map(|json| serde_json::from_str(json.as_str()).ok())
}

fn text(json: &Value, pointer: &str) -> Option<String> {
    json.pointer(pointer)?.as_str().map(str::to_owned)
}

/// A search text: the phrases that a show must contain, one for each part between spaces.
pub(crate) struct Search {
    phrases: Vec<Vec<String>>,
    /// Whether the last word may be the beginning of a longer one.
    is_open: bool,
}

impl Search {
    pub(crate) fn parse(text: &str) -> Search {
        let pieces = text.split(|c: char| c.is_whitespace() || c.is_control());
        Search {
            phrases: pieces.map(words).filter(|words| !words.is_empty()).collect(),
            is_open: text.ends_with(char::is_alphanumeric),
        }
    }

    pub(crate) fn finds(&self, show: &Show) -> bool {
        let summary = show.summary.as_deref().unwrap_or_default();
        self.may_be_in(&show.name, summary)
            && self.is_in(&show.name, &words(&without_html(summary)))
    }

    /// Quickly excludes most shows: whether all words occur somewhere, if only in HTML or within other words.
    fn may_be_in(&self, name: &str, summary: &str) -> bool {
        let mut all = String::with_capacity(2 * name.len() + summary.len() + 2);
        for text in [name, " ", &joined_words(name), " ", summary] {
            push_without_accents(text, &mut all);
        }
        // The only letter whose lower case depends on the letters around it.
        let sigma = |word: &str| word.replace('ς', "σ");
        if all.is_ascii() {
            all.make_ascii_lowercase();
        } else {
            all = sigma(&all.to_lowercase());
        }
        let mut words = self.phrases.iter().flatten();
        words.all(|word| all.contains(&sigma(word)))
    }

    pub(crate) fn is_in(&self, name: &str, summary: &[String]) -> bool {
        let (name, joined_name) = (words(name), words(&joined_words(name)));
        let has = |text: &[String], phrase: &[String], is_open: bool| {
            text.windows(phrase.len()).any(|window| {
                match (window.split_last(), phrase.split_last()) {
                    (Some((last, rest)), Some((wanted, start))) => {
                        rest == start
                            && (last == wanted || (is_open && last.starts_with(wanted.as_str())))
                    }
                    _ => false,
                }
            })
        };
        let last = self.phrases.len().saturating_sub(1);
        !self.phrases.is_empty()
            && self.phrases.iter().enumerate().all(|(index, phrase)| {
                let is_open = self.is_open && index == last;
                [&name[..], &joined_name, summary]
                    .into_iter()
                    .any(|text| has(text, phrase, is_open))
            })
    }
}

/// The words of a text, without case and accents.
fn words(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    push_without_accents(text, &mut plain);
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn push_without_accents(text: &str, plain: &mut String) {
    if text.is_ascii() {
        plain.push_str(text);
        return;
    }
    for c in text.chars() {
        decompose_canonical(c, |c| {
            if !is_combining_mark(c) {
                plain.push(c);
            }
        });
    }
}

fn without_html(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => (is_tag, text) = (false, text + " "),
            _ if !is_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    /// Texts of characters that are decomposed, joined, or depend on those around them.
    fn text(max: usize) -> impl Strategy<Value = String> {
        let pieces = [
            "a",
            "A",
            "é",
            "e\u{301}",
            "İ",
            "i",
            "ß",
            "Σ",
            "ς",
            "σ",
            "각",
            "\u{1100}",
            "\u{1161}",
            "Ǻ",
            "\u{323}\u{307}",
            "ﬁ",
            "\u{212b}",
            "\u{16ff0}",
            "\u{2019}",
            ".",
            "-",
            " ",
            "<b>",
            "</b>",
            "<",
            ">",
            "&amp;",
            "1",
        ];
        prop::collection::vec(select(pieces.to_vec()), 0..max).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_normal_form(any in any::<String>(), text in text(12)) {
            for text in [any, text] {
                let plain: String = text.nfd().filter(|c| !is_combining_mark(*c)).collect();
                let parts = plain.split(|c: char| !c.is_alphanumeric());
                let expected: Vec<_> =
                    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
                prop_assert_eq!(words(&text), expected);
            }
        }

        #[test]
        fn no_matching_show_is_excluded(name in text(8), summary in text(12), searched in text(3)) {
            let search = Search::parse(&searched);
            if search.is_in(&name, &words(&without_html(&summary))) {
                prop_assert!(search.may_be_in(&name, &summary));
            }
        }
    }
}
