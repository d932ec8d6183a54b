use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::{Facet, FacetFilter, ShowId};

/// Which shows a list contains. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowFilter {
    pub ids: Option<ShowIds>,
    /// Words that must occur in the name or the summary; the last one may be incomplete. Ignores case and
    /// accents. The text contains no operators.
    pub text: Option<SearchText>,
    pub facets: BTreeMap<Facet, FacetFilter>,
    /// The earliest premiere.
    pub premiered_from: Option<DateBound>,
    /// The latest premiere.
    pub premiered_to: Option<DateBound>,
    /// The lowest rating. Excludes unrated shows.
    pub min_rating: Option<RatingBound>,
    /// The highest rating. Excludes unrated shows.
    pub max_rating: Option<RatingBound>,
}

/// Why a parameter is no condition of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFilterError {
    #[error("unknown filter `{0}`; expected one of {names}", names = ShowFilter::PARAMETERS.join(", "))]
    Unknown(String),
    #[error("`{parameter}` {reason}")]
    Invalid { parameter: &'static str, reason: String },
}

impl ShowFilter {
    /// The names of the conditions in HTTP queries and settings.
    pub const PARAMETERS: [&str; 13] = [
        "id",
        "q",
        "genre",
        "language",
        "status",
        "type",
        "network",
        "country",
        "day",
        "premiered_from",
        "premiered_to",
        "min_rating",
        "max_rating",
    ];

    /// Sets the condition of a parameter. An empty value is no condition, and neither is a text of spaces.
    pub fn set(&mut self, parameter: &str, value: &str) -> Result<(), ParseFilterError> {
        let known = Self::PARAMETERS.into_iter().find(|known| *known == parameter);
        let Some(parameter) = known else {
            return Err(ParseFilterError::Unknown(parameter.to_owned()));
        };
        if value.is_empty() {
            return Ok(());
        }
        match parameter {
            "id" => self.ids = parsed(parameter, value)?,
            "premiered_from" => self.premiered_from = parsed(parameter, value)?,
            "premiered_to" => self.premiered_to = parsed(parameter, value)?,
            "min_rating" => self.min_rating = parsed(parameter, value)?,
            "max_rating" => self.max_rating = parsed(parameter, value)?,
            "q" => {
                let text: Option<SearchText> = parsed(parameter, value)?;
                self.text = text.filter(|text| !text.as_str().trim().is_empty());
            }
            _ if value.trim().is_empty() => {}
            facet => {
                if let (Some(facet), Some(condition)) =
                    (parsed(parameter, facet)?, parsed(parameter, value)?)
                {
                    self.facets.insert(facet, condition);
                }
            }
        }
        Ok(())
    }
}

fn parsed<T: FromStr<Err: fmt::Display>>(
    parameter: &'static str,
    value: &str,
) -> Result<Option<T>, ParseFilterError> {
    let invalid =
        |error: T::Err| ParseFilterError::Invalid { parameter, reason: error.to_string() };
    value.parse().map(Some).map_err(invalid)
}

/// The ids of some shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShowIds(BTreeSet<ShowId>);

/// A text that is not a list of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be up to 10,000 show ids, separated by commas without spaces, such as 82,169")]
pub struct ParseShowIdsError;

impl ShowIds {
    const MAX: usize = 10_000;

    #[must_use]
    pub fn contains(&self, id: ShowId) -> bool {
        self.0.contains(&id)
    }

    /// In ascending order.
    pub fn iter(&self) -> impl Iterator<Item = ShowId> {
        self.0.iter().copied()
    }
}

impl FromIterator<ShowId> for ShowIds {
    fn from_iter<T: IntoIterator<Item = ShowId>>(ids: T) -> ShowIds {
        ShowIds(ids.into_iter().collect())
    }
}

impl FromStr for ShowIds {
    type Err = ParseShowIdsError;

    fn from_str(text: &str) -> Result<ShowIds, ParseShowIdsError> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let id = |text: &str| text.parse().ok().filter(|_| digits(text)).map(ShowId);
        if text.split(',').count() > Self::MAX {
            return Err(ParseShowIdsError);
        }
        text.split(',').map(id).collect::<Option<_>>().map(ShowIds).ok_or(ParseShowIdsError)
    }
}

/// The text that is parsed to the same ids.
impl fmt::Display for ShowIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.0.iter().map(ShowId::to_string).collect();
        f.write_str(&ids.join(","))
    }
}

/// A search text of at most 256 characters: the cost of a search grows with its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

/// A search text that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most 256 characters")]
pub struct SearchTextTooLong;

impl SearchText {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SearchText {
    type Err = SearchTextTooLong;

    fn from_str(text: &str) -> Result<SearchText, SearchTextTooLong> {
        if text.chars().nth(256).is_some() {
            Err(SearchTextTooLong)
        } else {
            Ok(SearchText(text.into()))
        }
    }
}

/// A year, `2019`, or a day, `2019-05-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateBound {
    first: Date,
    last: Date,
}

/// A text that is neither a year nor a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a year such as 2019 or a day such as 2019-05-01")]
pub struct ParseDateBoundError;

