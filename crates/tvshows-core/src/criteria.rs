use std::cmp::{Ordering, Reverse};
use std::fmt;
use std::str::FromStr;

use crate::Show;

/// How many calendar years ago a top show may have premiered: 0 to 200, 10 by default.
pub type Years = BoundedInt<0, 200, 10>;

/// How many top shows there are: 1 to 1000, 10 by default.
pub type TopLimit = BoundedInt<1, 1000, 10>;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundedInt<const MIN: u16, const MAX: u16, const DEFAULT: u16>(u16);

/// A number outside the range of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from {min} to {max}")]
pub struct OutOfRangeError {
    min: u16,
    max: u16,
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> BoundedInt<MIN, MAX, DEFAULT> {
    const OUT_OF_RANGE: OutOfRangeError = OutOfRangeError { min: MIN, max: MAX };

    pub fn new(number: u16) -> Result<Self, OutOfRangeError> {
        if (MIN..=MAX).contains(&number) { Ok(Self(number)) } else { Err(Self::OUT_OF_RANGE) }
    }

    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> Default for BoundedInt<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> FromStr for BoundedInt<MIN, MAX, DEFAULT> {
    type Err = OutOfRangeError;

    fn from_str(text: &str) -> Result<Self, OutOfRangeError> {
        text.parse().map_err(|_| Self::OUT_OF_RANGE).and_then(Self::new)
    }
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> fmt::Display
    for BoundedInt<MIN, MAX, DEFAULT>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which shows are top shows, and in which order.
///
/// The language is English, one genre is exactly `Action`, and the premiere is within the last `years`
/// calendar years before `this_year`. Best rating first, unrated last; ties by weight (high first), then by
/// id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopShowsCriteria {
    pub years: Years,
    pub top: TopLimit,
    pub this_year: i16,
}

impl TopShowsCriteria {
    pub const LANGUAGE: &str = "English";
    pub const GENRE: &str = "Action";

    /// Returns the first year in which a top show can have its premiere.
    #[must_use]
    pub fn first_year(&self) -> i32 {
        i32::from(self.this_year) - i32::from(self.years.0)
    }

    /// Whether `show` qualifies.
    #[must_use]
    pub fn matches(&self, show: &Show) -> bool {
        show.language.as_deref() == Some(Self::LANGUAGE)
            && show.genres.iter().any(|genre| genre == Self::GENRE)
            && show.premiere_year().is_some_and(|year| i32::from(year) >= self.first_year())
    }

    /// Returns the top shows among `shows`, best first.
    ///
    /// Holds at most twice `top` shows in memory. Stops at the first error of the source.
    pub fn rank<E>(
        &self,
        shows: impl IntoIterator<Item = Result<Show, E>>,
    ) -> Result<Vec<Show>, E> {
        let top = usize::from(self.top.0);
        let mut best = Vec::new();
        for show in shows {
            let show = show?;
            if self.matches(&show) {
                best.push(show);
            }
            if best.len() == 2 * top {
                best.sort_unstable_by(ranking_order);
                best.truncate(top);
            }
        }
        best.sort_unstable_by(ranking_order);
        best.truncate(top);
        Ok(best)
    }
}

fn ranking_order(a: &Show, b: &Show) -> Ordering {
    let rating = |show: &Show| show.rating_average.unwrap_or(f64::NEG_INFINITY);
    rating(b)
        .total_cmp(&rating(a))
        .then_with(|| Reverse(a.weight).cmp(&Reverse(b.weight)))
        .then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ShowId;

    fn show(id: u32, rating: Option<f64>, weight: i64) -> Show {
        Show {
            id: ShowId(id),
            name: format!("Show {id}"),
            language: Some("English".into()),
            genres: vec!["Drama".into(), "Action".into()],
            premiered: Some("2020-05-01".into()),
            rating_average: rating,
            weight: Some(weight),
            ..Show::default()
        }
    }

    fn criteria(years: u16, top: u16) -> TopShowsCriteria {
        TopShowsCriteria {
            years: Years::new(years).unwrap(),
            top: TopLimit::new(top).unwrap(),
            this_year: 2026,
        }
    }

    fn ranked(top: u16, shows: Vec<Show>) -> Vec<u32> {
        let shows = shows.into_iter().map(Ok::<_, ()>);
        criteria(10, top).rank(shows).unwrap().iter().map(|show| show.id.0).collect()
    }

    #[test]
    fn admits_only_english_shows() {
        let mut foreign = show(1, None, 0);
        assert!(criteria(10, 10).matches(&foreign));
        foreign.language = Some("english".into());
        assert!(!criteria(10, 10).matches(&foreign));
        foreign.language = None;
        assert!(!criteria(10, 10).matches(&foreign));
    }

    #[test]
    fn a_genre_that_only_contains_the_word_is_not_action() {
        let mut comedy = show(1, None, 0);
        comedy.genres = vec!["Action Comedy".into(), "action".into()];
        assert!(!criteria(10, 10).matches(&comedy));
    }

    #[test]
    fn counts_years_by_their_number() {
        let mut old = show(1, None, 0);
        old.premiered = Some("2016-01-01".into());
        assert!(criteria(10, 10).matches(&old));
        old.premiered = Some("2015-12-31".into());
        assert!(!criteria(10, 10).matches(&old));
        old.premiered = Some("2027-01-01".into());
        assert!(criteria(0, 10).matches(&old), "an announced show has premiered late enough");
        old.premiered = None;
        assert!(!criteria(200, 10).matches(&old));
        old.premiered = Some("soon".into());
        assert!(!criteria(200, 10).matches(&old));
    }

    #[test]
    fn ranks_by_rating_then_weight_then_id_with_unrated_last() {
        let shows = vec![
            show(1, None, 100),
            show(2, Some(8.1), 10),
            show(3, Some(8.1), 20),
            show(5, Some(8.1), 20),
            show(4, Some(9.0), 0),
        ];
        assert_eq!(ranked(10, shows), [4, 3, 5, 2, 1]);
    }

    #[test]
    fn limits_are_named_in_the_error() {
        assert_eq!(
            "201".parse::<Years>().unwrap_err().to_string(),
            "must be a whole number from 0 to 200"
        );
        assert!("0".parse::<TopLimit>().is_err());
        assert!("ten".parse::<TopLimit>().is_err());
        assert_eq!("200".parse::<Years>().unwrap().get(), 200);
    }

    proptest! {
        #[test]
        fn a_bounded_ranking_equals_sorting_everything(
            scores in prop::collection::vec((prop::option::of(0_u8..4), 0_i64..3), 0..60),
            top in 1_u16..12,
        ) {
            let shows: Vec<Show> = (1..).zip(scores)
                .map(|(id, (rating, weight))| show(id, rating.map(f64::from), weight))
                .collect();
            let mut expected = shows.clone();
            expected.sort_by(|a, b| {
                let key = |s: &Show| (s.rating_average.is_none(), s.rating_average.map(|r| -r));
                key(a).partial_cmp(&key(b)).unwrap().then(b.weight.cmp(&a.weight)).then(a.id.cmp(&b.id))
            });
            let expected: Vec<u32> = expected.iter().map(|s| s.id.0).take(top.into()).collect();
            prop_assert_eq!(ranked(top, shows), expected);
        }
    }
}
