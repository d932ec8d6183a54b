//! Facets: the text fields by which lists are filtered and counted.

use std::cmp::Reverse;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, EnumString, VariantNames};

use crate::{FacetCount, ParseEnumError};

/// A text field by which shows are filtered and counted. A show can have several genres and days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[derive(Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[strum(parse_err_ty = ParseEnumError, parse_err_fn = ParseEnumError::new::<Facet>)]
pub enum Facet {
    Genre,
    Language,
    Status,
    Type,
    /// The name of the network, or of the web channel if there is no network.
    Network,
    /// The name of the network's country, or of the web channel's if the network has none. A filter also
    /// matches its code, such as `US`.
    Country,
    /// A day of the week on which the show airs.
    Day,
}

impl Facet {
    pub const ALL: [Facet; 7] = [
        Facet::Genre,
        Facet::Language,
        Facet::Status,
        Facet::Type,
        Facet::Network,
        Facet::Country,
        Facet::Day,
    ];

    /// The most values of a facet that are counted in a response.
    pub const MAX_VALUES: usize = 200;
}

/// A condition on a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FacetFilter {
    /// One of the show's values is this one, in any case.
    Is(String),
    /// The show has no value. Written `-`.
    Missing,
}

impl FromStr for FacetFilter {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<FacetFilter, Infallible> {
        Ok(if text == "-" { FacetFilter::Missing } else { FacetFilter::Is(text.to_owned()) })
    }
}

/// The text that is parsed to the same filter.
impl fmt::Display for FacetFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FacetFilter::Is(value) => f.write_str(value),
            FacetFilter::Missing => f.write_str("-"),
        }
    }
}

/// Converts a text so that texts that differ only in case become equal, such as `Straße` and `STRASSE`.
#[must_use]
pub fn fold_case(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// A filter with a value that no show has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnmatchedFilter {
    /// The name of the filter.
    #[serde(rename = "parameter")]
    pub facet: Facet,
    pub value: String,
    /// The most similar values that shows have, at most three.
    pub suggestions: Vec<String>,
}

impl UnmatchedFilter {
    /// Suggests those of `known` that are similar to `value`. A long text has no suggestions, because comparing takes
    /// time that grows with its length.
    #[must_use]
    pub fn new<'a>(
        facet: Facet,
        value: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> UnmatchedFilter {
        /// The same as clap's for the names of flags.
        const MIN_SIMILARITY: f64 = 0.8;
        const MAX_BYTES: usize = 256;
        if value.len() > MAX_BYTES {
            return UnmatchedFilter { facet, value: value.to_owned(), suggestions: Vec::new() };
        }
        let wanted = fold_case(value.trim());
        let rated = known.into_iter().map(|known| (similarity(&wanted, &fold_case(known)), known));
        let mut similar: Vec<_> = rated.filter(|(score, _)| *score >= MIN_SIMILARITY).collect();
        similar.sort_unstable_by(|(a, a_name), (b, b_name)| {
            b.total_cmp(a).then_with(|| a_name.cmp(b_name))
        });
        let suggestions = similar.into_iter().take(3).map(|(_, known)| known.to_owned()).collect();
        UnmatchedFilter { facet, value: value.to_owned(), suggestions }
    }
}

/// From 0 to 1. A text that contains the other is similar to it, however long it is.
fn similarity(wanted: &str, known: &str) -> f64 {
    let is_part = |part: &str, whole: &str| part.chars().count() >= 3 && whole.contains(part);
    let contained = if is_part(wanted, known) || is_part(known, wanted) { 0.85 } else { 0.0 };
    strsim::jaro_winkler(wanted, known).max(contained)
}

impl fmt::Display for UnmatchedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no show has the {} {:?}", self.facet, self.value)?;
        match &self.suggestions[..] {
            [] => Ok(()),
            [suggestion] => write!(f, "; did you mean {suggestion:?}?"),
            [first @ .., last] => {
                f.write_str("; did you mean ")?;
                first.iter().try_for_each(|suggestion| write!(f, "{suggestion:?}, "))?;
                write!(f, "or {last:?}?")
            }
        }
    }
}

impl<T: Ord> FacetCount<T> {
    /// Sorts counts: most shows first, then by value, `None` first.
    pub fn sort_by_count(counts: &mut [FacetCount<T>]) {
        counts.sort_unstable_by(|a, b| {
            (Reverse(a.count), &a.value).cmp(&(Reverse(b.count), &b.value))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_facets_are_in_the_order_of_the_enum() {
        assert_eq!(Facet::ALL.map(|facet| facet.to_string()), *Facet::VARIANTS);
        assert!(Facet::ALL.is_sorted());
        assert_eq!("day".parse(), Ok(Facet::Day));
    }

    #[test]
    fn case_is_folded_in_every_script() {
        for (one, other) in [("Straße", "STRASSE"), ("КУХНЯ", "кухня"), ("ΟΔΟΣ", "οδος")]
        {
            assert_eq!(fold_case(one), fold_case(other));
        }
    }

    #[test]
    fn similar_values_are_suggested() {
        let known = ["Drama", "Comedy", "Science-Fiction", "United States", "United Kingdom"];
        let message = |value| UnmatchedFilter::new(Facet::Genre, value, known).to_string();
        assert_eq!(message("Darma"), r#"no show has the genre "Darma"; did you mean "Drama"?"#);
        assert_eq!(
            message("fiction"),
            r#"no show has the genre "fiction"; did you mean "Science-Fiction"?"#
        );
        assert_eq!(
            message("united"),
            r#"no show has the genre "united"; did you mean "United States", or "United Kingdom"?"#
        );
        assert_eq!(message("zzz"), r#"no show has the genre "zzz""#);
        assert!(
            UnmatchedFilter::new(Facet::Genre, &"drama".repeat(60), known).suggestions.is_empty()
        );
    }
}