impl DateBound {
    /// The day itself, or the first of the year.
    #[must_use]
    pub fn first(self) -> Date {
        self.first
    }

    /// The day itself, or the last of the year.
    #[must_use]
    pub fn last(self) -> Date {
        self.last
    }
}

impl FromStr for DateBound {
    type Err = ParseDateBoundError;

    fn from_str(text: &str) -> Result<DateBound, ParseDateBoundError> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match text.split('-').collect::<Vec<_>>()[..] {
            [year] if year.len() == 4 && digits(year) => {
                let year = year.parse().map_err(|_| ParseDateBoundError)?;
                let day = |month, day| Date::new(year, month, day).map_err(|_| ParseDateBoundError);
                Ok(DateBound { first: day(1, 1)?, last: day(12, 31)? })
            }
            [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2] => {
                let day = text.parse().map_err(|_| ParseDateBoundError)?;
                Ok(DateBound { first: day, last: day })
            }
            _ => Err(ParseDateBoundError),
        }
    }
}

/// The text that [`DateBound::from_str`] parses to the same bound.
impl fmt::Display for DateBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            self.first.fmt(f)
        } else {
            write!(f, "{:04}", self.first.year())
        }
    }
}

/// The lowest or highest rating in a list, 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingBound(f64);

/// A text that is not a rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 0 to 10")]
pub struct ParseRatingError;

impl RatingBound {
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for RatingBound {
    type Err = ParseRatingError;

    fn from_str(text: &str) -> Result<RatingBound, ParseRatingError> {
        let number = text.parse().ok().filter(|number| (0.0..=10.0).contains(number));
        // Without the sign of `-0`.
        number.map(|number: f64| RatingBound(number.abs())).ok_or(ParseRatingError)
    }
}

/// The shortest text that is parsed to the same bound.
impl fmt::Display for RatingBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bound_is_a_year_or_a_day() {
        let bound = |text: &str| {
            let bound = text.parse::<DateBound>()?;
            assert_eq!(bound.to_string(), text);
            Ok((bound.first().to_string(), bound.last().to_string()))
        };
        assert_eq!(bound("2019"), Ok(("2019-01-01".into(), "2019-12-31".into())));
        assert_eq!(bound("2020-02-29"), Ok(("2020-02-29".into(), "2020-02-29".into())));
        for wrong in
            ["", "19", "02019", "2019-2-1", "2019-02-29", "2019-13", "+201", "-2019", "soon"]
        {
            assert_eq!(bound(wrong), Err(ParseDateBoundError), "{wrong}");
        }
    }

    #[test]
    fn a_searched_text_has_256_characters_at_most() {
        assert_eq!("é".repeat(256).parse::<SearchText>().unwrap().as_str(), "é".repeat(256));
        assert_eq!("é".repeat(257).parse::<SearchText>(), Err(SearchTextTooLong));
    }

    #[test]
    fn ids_are_separated_by_commas() {
        let ids: ShowIds = "169,82,82".parse().unwrap();
        assert_eq!(ids.to_string(), "82,169");
        assert!(ids.contains(ShowId(82)) && !ids.contains(ShowId(1)));
        let repeated = vec!["82"; ShowIds::MAX + 1].join(",");
        for wrong in ["", "82,", "-1", "+1", "x", "4294967296", "1 2", "1, 2", &repeated] {
            assert_eq!(wrong.parse::<ShowIds>(), Err(ParseShowIdsError), "{wrong}");
        }
    }

    #[test]
    fn every_parameter_sets_a_condition() {
        for parameter in ShowFilter::PARAMETERS {
            let mut filter = ShowFilter::default();
            assert_eq!(filter.set(parameter, ""), Ok(()));
            assert_eq!(filter, ShowFilter::default(), "{parameter}");
            let value = if parameter.starts_with("premiered") { "2019" } else { "7" };
            filter.set(parameter, value).unwrap();
            assert_ne!(filter, ShowFilter::default(), "{parameter}");
        }
        let mut blank = ShowFilter::default();
        assert_eq!(blank.set("q", &" ".repeat(256)), Ok(()));
        assert_eq!(blank, ShowFilter::default());
        assert!(blank.set("q", &" ".repeat(257)).is_err());
        let error = ShowFilter::default().set("min_rating", "good").unwrap_err();
        assert_eq!(error.to_string(), "`min_rating` must be a number from 0 to 10");
        assert!(ShowFilter::default().set("sort", "id").is_err());
    }

    #[test]
    fn a_rating_is_from_0_to_10() {
        for (text, canonical) in
            [("8.5", "8.5"), ("8.50", "8.5"), ("08", "8"), ("1e1", "10"), ("-0", "0")]
        {
            assert_eq!(text.parse::<RatingBound>().unwrap().to_string(), canonical);
        }
        for wrong in ["", "-1", "10.1", "NaN", "inf", "good"] {
            assert_eq!(wrong.parse::<RatingBound>(), Err(ParseRatingError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_bound_panic(text in any::<String>()) {
            let _ = (text.parse::<DateBound>(), text.parse::<RatingBound>());
        }
    }
}
