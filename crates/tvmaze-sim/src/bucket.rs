use std::time::Duration;

use tokio::time::Instant;

use crate::RateLimit;

/// A token bucket, kept as the moment at which it will be full again.
///
/// Whole nanoseconds instead of fractional tokens: nothing drifts, however many calls come.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// The time that earns one call.
    interval: Duration,
    /// The time that earns a full bucket.
    capacity: Duration,
    origin: Instant,
    /// Counted from `origin`.
    full_at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(limit: &RateLimit, now: Instant) -> Self {
        let interval = limit.per.checked_div(limit.calls).unwrap_or(limit.per);
        Self {
            interval,
            capacity: interval.saturating_mul(limit.calls),
            origin: now,
            full_at: Duration::ZERO,
        }
    }

    /// Goes on with another limit, short of as many calls as before.
    pub(crate) fn change(&mut self, limit: &RateLimit, now: Instant) {
        let now = now.saturating_duration_since(self.origin);
        let short = self.full_at.saturating_sub(now).as_secs_f64() / self.interval.as_secs_f64();
        let changed = Self::new(limit, self.origin);
        let refill = changed.interval.mul_f64(short).min(changed.capacity);
        *self = Self { full_at: now.saturating_add(refill), ..changed };
    }

    /// Spends one call, or says how long until there is one.
    ///
    /// # Errors
    ///
    /// The wait, never zero; nothing was spent.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let now = now.saturating_duration_since(self.origin);
        let full_at = self.full_at.max(now).saturating_add(self.interval);
        let wait = full_at.saturating_sub(now).saturating_sub(self.capacity);
        if wait.is_zero() {
            self.full_at = full_at;
            Ok(())
        } else {
            Err(wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(limit: &str) -> Bucket {
        Bucket::new(&limit.parse().expect("a rate limit"), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn gives_the_burst_at_once_and_then_one_call_an_interval() {
        let mut bucket = bucket("2/10s");
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Err(Duration::from_secs(5)));

        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(bucket.take(Instant::now()), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Err(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn holds_no_more_than_the_burst_however_long_it_rests() {
        let mut bucket = bucket("3/1s");
        tokio::time::advance(Duration::from_hours(1)).await;
        let given = (0..10).filter(|_| bucket.take(Instant::now()).is_ok()).count();
        assert_eq!(given, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn another_limit_gives_no_calls_away() {
        let mut bucket = bucket("4/4s");
        for _ in 0..3 {
            assert_eq!(bucket.take(Instant::now()), Ok(()));
        }
        bucket.change(&"8/4s".parse().expect("a rate limit"), Instant::now());
        for _ in 0..5 {
            assert_eq!(bucket.take(Instant::now()), Ok(()), "short of 3 of 8");
        }
        assert_eq!(bucket.take(Instant::now()), Err(Duration::from_millis(500)));
    }

    #[test]
    fn zero_calls_refuse_everything() {
        let limit = RateLimit {
            calls: 0,
            per: Duration::from_secs(1),
            retry_after: false,
            cached_exempt: false,
        };
        let mut bucket = Bucket::new(&limit, Instant::now());
        assert_eq!(bucket.take(Instant::now()), Err(Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn never_gives_more_than_the_burst_plus_what_was_earned(
            calls in 1_u32..50,
            per in 1_u64..20_000,
            pauses in prop::collection::vec(0_u64..3_000, 1..200),
        ) {
            let origin = Instant::now();
            let mut bucket = bucket(&format!("{calls}/{per}ms"));
            bucket.origin = origin;
            let mut now = origin;
            let mut given = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                if bucket.take(now).is_ok() {
                    given.push(now);
                }
            }
            let interval = Duration::from_millis(per) / calls;
            for (first, start) in given.iter().enumerate() {
                for (last, end) in given.iter().enumerate().skip(first) {
                    let earned = (*end - *start).as_nanos() / interval.as_nanos();
                    prop_assert!((last - first) as u128 <= earned + u128::from(calls));
                }
            }
        }

        #[test]
        fn the_wait_it_names_is_exact(calls in 1_u32..50, per in 1_u64..20_000) {
            let now = Instant::now();
            let mut bucket = bucket(&format!("{calls}/{per}ms"));
            bucket.origin = now;
            let wait = std::iter::repeat_with(|| bucket.take(now))
                .find_map(Result::err)
                .expect("a burst ends");
            let moment = Duration::from_nanos(1);
            prop_assert_eq!(bucket.take(now + wait - moment), Err(moment));
            prop_assert_eq!(bucket.take(now + wait), Ok(()));
        }
    }
}
