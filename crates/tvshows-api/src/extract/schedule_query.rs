//! The queries of `GET /schedule` and `GET /calendar.ics`. Empty parameters count as missing.

use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use tvshows_core::{BoundedInt, DateBound, ScheduleQuery};

use super::filter_query::FilterQuery;
use super::query::parse;
use crate::problem::Problem;

/// How many days before today a calendar has, for those who missed an episode.
const CALENDAR_PAST_DAYS: i32 = 30;
/// How many days after today a calendar has. TVmaze rarely knows an episode so long before.
const CALENDAR_FUTURE_DAYS: i32 = 400;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct DaysQuery {
    date: Option<String>,
    days: Option<String>,
    #[serde(flatten)]
    filters: FilterQuery,
}

impl DaysQuery {
    /// The days that are asked for, by default only `today`.
    pub(crate) fn parse(&self, today: Date) -> Result<ScheduleQuery, Problem> {
        let filter = self.filters.filter(&["date", "days"])?;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let date: Option<Day> = parse("date", given(&self.date).as_deref())?;
        let days: Option<BoundedInt<1, 31, 1>> = parse("days", given(&self.days).as_deref())?;
        let first = date.map_or(today, |Day(day)| day);
        let more_days = i32::from(days.unwrap_or_default().get()) - 1;
        Ok(ScheduleQuery { filter, first, last: first.saturating_add(more_days.days()) })
    }
}

/// A day, `2026-11-27`.
struct Day(Date);

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Day, &'static str> {
        let bound: Option<DateBound> = text.parse().ok();
        let day = bound.filter(|bound| bound.first() == bound.last());
        day.map(|bound| Day(bound.first())).ok_or("must be a day such as 2026-11-27")
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct CalendarQuery {
    #[serde(flatten)]
    filters: FilterQuery,
}

impl CalendarQuery {
    pub(crate) fn parse(&self, today: Date) -> Result<ScheduleQuery, Problem> {
        Ok(ScheduleQuery {
            filter: self.filters.filter(&[])?,
            first: today.saturating_sub(CALENDAR_PAST_DAYS.days()),
            last: today.saturating_add(CALENDAR_FUTURE_DAYS.days()),
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;
    use jiff::civil::date;
    use tvshows_core::Facet;

    use super::*;

    fn days(text: &str) -> Result<String, String> {
        let query = Query::<DaysQuery>::from_query(text).unwrap();
        let query = query.parse(date(2026, 11, 27)).map_err(|problem| problem.to_string())?;
        Ok(format!("{} {}", query.first, query.last))
    }

    #[test]
    fn days_are_counted_from_the_date() {
        for (query, expected) in [
            ("", "2026-11-27 2026-11-27"),
            ("date=&days=", "2026-11-27 2026-11-27"),
            ("days=7", "2026-11-27 2026-12-03"),
            ("date=2024-02-28&days=2", "2024-02-28 2024-02-29"),
            ("date=9999-12-31&days=31", "9999-12-31 9999-12-31"),
        ] {
            assert_eq!(days(query).as_deref(), Ok(expected), "{query}");
        }
        for (query, parameter) in [
            ("days=0", "`days`"),
            ("days=32", "`days`"),
            ("date=2026", "`date`"),
            ("date=tomorrow", "`date`"),
            ("date=2026-02-29", "`date`"),
            ("min_rating=x", "`min_rating`"),
            ("sort=id", "`sort`"),
        ] {
            let error = days(query).unwrap_err();
            assert!(error.contains(parameter), "{query}: {error}");
        }
    }

    #[test]
    fn a_calendar_is_around_today_and_has_the_filters_of_lists() {
        let query = |text: &str| Query::<CalendarQuery>::from_query(text).unwrap();
        let calendar = query("country=US").parse(date(2026, 11, 27)).unwrap();
        assert_eq!((calendar.first, calendar.last), (date(2026, 10, 28), date(2028, 1, 1)));
        assert!(calendar.filter.facets.contains_key(&Facet::Country));
        assert!(query("days=7").parse(date(2026, 11, 27)).is_err());
    }
}
