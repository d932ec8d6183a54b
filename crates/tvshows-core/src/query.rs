//! The published shows as a list: which of them, in which order, a page at a time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::{Show, ShowId};

/// Which version of the data is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotVersion {
    /// Rises by one with every publish; 0 before the first.
    pub number: u64,
    /// When it was published; `None` before the first, and for data that is older than the number.
    pub published_at: Option<Timestamp>,
}

impl SnapshotVersion {
    /// A text that no other snapshot has: another database may have the same number, but not of the
    /// same moment.
    #[must_use]
    pub fn tag(&self) -> String {
        let moment = self.published_at.map_or(0, Timestamp::as_millisecond);
        format!("{}-{moment:x}", self.number)
    }
}

/// Which shows a list has. Every condition that is given must hold; texts are compared exactly.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShowFilter {
    /// Words that the name and the summary together must have, the last of them perhaps cut short. Any
    /// text will do: nothing in it is an operator. Case and accents do not count.
    pub text: Option<SearchText>,
    /// The show's language.
    pub language: Option<String>,
    /// One of the show's genres.
    pub genre: Option<String>,
    /// The show's status.
    pub status: Option<String>,
    /// The show's type.
    pub kind: Option<String>,
    /// The name of the show's network, or of its web channel where it has no network.
    pub network: Option<String>,
    /// The first day on which it may have premiered.
    pub premiered_from: Option<DateBound>,
    /// The last day, or the year with whose end the time ends.
    pub premiered_to: Option<DateBound>,
    /// The least rating; a show without one is left out.
    pub min_rating: Option<MinRating>,
}

/// A text to search for, of at most 256 characters: what a search costs grows with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

/// A text that is too long to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most 256 characters")]
pub struct SearchTextTooLong;

impl SearchText {
    /// The text.
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

/// A rating, 0 to 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinRating(f64);

/// A text that is no rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 0 to 10")]
pub struct ParseRatingError;

impl MinRating {
    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0
    }
}

impl FromStr for MinRating {
    type Err = ParseRatingError;

    fn from_str(text: &str) -> Result<MinRating, ParseRatingError> {
        let number = text.parse().ok().filter(|number| (0.0..=10.0).contains(number));
        number.map(MinRating).ok_or(ParseRatingError)
    }
}

/// What a list is sorted by. Shows without a value come last in either direction; ties go by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// The value.
    pub by: SortBy,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// A value that a list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    #[default]
    Id,
    /// Without regard to the case of A to Z.
    Name,
    Rating,
    Premiered,
    Updated,
    Weight,
    /// How well a show meets the searched text, best first: the name is the text, the name has all of
    /// its words, the summary is needed for some; then by weight. It depends on the show and the text
    /// alone, so a show keeps its place when others change.
    Relevance,
}

/// A text that names no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of id, name, rating, premiered, updated, weight, with - in front for the greatest first, or relevance"
)]
pub struct ParseSortError;

impl SortBy {
    const WORDS: [(&str, SortBy); 7] = [
        ("id", SortBy::Id),
        ("name", SortBy::Name),
        ("rating", SortBy::Rating),
        ("premiered", SortBy::Premiered),
        ("updated", SortBy::Updated),
        ("weight", SortBy::Weight),
        ("relevance", SortBy::Relevance),
    ];
}

impl FromStr for Sort {
    type Err = ParseSortError;

    fn from_str(text: &str) -> Result<Sort, ParseSortError> {
        let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let (_, by) =
            SortBy::WORDS.iter().find(|(known, _)| *known == word).ok_or(ParseSortError)?;
        let sort = Sort { by: *by, descending };
        if *by == SortBy::Relevance && descending { Err(ParseSortError) } else { Ok(sort) }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = SortBy::WORDS.iter().find(|(_, by)| *by == self.by).map_or("", |(word, _)| word);
        write!(f, "{}{word}", if self.descending { "-" } else { "" })
    }
}

/// The place of a show in a sorted list.
///
/// What comes after it is decided by the value and the id alone, so a list can be read on after any
/// change of the data: a show that did not change is met exactly once.
#[derive(Debug, Clone, PartialEq)]
pub struct KeysetCursor {
    pub value: SortValue,
    pub id: ShowId,
}

/// The value that a show is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue {
    None,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// What is asked of the list of shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowQuery {
    /// Which shows.
    pub filter: ShowFilter,
    /// In which order.
    pub sort: Sort,
    /// After which place; `None` from the beginning.
    pub after: Option<KeysetCursor>,
    /// How many at most.
    pub limit: u32,
}

/// A part of the list of shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowPage {
    /// The shows, in order.
    pub shows: Vec<Show>,
    /// The place of the last of them, where more follow.
    pub next: Option<KeysetCursor>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bound_is_a_year_or_a_day() {
        let bound = |text: &str| {
            let bound = text.parse::<DateBound>()?;
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
    fn a_rating_is_from_0_to_10() {
        assert_eq!("8.5".parse::<MinRating>().unwrap().number().to_string(), "8.5");
        for wrong in ["", "-1", "10.1", "NaN", "inf", "good"] {
            assert_eq!(wrong.parse::<MinRating>(), Err(ParseRatingError), "{wrong}");
        }
    }

    #[test]
    fn an_order_is_named_as_it_is_written() {
        for text in ["id", "-id", "name", "-rating", "premiered", "-updated", "weight", "relevance"]
        {
            assert_eq!(text.parse::<Sort>().unwrap().to_string(), text);
        }
        for wrong in ["", "-", "--id", "+id", "Name", "-relevance", "popularity"] {
            assert_eq!(wrong.parse::<Sort>(), Err(ParseSortError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_value_panic(text in any::<String>()) {
            let _ = (text.parse::<DateBound>(), text.parse::<MinRating>(), text.parse::<Sort>());
        }
    }
}
