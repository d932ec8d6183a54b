use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// How fast a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RateLimit {
    /// As fast as the concurrency allows, until a 429 pauses the whole client.
    #[default]
    Unlimited,
    /// At most `calls` at once, refilled evenly over `per`. TVmaze documents 20 calls per 10 seconds.
    Fixed {
        /// The size of a burst.
        calls: u32,
        /// The time in which a whole burst is refilled.
        per: Duration,
    },
}

/// Decides when the next request of a client may go: one for all its clones.
pub(crate) struct Limiter {
    permits: Semaphore,
    gate: Mutex<Gate>,
    limit: RateLimit,
}

struct Gate {
    /// Nothing is sent before.
    opens: Instant,
    /// When a bucket that nobody takes from would be full again.
    full: Instant,
}

impl Limiter {
    pub(crate) fn new(concurrency: usize, limit: RateLimit) -> Limiter {
        let now = Instant::now();
        let gate = Mutex::new(Gate { opens: now, full: now });
        Limiter { permits: Semaphore::new(concurrency), gate, limit }
    }

    /// Waits for a free place and an open gate. Dropping the permit, or this future, gives the place
    /// back.
    pub(crate) async fn admit(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.permits.acquire().await.ok()?;
        loop {
            let now = Instant::now();
            let at = self.gate().enter(self.limit, now);
            if at <= now {
                return Some(permit);
            }
            sleep_until(at).await;
        }
    }

    /// Holds every request of the client back for `delay`.
    pub(crate) fn pause(&self, delay: Duration) {
        let mut gate = self.gate();
        gate.opens = gate.opens.max(Instant::now() + delay);
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// When to come (again); a time that is not after `now` means that the call may go and is counted.
    fn enter(&mut self, limit: RateLimit, now: Instant) -> Instant {
        if self.opens > now {
            return self.opens;
        }
        let RateLimit::Fixed { calls, per } = limit else { return now };
        let interval = per / calls.max(1);
        let full = self.full.max(now) + interval;
        let earliest = full.checked_sub(per.max(interval)).unwrap_or(now);
        if earliest <= now {
            self.full = full;
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const TVMAZE: RateLimit = RateLimit::Fixed { calls: 20, per: Duration::from_secs(10) };

    /// When each of `count` calls was admitted, in seconds after the first.
    async fn admissions(limiter: &Limiter, count: usize) -> Vec<f64> {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            drop(limiter.admit().await);
            times.push(start.elapsed().as_secs_f64());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn a_fixed_limit_lets_a_burst_go_and_then_its_rate() {
        let times = admissions(&Limiter::new(1, TVMAZE), 60).await;
        assert!(times[19] < 0.1, "a burst of 20: {times:?}");
        assert!((19.5..20.5).contains(&times[59]), "40 more at two a second: {times:?}");
        for (earlier, later) in times.iter().zip(&times[21..]) {
            assert!(later - earlier > 0.49, "no 22 calls within half a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_time_saves_up_one_burst_and_no_more() {
        let limiter = Limiter::new(1, TVMAZE);
        tokio::time::advance(Duration::from_hours(1)).await;
        let times = admissions(&limiter, 30).await;
        assert!(times[19] < 0.1 && times[29] > 4.9, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everyone_back() {
        let limiter = Limiter::new(8, RateLimit::Unlimited);
        limiter.pause(Duration::from_secs(5));
        limiter.pause(Duration::from_secs(2));
        let times = admissions(&limiter, 3).await;
        assert!(times.iter().all(|&time| (5.0..5.1).contains(&time)), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_wait_leaves_no_permit_behind() {
        let limiter = Arc::new(Limiter::new(1, RateLimit::Unlimited));
        limiter.pause(Duration::from_mins(1));
        let waiting = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.admit().await.is_some() }
        });
        tokio::task::yield_now().await;
        assert_eq!(limiter.permits.available_permits(), 0);
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert_eq!(limiter.permits.available_permits(), 1);
    }
}
