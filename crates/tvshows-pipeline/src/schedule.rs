//! When updates begin by themselves.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::timeout;
use tvshows_core::{RunParameters, StoreError};

use crate::monitor::now;
use crate::runner::Runner;

/// The longest that is slept at a time: a clock that is set, or a run of another process, moves what is due.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// What every service adds to what is due, at most, so that not all of them ask TVmaze in the same second.
const MOST_JITTER: Duration = Duration::from_mins(5);
/// As part of the time from one update to the next.
const JITTER_SHARE: u32 = 10;
/// Nothing at TVmaze changes faster than its caches.
const SHORTEST: Duration = Duration::from_mins(1);

/// When an update is due, counted from the one before.
#[derive(Debug, Clone)]
pub struct Schedule(Rule);

#[derive(Debug, Clone)]
enum Rule {
    Cron(Box<Cron>),
    Every(Duration),
}

/// A text that is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The text is no cron pattern.
    #[error(
        "must be a cron expression (minute hour day month weekday, in UTC) such as \"0 4 * * *\", or an interval such as \"every 24h\": {reason}"
    )]
    Pattern {
        /// What is wrong with it.
        reason: String,
    },
    /// The time between two updates is too short.
    #[error("the interval must be at least one minute")]
    TooShort,
}

impl Schedule {
    /// At the times of a cron pattern, in UTC: `0 4 * * *` is each day at four.
    ///
    /// # Errors
    ///
    /// The text is no such pattern, or there is no such time.
    pub fn cron(pattern: &str) -> Result<Schedule, ScheduleError> {
        let wrong =
            |error: croner::errors::CronError| ScheduleError::Pattern { reason: error.to_string() };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(pattern).map_err(wrong)?;
        cron.find_next_occurrence(&now().to_zoned(TimeZone::UTC), false).map_err(wrong)?;
        Ok(Schedule(Rule::Cron(Box::new(cron))))
    }

    /// So long after the last update has begun.
    ///
    /// # Errors
    ///
    /// The time is shorter than a minute.
    pub fn every(time: Duration) -> Result<Schedule, ScheduleError> {
        if time < SHORTEST { Err(ScheduleError::TooShort) } else { Ok(Schedule(Rule::Every(time))) }
    }

    /// When an update is due after one that began at `last`, or, where there was none, after the start of the
    /// schedule. In the past where that was missed. `None` where it never is.
    fn due(&self, last: Option<Timestamp>, start: Timestamp, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not put an update off.
        let last = last.filter(|last| *last <= now);
        match &self.0 {
            Rule::Every(time) => match last {
                Some(last) => last.checked_add(*time).ok(),
                None => Some(start.min(now)),
            },
            Rule::Cron(cron) => {
                let after = last.unwrap_or(start.min(now)).to_zoned(TimeZone::UTC);
                let next = cron.find_next_occurrence(&after, false).ok()?;
                Some(next.timestamp())
            }
        }
    }

    /// What is added to an update that is due at `due`; `chance` is from 0 to 1. Nothing to one that was due
    /// before the schedule's start.
    fn jitter(&self, due: Timestamp, chance: f64, start: Timestamp) -> Duration {
        if due <= start {
            return Duration::ZERO;
        }
        let interval = match &self.0 {
            Rule::Every(time) => *time,
            Rule::Cron(_) => {
                let next = self.due(Some(due), due, due).unwrap_or(due);
                Duration::try_from(next.duration_since(due)).unwrap_or_default()
            }
        };
        MOST_JITTER.min(interval / JITTER_SHARE).mul_f64(chance)
    }
}

impl Runner {
    /// Begins updates by a schedule, with default parameters, until the runner is stopped. What was missed
    /// while no process worked is made up for once.
    pub fn schedule(&self, schedule: Schedule) {
        let runner = self.clone();
        self.spawn(async move { runner.keep_schedule(&schedule).await });
    }

    async fn keep_schedule(&self, schedule: &Schedule) {
        let (start, chance) = (now(), fastrand::f64());
        while !self.is_stopped() {
            let pause = self.look_at(schedule, start, chance).await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the schedule cannot be kept; it is tried again");
                LOOK_AGAIN
            });
            // At the end of the pause or at a stop.
            let _ = timeout(pause.min(LOOK_AGAIN), self.stopped()).await;
        }
    }

    /// Begins an update if one is due. Gives the time until the next look.
    async fn look_at(
        &self,
        schedule: &Schedule,
        start: Timestamp,
        chance: f64,
    ) -> Result<Duration, StoreError> {
        let newest = self.runs(1).await?.pop();
        let last = newest.as_ref().map(|run| run.started_at.unwrap_or(run.updated_at));
        let present = now();
        let due = |last| {
            let due = schedule.due(last, start, present)?;
            Some(due + schedule.jitter(due, chance, start))
        };
        let Some(next) = due(last) else { return Ok(LOOK_AGAIN) };
        self.set_next_run(Some(next));
        if next > present {
            return Ok(until(next, present));
        }
        match self.submit(RunParameters::default()).await {
            Ok(submission) => {
                tracing::info!(run.id = %submission.status.request_id, "an update is due");
                let next = due(Some(present));
                self.set_next_run(next);
                return Ok(next.map_or(LOOK_AGAIN, |next| until(next, present)));
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "an update is due and cannot begin");
            }
        }
        Ok(LOOK_AGAIN)
    }
}

fn until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
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
            daily.due(None, noon, noon),
            Some(at("2026-11-25T04:00:00Z")),
            "nothing was missed"
        );
        let morning = at("2026-11-24T03:00:00Z");
        let four = Some(at("2026-11-24T04:00:00Z"));
        assert_eq!(daily.due(None, morning, noon), four, "the first time since the start");
        let by_hand = Some(at("2026-11-24T09:00:00Z"));
        assert_eq!(daily.due(by_hand, noon, noon), Some(at("2026-11-25T04:00:00Z")));
        let long_ago = Some(at("2026-11-20T04:01:00Z"));
        assert_eq!(
            daily.due(long_ago, noon, noon),
            Some(at("2026-11-21T04:00:00Z")),
            "missed: due now"
        );
        let tomorrow = Some(at("2027-11-24T12:00:00Z"));
        assert_eq!(
            daily.due(tomorrow, noon, noon),
            Some(at("2026-11-25T04:00:00Z")),
            "clock set back"
        );
    }

    #[test]
    fn a_time_is_due_that_long_after_the_last_update() {
        let daily = Schedule::every(Duration::from_hours(24)).unwrap();
        let noon = at("2026-11-24T12:00:00Z");
        assert_eq!(daily.due(None, noon, noon), Some(noon), "the first one at once");
        assert_eq!(daily.due(Some(noon), noon, noon), Some(at("2026-11-25T12:00:00Z")));
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
        assert_eq!(jitter(&daily, 1.0), MOST_JITTER);
        assert_eq!(jitter(&daily, 0.5), MOST_JITTER / 2);
        let often = Schedule::every(Duration::from_mins(10)).unwrap();
        assert_eq!(jitter(&often, 1.0), Duration::from_mins(1));
        assert_eq!(often.jitter(noon, 1.0, noon), Duration::ZERO, "what was missed is due now");
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
                prop_assert!(schedule.due(Some(now), now, now).unwrap() > now);
            }
        }
    }
}
