use std::fmt;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::now_millis;

/// The maximum delay that a service adds to the due time, so that services do not all call TVmaze in the same second.
const MAX_JITTER: Duration = Duration::from_mins(5);
/// The maximum jitter is the interval divided by this.
const JITTER_DIVISOR: u32 = 10;
/// TVmaze's caches make shorter intervals pointless.
const MIN_INTERVAL: Duration = Duration::from_mins(1);

/// How far the clock of another process may be ahead. A last update further in the future means that this clock was
/// set back.
pub(crate) const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// When an update is due, based on the start of the previous one.
#[derive(Debug, Clone)]
pub struct Schedule(Trigger);

#[derive(Debug, Clone)]
enum Trigger {
    Cron(Box<Cron>, TimeZone),
    Every(Duration),
}

/// Why a schedule is invalid.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error(
        "must be a cron expression (minute hour day month weekday) such as \"0 4 * * *\", or an interval such as \"every 24h\": {reason}"
    )]
    Pattern { reason: String },
    #[error("the interval must be at least one minute")]
    TooShort,
}

impl Schedule {
    /// Parses a cron expression, in UTC unless [`in_time_zone`](Self::in_time_zone) changes that: `0 4 * * *` is
    /// every day at 04:00.
    pub fn cron(pattern: &str) -> Result<Schedule, ScheduleError> {
        let invalid =
            |error: croner::errors::CronError| ScheduleError::Pattern { reason: error.to_string() };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(pattern).map_err(invalid)?;
        let now = now_millis().to_zoned(TimeZone::UTC);
        cron.find_next_occurrence(&now, false).map_err(invalid)?;
        Ok(Schedule(Trigger::Cron(Box::new(cron), TimeZone::UTC)))
    }

    /// Interprets a cron expression in a time zone. When the clocks change, an hour and minute that the expression
    /// names is due once: if it is skipped, at the end of the gap; if it is repeated, the first time. An
    /// expression with `*` or a step as its hour or minute is due whenever the clock shows a matching time. An interval
    /// does not depend on the time zone.
    #[must_use]
    pub fn in_time_zone(self, zone: TimeZone) -> Schedule {
        match self.0 {
            Trigger::Cron(cron, _) => Schedule(Trigger::Cron(cron, zone)),
            every @ Trigger::Every(_) => Schedule(every),
        }
    }

    /// An interval from the start of one update to the start of the next.
    pub fn every(interval: Duration) -> Result<Schedule, ScheduleError> {
        if interval < MIN_INTERVAL {
            return Err(ScheduleError::TooShort);
        }
        Ok(Schedule(Trigger::Every(interval)))
    }

    /// Returns when an update is due, given the start of the last update and that of the schedule. The time
    /// is in the past if it was missed. `None` if there is no such time.
    pub(crate) fn next_due(
        &self,
        last: Option<Timestamp>,
        start: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        // A clock that was set back must not delay an update.
        let last = last.filter(|last| last.duration_since(now) <= MAX_CLOCK_SKEW);
        match &self.0 {
            Trigger::Every(interval) => match last {
                Some(last) => last.checked_add(*interval).ok(),
                None => Some(start.min(now)),
            },
            Trigger::Cron(cron, zone) => {
                let after = last.unwrap_or(start.min(now)).to_zoned(zone.clone());
                let next = cron.find_next_occurrence(&after, false).ok()?;
                Some(next.timestamp())
            }
        }
    }

