//! Decides whether and when a failed request is sent again. Pure: the caller sleeps.
//!
//! The delays come from the `backoff` crate, which is no longer maintained, so only this file uses it.

use std::time::{Duration, SystemTime};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

use crate::Error;

/// How often, and after which delay, a failed request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum number of retries of a call. Retries after a 429 do not count.
    pub max_retries: u32,
    /// Delay before the first retry. It doubles with each retry and is randomized by ±50 %.
    pub first_delay: Duration,
    /// Upper bound of the delay, before randomization.
    pub max_delay: Duration,
    /// Upper bound of a `Retry-After` in responses other than a 429.
    pub max_retry_after: Duration,
    /// Maximum total time that a call is rate-limited, and that a client receives nothing but 429s. A
    /// longer `Retry-After` fails the call immediately; one of more than an hour is ignored.
    pub max_throttle_time: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts over about eight seconds, and up to five minutes of rate limiting.
    fn default() -> RetryPolicy {
        RetryPolicy {
            max_retries: 4,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(60),
            max_throttle_time: Duration::from_secs(5 * 60),
        }
    }
}

impl RetryPolicy {
    /// No retries, except after a 429.
    #[must_use]
    pub fn none() -> RetryPolicy {
        RetryPolicy { max_retries: 0, ..RetryPolicy::default() }
    }
}

/// The retries of one call.
pub(crate) struct RetryState {
    policy: RetryPolicy,
    backoff: ExponentialBackoff,
    retries: u32,
}

impl RetryState {
    pub(crate) fn new(policy: RetryPolicy) -> RetryState {
        let backoff = ExponentialBackoff {
            current_interval: policy.first_delay,
            initial_interval: policy.first_delay,
            max_interval: policy.max_delay,
            multiplier: 2.0,
            randomization_factor: 0.5,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        RetryState { policy, backoff, retries: 0 }
    }

    /// The delay before the next attempt after a failure other than a 429; `None` to give up.
    pub(crate) fn next_delay(
        &mut self,
        error: &Error,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if !error.is_transient() || self.retries == self.policy.max_retries {
            return None;
        }
        self.retries += 1;
        let delay = self.backoff.next_backoff()?;
        Some(retry_after.map_or(delay, |delay| delay.min(self.policy.max_retry_after)))
    }
}

/// A longer `Retry-After` is a mistake, such as a Unix time in place of seconds.
const MAX_PLAUSIBLE_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Parses a `Retry-After` header: seconds, or an HTTP date compared with `now`. `None` if it is invalid or
/// cannot be meant.
pub(crate) fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let delay = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or(Duration::ZERO)
    };
    (delay <= MAX_PLAUSIBLE_RETRY_AFTER).then_some(delay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::{StatusCode, Url};

    use super::*;
    use crate::RequestContext;

    fn status(code: u16) -> Error {
        let url = Url::parse("http://localhost/shows?page=7").unwrap();
        let context = Box::new(RequestContext { url, attempts: 1, elapsed: Duration::ZERO });
        Error::Status { context, status: StatusCode::from_u16(code).unwrap(), message: None }
    }

    #[test]
    fn gives_up_after_the_last_retry() {
        let policy = RetryPolicy { max_retries: 2, ..RetryPolicy::default() };
        let mut retry = RetryState::new(policy);
        assert!(retry.next_delay(&status(500), None).is_some());
        assert!(retry.next_delay(&status(502), None).is_some());
        assert_eq!(retry.next_delay(&status(503), None), None);
    }

    #[test]
    fn what_was_asked_wrongly_is_not_asked_again() {
        for code in [400, 401, 403, 404, 410, 422] {
            let mut retry = RetryState::new(RetryPolicy::default());
            assert_eq!(retry.next_delay(&status(code), None), None, "{code}");
        }
        for code in [408, 425, 500, 502, 503, 504] {
            let mut retry = RetryState::new(RetryPolicy::default());
            assert!(retry.next_delay(&status(code), None).is_some(), "{code}");
        }
    }

    #[test]
    fn retry_after_is_honoured_and_capped() {
        let seconds = Duration::from_secs;
        let mut retry = RetryState::new(RetryPolicy::default());
        assert_eq!(retry.next_delay(&status(503), Some(Duration::ZERO)), Some(Duration::ZERO));
        assert_eq!(retry.next_delay(&status(503), Some(seconds(7))), Some(seconds(7)));
        assert_eq!(
            retry.next_delay(&status(503), Some(seconds(7000))),
            Some(Duration::from_mins(1))
        );
    }

    #[test]
    fn reads_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sun, 22 Nov 2026 10:00:00 GMT").unwrap();
        let read = |text| parse_retry_after(text, now);
        assert_eq!(read("0"), Some(Duration::ZERO));
        assert_eq!(read(" 12 "), Some(Duration::from_secs(12)));
        assert_eq!(read("Sun, 22 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Sun, 22 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO), "in the past");
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("1.5"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("3600"), Some(Duration::from_hours(1)));
        assert_eq!(read("3601"), None, "nobody means more than an hour");
        assert_eq!(read("1795000000"), None, "a Unix time");
        assert_eq!(read("99999999999999999999"), None);
        assert_eq!(read("Tue, 22 Dec 2026 10:00:00 GMT"), None, "a month ahead");
    }

    proptest! {
        #[test]
        fn delays_grow_within_their_spread_and_bound(seed in 0_u32..8) {
            let policy = RetryPolicy { max_retries: 8, ..RetryPolicy::default() };
            let mut state = RetryState::new(policy);
            for retry in 0..=seed.min(7) {
                let middle = (policy.first_delay * 2_u32.pow(retry)).min(policy.max_delay);
                let delay = state.next_delay(&status(500), None).unwrap();
                prop_assert!(delay >= middle / 2 && delay <= middle * 3 / 2, "{retry}: {delay:?}");
            }
        }

        #[test]
        fn no_header_is_a_panic(text in ".{0,40}") {
            parse_retry_after(&text, SystemTime::UNIX_EPOCH);
        }
    }
}
