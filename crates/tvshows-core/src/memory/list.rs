//! Filtering, searching and sorting shows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::{
    Facet, FacetCount, FacetFilter, KeysetCursor, RawJson, SearchText, Show, ShowFilter, ShowPage,
    ShowQuery, Sort, SortBy, SortValue, UnmatchedFilter, fold_case, joined_words,
};

pub(super) fn page<'a>(shows: impl Iterator<Item = &'a Show>, query: &ShowQuery) -> ShowPage {
    let text = query.filter.text.as_ref().map(SearchText::as_str);
    let search = text.map(Search::parse);
    let shows: Vec<&Show> = shows.collect();
    let matches = |show: &Show, except: Option<Facet>| {
        matches(&query.filter, except, show)
            && search.as_ref().is_none_or(|search| search.finds(show))
    };
    let matching = shows.iter().filter(|show| matches(show, None));
    let mut listed: Vec<(SortValue, &Show)> =
        matching.map(|show| (sort_value(query.sort, show, search.as_ref()), *show)).collect();
    let total = listed.len() as u64;
    let compare = |a: (&SortValue, u32), b: (&SortValue, u32)| {
        compare_values(query.sort, a.0, b.0).then(a.1.cmp(&b.1))
    };
    listed.sort_by(|a, b| compare((&a.0, a.1.id.0), (&b.0, b.1.id.0)));
    if let Some(after) = &query.after {
        let after = (&after.value, after.id.0);
        listed.retain(|(value, show)| compare((value, show.id.0), after).is_gt());
    }
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more);
    let count = |facet: Facet| {
        let counted = shows.iter().filter(|show| matches(show, Some(facet)));
        (facet, facet_counts(counted.map(|show| facet_values(show, facet))))
    };
    ShowPage {
        next: last.map(|(value, show)| KeysetCursor { value: value.clone(), id: show.id }),
        shows: listed.into_iter().map(|(_, show)| show.clone()).collect(),
        total,
        facets: query.facets.iter().copied().map(count).collect(),
        unmatched: unmatched(&shows, &query.filter),
    }
}

fn facet_counts(values: impl Iterator<Item = BTreeSet<String>>) -> Vec<FacetCount<String>> {
    let mut counts = BTreeMap::<Option<String>, u64>::new();
    for values in values {
        if values.is_empty() {
            *counts.entry(None).or_default() += 1;
        }
        for value in values {
            *counts.entry(Some(value)).or_default() += 1;
        }
    }
    let counts = counts.into_iter().map(|(value, count)| FacetCount { value, count });
    let mut counts: Vec<_> = counts.collect();
    FacetCount::sort_by_count(&mut counts);
    counts.truncate(Facet::MAX_VALUES);
    counts
}

fn unmatched(shows: &[&Show], filter: &ShowFilter) -> Vec<UnmatchedFilter> {
    let unmatched = filter.facets.iter().filter_map(|(facet, condition)| match condition {
        FacetFilter::Is(value) if !shows.iter().any(|show| has(show, *facet, condition)) => {
            let known: BTreeSet<_> =
                shows.iter().flat_map(|show| facet_values(show, *facet)).collect();
            Some(UnmatchedFilter::new(*facet, value, known.iter().map(String::as_str)))
        }
        _ => None,
    });
    unmatched.collect()
}

fn matches(filter: &ShowFilter, except: Option<Facet>, show: &Show) -> bool {
    let premiered = show.premiered.as_deref();
    let rating = show.rating_average;
    filter
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

fn has(show: &Show, facet: Facet, condition: &FacetFilter) -> bool {
    let mut values = facet_values(show, facet);
    let FacetFilter::Is(wanted) = condition else { return values.is_empty() };
    if facet == Facet::Country && !values.is_empty() {
        values.extend(channel_text(show, "/country/code"));
    }
    values.iter().any(|value| fold_case(value) == fold_case(wanted))
}

fn facet_values(show: &Show, facet: Facet) -> BTreeSet<String> {
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
pub(super) fn network_name(show: &Show) -> Option<String> {
    channel_text(show, "/name")
}

/// A text in the network, or in the web channel if the network has none.
fn channel_text(show: &Show, pointer: &str) -> Option<String> {
    let text = |json: &Option<RawJson>| {
        let json: Value = serde_json::from_str(json.as_ref()?.as_str()).ok()?;
        json.pointer(pointer)?.as_str().map(str::to_owned)
    };
    text(&show.network).or_else(|| text(&show.web_channel))
}

fn sort_value(sort: Sort, show: &Show, search: Option<&Search>) -> SortValue {
    let integer = |number: Option<i64>| number.map_or(SortValue::None, SortValue::Integer);
    match sort.by {
        SortBy::Id => SortValue::Integer(i64::from(show.id.0)),
        SortBy::Name => SortValue::Text(show.name.to_ascii_lowercase()),
        SortBy::Rating => show.rating_average.map_or(SortValue::None, SortValue::Real),
        SortBy::Premiered => show.premiered.clone().map_or(SortValue::None, SortValue::Text),
        SortBy::Updated => integer(show.updated),
        SortBy::Weight => integer(show.weight),
        SortBy::Relevance => {
            let class = match search {
                Some(search) if search.text.eq_ignore_ascii_case(&show.name) => 0,
                Some(search) if search.is_in(&show.name, &[]) => 1000,
                _ => 2000,
            };
            SortValue::Integer(class - show.weight.unwrap_or_default().clamp(0, 999))
        }
    }
}

/// Missing values come last in either direction.
fn compare_values(sort: Sort, a: &SortValue, b: &SortValue) -> Ordering {
    let order = match (a, b) {
        (SortValue::None, SortValue::None) => return Ordering::Equal,
        (SortValue::None, _) => return Ordering::Greater,
        (_, SortValue::None) => return Ordering::Less,
        (SortValue::Integer(a), SortValue::Integer(b)) => a.cmp(b),
        (SortValue::Real(a), SortValue::Real(b)) => a.total_cmp(b),
        (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    if sort.descending { order.reverse() } else { order }
}

/// A search text: the phrases that a show must contain, one for each part between spaces.
struct Search {
    text: String,
    phrases: Vec<Vec<String>>,
    /// Whether the last word may be the beginning of a longer one.
    is_open: bool,
}

impl Search {
    fn parse(text: &str) -> Search {
        let pieces = text.split(|c: char| c.is_whitespace() || c.is_control());
        Search {
            text: text.trim().to_owned(),
            phrases: pieces.map(words).filter(|words| !words.is_empty()).collect(),
            is_open: text.ends_with(char::is_alphanumeric),
        }
    }

    fn finds(&self, show: &Show) -> bool {
        let summary = show.summary.as_deref().unwrap_or_default();
        self.is_in(&show.name, &words(&without_html(summary)))
    }

    fn is_in(&self, name: &str, summary: &[String]) -> bool {
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
    let plain: String = text.nfd().filter(|c| !is_combining_mark(*c)).collect();
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
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