    /// Returns what to add to a due time, given a `fraction` from 0 to 1. A time that was missed before the
    /// start of the schedule gets no jitter.
    pub(crate) fn jitter(&self, due: Timestamp, fraction: f64, start: Timestamp) -> Duration {
        if due <= start {
            return Duration::ZERO;
        }
        let interval = match &self.0 {
            Trigger::Every(interval) => *interval,
            Trigger::Cron(..) => {
                let next = self.next_due(Some(due), due, due).unwrap_or(due);
                Duration::try_from(next.duration_since(due)).unwrap_or_default()
            }
        };
        MAX_JITTER.min(interval / JITTER_DIVISOR).mul_f64(fraction)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Trigger::Cron(cron, zone) => {
                write!(f, "{} ({})", cron.as_str(), zone.iana_name().unwrap_or("UTC"))
            }
            Trigger::Every(interval) => {
                let interval = SignedDuration::try_from(*interval).unwrap_or(SignedDuration::MAX);
                write!(f, "every {interval:#}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_is_due_at_its_next_time_after_the_last_update() {
        let daily = Schedule::cron("0 4 * * *").unwrap();
        let noon = at("2026-11-24T12:00:00Z");
        assert_eq!(
            daily.next_due(None, noon, noon),
            Some(at("2026-11-25T04:00:00Z")),
            "nothing was missed"
        );
        let morning = at("2026-11-24T03:00:00Z");
        let four = Some(at("2026-11-24T04:00:00Z"));
        assert_eq!(daily.next_due(None, morning, noon), four, "the first time since the start");
        let by_hand = Some(at("2026-11-24T09:00:00Z"));
        assert_eq!(daily.next_due(by_hand, noon, noon), Some(at("2026-11-25T04:00:00Z")));
        let long_ago = Some(at("2026-11-20T04:01:00Z"));
        assert_eq!(
            daily.next_due(long_ago, noon, noon),
            Some(at("2026-11-21T04:00:00Z")),
            "missed: due now"
        );
        let tomorrow = Some(at("2027-11-24T12:00:00Z"));
        assert_eq!(
            daily.next_due(tomorrow, noon, noon),
            Some(at("2026-11-25T04:00:00Z")),
            "clock set back"
        );
    }

    #[test]
    fn a_time_is_due_that_long_after_the_last_update() {
        let daily = Schedule::every(Duration::from_hours(24)).unwrap();
        let noon = at("2026-11-24T12:00:00Z");
        assert_eq!(daily.next_due(None, noon, noon), Some(noon), "the first one at once");
        assert_eq!(daily.next_due(Some(noon), noon, noon), Some(at("2026-11-25T12:00:00Z")));
    }

    /// Two processes whose clocks differ by two minutes, each with its own jitter.
    #[test]
    fn processes_with_different_clocks_start_one_update() {
        let skew = Duration::from_mins(2);
        for pattern in ["0 4 * * *", "every"] {
            let schedule = match pattern {
                "every" => Schedule::every(Duration::from_hours(24)).unwrap(),
                cron => Schedule::cron(cron).unwrap(),
            };
            let last = at("2026-11-23T04:00:00Z");
            let due = schedule.next_due(Some(last), last, last).unwrap();
            assert_eq!(due, at("2026-11-24T04:00:00Z"));
            // The process with the fast clock starts the update, and the other reads its history.
            let (started_by_fast, slow) = (due, due - skew);
            assert!(
                schedule.next_due(Some(started_by_fast), last, slow).unwrap() > due,
                "{pattern}"
            );
            // The process with the slow clock starts it, and the other reads its history.
            let (started_by_slow, fast) = (due, due + skew);
            assert!(
                schedule.next_due(Some(started_by_slow), last, fast).unwrap() > fast,
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in ["", "0 4 * *", "61 * * * *", "at four", "0 0 31 2 *", "0 0 4 * * *"] {
            let error = Schedule::cron(wrong).unwrap_err().to_string();
            assert!(error.contains("such as \"0 4 * * *\""), "{wrong}: {error}");
        }
        assert!(Schedule::every(Duration::from_secs(59)).is_err());
    }

    #[test]
    fn jitter_is_a_tenth_of_the_time_and_at_most_five_minutes() {
        let noon = at("2026-11-24T12:00:00Z");
        let due = at("2026-11-24T13:00:00Z");
        let jitter = |schedule: &Schedule, chance| schedule.jitter(due, chance, noon);
        let daily = Schedule::cron("0 13 * * *").unwrap();
        assert_eq!(jitter(&daily, 1.0), MAX_JITTER);
        assert_eq!(jitter(&daily, 0.5), MAX_JITTER / 2);
        let often = Schedule::every(Duration::from_mins(10)).unwrap();
        assert_eq!(jitter(&often, 1.0), Duration::from_mins(1));
        assert_eq!(often.jitter(noon, 1.0, noon), Duration::ZERO, "what was missed is due now");
    }

    fn in_zone(pattern: &str, zone: &str) -> Schedule {
        Schedule::cron(pattern).unwrap().in_time_zone(TimeZone::get(zone).unwrap())
    }

    /// The next `count` times after `start`, each of which is followed by an update a moment later.
    fn times(schedule: &Schedule, start: &str, count: usize) -> Vec<String> {
        let mut last = at(start);
        let next = || {
            let due = schedule.next_due(Some(last), last, last).unwrap();
            last = due + Duration::from_secs(90);
            due.to_string()
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_due_at_the_end_of_the_gap() {
        let daily = in_zone("30 2 * * *", "Europe/Berlin");
        let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        assert_eq!(times(&daily, "2026-03-27T12:00:00Z", 3), expected, "03:00 in summer time");
        let hourly = in_zone("30 * * * *", "Europe/Berlin");
        let expected = ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"];
        assert_eq!(times(&hourly, "2026-03-29T00:00:00Z", 2), expected, "every hour");
    }

    #[test]
    fn a_time_that_the_clocks_repeat_is_due_once() {
        let daily = in_zone("30 2 * * *", "Europe/Berlin");
        let expected = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        assert_eq!(times(&daily, "2026-10-23T12:00:00Z", 3), expected);
        let hourly = in_zone("30 * * * *", "Europe/Berlin");
        let expected = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"];
        assert_eq!(times(&hourly, "2026-10-25T00:00:00Z", 3), expected, "every hour");
        let last = Some(at("2026-10-25T01:10:00Z"));
        let now = at("2026-10-25T01:10:00Z");
        assert_eq!(
            daily.next_due(last, now, now),
            Some(at("2026-10-26T01:30:00Z")),
            "an update between the two does not make it due again"
        );
    }

    #[test]
    fn a_daily_time_is_due_once_on_each_day_in_every_zone() {
        for (zone, hour) in [
            ("Europe/Berlin", 2),
            ("America/New_York", 1),
            ("America/New_York", 2),
            ("Australia/Lord_Howe", 1),
            ("Australia/Lord_Howe", 2),
            ("America/Santiago", 0),
            ("Asia/Kathmandu", 4),
            ("UTC", 4),
        ] {
            let daily = in_zone(&format!("15 {hour} * * *"), zone);
            let zone = TimeZone::get(zone).unwrap();
            let mut last = at("2025-12-31T12:00:00Z");
            let mut day = last.to_zoned(zone.clone()).date();
            for _ in 0..366 {
                let due = daily.next_due(Some(last), last, last).unwrap();
                let expected = day.tomorrow().unwrap();
                day = due.to_zoned(zone.clone()).date();
                assert_eq!(day, expected, "{daily}");
                last = due + Duration::from_mins(2);
            }
        }
    }

    #[test]
    fn a_schedule_is_shown_as_it_is_set() {
        assert_eq!(in_zone("0 4 * * *", "Europe/Berlin").to_string(), "0 4 * * * (Europe/Berlin)");
        assert_eq!(Schedule::cron("0 4 * * *").unwrap().to_string(), "0 4 * * * (UTC)");
        assert_eq!(Schedule::every(Duration::from_hours(24)).unwrap().to_string(), "every 24h");
    }

    proptest! {
        #[test]
        fn after_an_update_the_next_one_is_in_the_future(
            second in 1_700_000_000_i64..1_900_000_000,
            minutes in 1_u64..10_000,
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let schedules = [
                Schedule::every(Duration::from_mins(minutes)).unwrap(),
                Schedule::cron(&format!("{} */{} * * *", minutes % 60, minutes % 23 + 1)).unwrap(),
            ];
            for schedule in schedules {
                prop_assert!(schedule.next_due(Some(now), now, now).unwrap() > now);
            }
        }
    }
}
