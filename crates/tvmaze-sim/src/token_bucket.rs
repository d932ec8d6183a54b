use std::time::Duration;

use tokio::time::Instant;

use crate::rate_limit::RateLimit;

/// A token bucket, represented by the time at which it will be full.
///
/// It counts whole nanoseconds instead of fractional tokens, so rounding errors do not accumulate.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    /// The time in which one token is refilled.
    interval: Duration,
    /// The time in which an empty bucket refills.
    capacity: Duration,
    origin: Instant,
    /// Relative to `origin`.
    full_at: Duration,
}

impl TokenBucket {
    /// Creates a full bucket.
    pub(crate) fn new(limit: &RateLimit, now: Instant) -> Self {
        let interval = limit.per.checked_div(limit.calls).unwrap_or(limit.per);
        Self {
            interval,
            capacity: interval.saturating_mul(limit.calls),
            origin: now,
            full_at: Duration::ZERO,
        }
    }

    /// Changes the limit. As many tokens are missing afterwards as before, at most all of them.
    pub(crate) fn reconfigure(&mut self, limit: &RateLimit, now: Instant) {
        let now = now.saturating_duration_since(self.origin);
        let missing = self.full_at.saturating_sub(now).as_secs_f64() / self.interval.as_secs_f64();
        let new = Self::new(limit, self.origin);
        let refill = new.interval.mul_f64(missing).min(new.capacity);
        *self = Self { full_at: now.saturating_add(refill), ..new };
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// The time until a token is available, never zero, if the bucket is empty.
    pub(crate) fn try_acquire(&mut self, now: Instant) -> Result<(), Duration> {
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

    fn bucket(limit: &str) -> TokenBucket {
        TokenBucket::new(&limit.parse().expect("a rate limit"), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn gives_the_burst_at_once_and_then_one_call_an_interval() {
        let mut bucket = bucket("2/10s");
        assert_eq!(bucket.try_acquire(Instant::now()), Ok(()));
        assert_eq!(bucket.try_acquire(Instant::now()), Ok(()));
        assert_eq!(bucket.try_acquire(Instant::now()), Err(Duration::from_secs(5)));

        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(bucket.try_acquire(Instant::now()), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(bucket.try_acquire(Instant::now()), Ok(()));
        assert_eq!(bucket.try_acquire(Instant::now()), Err(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn holds_no_more_than_the_burst_however_long_it_rests() {
        let mut bucket = bucket("3/1s");
        tokio::time::advance(Duration::from_hours(1)).await;
        let acquired = (0..10).filter(|_| bucket.try_acquire(Instant::now()).is_ok()).count();
        assert_eq!(acquired, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_limit_adds_no_tokens() {
        let mut bucket = bucket("4/4s");
        for _ in 0..3 {
            assert_eq!(bucket.try_acquire(Instant::now()), Ok(()));
        }
        bucket.reconfigure(&"8/4s".parse().expect("a rate limit"), Instant::now());
        for _ in 0..5 {
            assert_eq!(bucket.try_acquire(Instant::now()), Ok(()), "3 of 8 tokens are missing");
        }
        assert_eq!(bucket.try_acquire(Instant::now()), Err(Duration::from_millis(500)));
    }

    #[test]
    fn zero_calls_refuse_everything() {
        let limit = RateLimit {
            calls: 0,
            per: Duration::from_secs(1),
            retry_after: false,
            exempt_cached: false,
        };
        let mut bucket = TokenBucket::new(&limit, Instant::now());
        assert_eq!(bucket.try_acquire(Instant::now()), Err(Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn never_gives_more_than_the_burst_plus_what_was_refilled(
            calls in 1_u32..50,
            per in 1_u64..20_000,
            pauses in prop::collection::vec(0_u64..3_000, 1..200),
        ) {
            let origin = Instant::now();
            let mut bucket = bucket(&format!("{calls}/{per}ms"));
            bucket.origin = origin;
            let mut now = origin;
            let mut acquired = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                if bucket.try_acquire(now).is_ok() {
                    acquired.push(now);
                }
            }
            let interval = Duration::from_millis(per) / calls;
            for (first, start) in acquired.iter().enumerate() {
                for (last, end) in acquired.iter().enumerate().skip(first) {
                    let refilled = (*end - *start).as_nanos() / interval.as_nanos();
                    prop_assert!((last - first) as u128 <= refilled + u128::from(calls));
                }
            }
        }

        #[test]
        fn the_wait_it_names_is_exact(calls in 1_u32..50, per in 1_u64..20_000) {
            let now = Instant::now();
            let mut bucket = bucket(&format!("{calls}/{per}ms"));
            bucket.origin = now;
            let wait = std::iter::repeat_with(|| bucket.try_acquire(now))
                .find_map(Result::err)
                .expect("a burst ends");
            let nanosecond = Duration::from_nanos(1);
            prop_assert_eq!(bucket.try_acquire(now + wait - nanosecond), Err(nanosecond));
            prop_assert_eq!(bucket.try_acquire(now + wait), Ok(()));
        }
    }
}
