//! Decides when a request may be sent.

mod adaptive;
mod fixed_rate;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use self::adaptive::{AdaptiveRateController, Backpressure, Grant};
pub(crate) use self::adaptive::{Feedback, Priority};
use self::fixed_rate::FixedRate;
use crate::metrics;

/// How fast a client sends requests. All clones of a client share one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RateLimit {
    /// As fast as the concurrency allows until the first 429, then just below the rate that TVmaze has
    /// been measured to allow. Adapts when TVmaze's limit changes.
    #[default]
    Adaptive,
    /// A burst of at most `calls` requests, refilled evenly over `per`. Cached responses count like all
    /// others. TVmaze documents 20 calls per 10 seconds.
    Fixed {
        /// The size of a burst.
        calls: u32,
        /// The time in which a whole burst is refilled.
        per: Duration,
    },
    /// As fast as the concurrency allows. A 429 pauses the whole client.
    Unlimited,
}

/// The rate limit and the concurrency limit that the clones of a client share.
pub(crate) struct RateLimiter {
    concurrency: Semaphore,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    strategy: Strategy,
    /// The first 429 since the last response of another status.
    throttled_since: Option<Instant>,
}

enum Strategy {
    Adaptive(AdaptiveRateController),
    FixedRate(FixedRate),
}

/// One of the client's concurrent requests; released on drop.
pub(crate) struct ConcurrencyPermit<'a> {
    limiter: &'a RateLimiter,
    _permit: Option<SemaphorePermit<'a>>,
}

/// Permission to send one request. Dropping it without a [`report`](SendPermit::report) means that the
/// request got no response.
pub(crate) struct SendPermit<'a> {
    limiter: &'a RateLimiter,
    grant: Option<Grant>,
}

impl RateLimiter {
    pub(crate) fn new(concurrency: usize, limit: RateLimit) -> RateLimiter {
        let now = Instant::now();
        let strategy = match limit {
            RateLimit::Adaptive => Strategy::Adaptive(AdaptiveRateController::new(now)),
            RateLimit::Fixed { calls, per } => {
                Strategy::FixedRate(FixedRate::new(Some((calls, per)), now))
            }
            RateLimit::Unlimited => Strategy::FixedRate(FixedRate::new(None, now)),
        };
        RateLimiter {
            concurrency: Semaphore::new(concurrency),
            state: Mutex::new(State { strategy, throttled_since: None }),
            changed: Notify::new(),
        }
    }

    /// Waits for a concurrency permit, in order of arrival.
    pub(crate) async fn acquire(&self) -> ConcurrencyPermit<'_> {
        // The semaphore is never closed.
        ConcurrencyPermit { limiter: self, _permit: self.concurrency.acquire().await.ok() }
    }

    fn try_acquire_send(&self, priority: Priority) -> Result<Option<Grant>, Backpressure> {
        let now = Instant::now();
        match &mut self.state().strategy {
            Strategy::Adaptive(adaptive) => adaptive.try_acquire(priority, now).map(Some),
            Strategy::FixedRate(fixed) => {
                fixed.try_acquire(now).map(|()| None).map_err(Backpressure::Until)
            }
        }
    }

    fn on_response(&self, grant: Option<Grant>, feedback: Feedback) {
        let now = Instant::now();
        let mut state = self.state();
        match feedback {
            Feedback::Accepted => state.throttled_since = None,
            Feedback::Throttled(_) => _ = state.throttled_since.get_or_insert(now),
            Feedback::Aborted => {}
        }
        match (&mut state.strategy, grant) {
            (Strategy::Adaptive(adaptive), Some(grant)) => {
                adaptive.on_response(grant, feedback, now);
                adaptive.current_limit().into_iter().for_each(metrics::set_rate_limit);
            }
            (Strategy::FixedRate(fixed), _) => fixed.on_response(feedback, now),
            (Strategy::Adaptive(_), None) => {}
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// How long the client has received nothing but 429s.
    pub(crate) fn throttled_for(&self) -> Duration {
        self.state().throttled_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> ConcurrencyPermit<'a> {
    /// Waits until the rate limit allows a request.
    pub(crate) async fn acquire_send(&self, priority: Priority) -> SendPermit<'a> {
        let limiter = self.limiter;
        let mut waiter = None;
        loop {
            // Created before the check, so that no change between the check and the wait is missed.
            let changed = limiter.changed.notified();
            let backpressure = match limiter.try_acquire_send(priority) {
                Ok(grant) => return SendPermit { limiter, grant },
                Err(backpressure) => backpressure,
            };
            if priority == Priority::RetryAfter429 && waiter.is_none() {
                waiter = Some(PriorityWaiter::new(limiter));
            }
            let since = Instant::now();
            match backpressure {
                Backpressure::UntilNotified => changed.await,
                Backpressure::Until(time) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(time) => {}
                },
            }
            metrics::record_throttle(since);
        }
    }
}

impl SendPermit<'_> {
    pub(crate) fn report(mut self, feedback: Feedback) {
        let grant = self.grant.take();
        self.limiter.on_response(grant, feedback);
    }
}

impl Drop for SendPermit<'_> {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.limiter.on_response(Some(grant), Feedback::Aborted);
        }
    }
}

/// Makes other requests wait while a rate-limited one waits to be sent again.
struct PriorityWaiter<'a>(&'a RateLimiter);

impl<'a> PriorityWaiter<'a> {
    fn new(limiter: &'a RateLimiter) -> PriorityWaiter<'a> {
        if let Strategy::Adaptive(adaptive) = &mut limiter.state().strategy {
            adaptive.add_priority_waiter();
        }
        PriorityWaiter(limiter)
    }
}

impl Drop for PriorityWaiter<'_> {
    fn drop(&mut self) {
        if let Strategy::Adaptive(adaptive) = &mut self.0.state().strategy {
            adaptive.remove_priority_waiter();
        }
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
