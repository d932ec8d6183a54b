use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use crate::adaptive::{Adaptive, Answer, Attempt, Ticket, Wait};
use crate::metrics;

/// How fast a client may send. One limit governs all clones of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RateLimit {
    /// As fast as the concurrency allows until TVmaze says 429, and then just below the rate that it
    /// turns out to sustain. Follows the limit when it loosens or tightens.
    #[default]
    Adaptive,
    /// At most `calls` at once, refilled evenly over `per`, cached answers counted like all others.
    /// TVmaze documents 20 calls per 10 seconds.
    Fixed {
        /// The size of a burst.
        calls: u32,
        /// The time in which a whole burst is refilled.
        per: Duration,
    },
    /// As fast as the concurrency allows; a 429 pauses the whole client.
    Unlimited,
}

/// The pause of a client without adaptive limit after a 429 that names none: what TVmaze's maintainers
/// advise.
const PAUSE: Duration = Duration::from_secs(2);
/// Each further 429 in a row pauses at least this much longer, so that `Retry-After: 0` for ever is not a
/// busy loop.
const PAUSE_STEP: Duration = Duration::from_millis(50);

/// Decides when the next request of a client may go: one for all its clones.
pub(crate) struct Limiter {
    places: Semaphore,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    pace: Pace,
    /// The first 429 after the last answer that was none.
    refused_since: Option<Instant>,
}

enum Pace {
    Adaptive(Adaptive),
    Gate(Gate),
}

/// One of the requests that may be under way at a time. Given back on drop.
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    _permit: Option<SemaphorePermit<'a>>,
}

/// Leave to send one request. Whoever drops it unsettled has learnt nothing.
pub(crate) struct Admission<'a> {
    limiter: &'a Limiter,
    ticket: Option<Ticket>,
}

impl Limiter {
    pub(crate) fn new(concurrency: usize, limit: RateLimit) -> Limiter {
        let now = Instant::now();
        let pace = match limit {
            RateLimit::Adaptive => Pace::Adaptive(Adaptive::new(now)),
            RateLimit::Fixed { calls, per } => Pace::Gate(Gate::new(Some((calls, per)), now)),
            RateLimit::Unlimited => Pace::Gate(Gate::new(None, now)),
        };
        Limiter {
            places: Semaphore::new(concurrency),
            state: Mutex::new(State { pace, refused_since: None }),
            changed: Notify::new(),
        }
    }

    /// Waits for one of the places; first come, first served.
    pub(crate) async fn place(&self) -> Place<'_> {
        // The semaphore is never closed.
        Place { limiter: self, _permit: self.places.acquire().await.ok() }
    }

    fn enter(&self, attempt: Attempt) -> Result<Option<Ticket>, Wait> {
        let now = Instant::now();
        match &mut self.state().pace {
            Pace::Adaptive(adaptive) => adaptive.enter(attempt, now).map(Some),
            Pace::Gate(gate) => gate.enter(now).map(|()| None).map_err(Wait::Until),
        }
    }

    fn answered(&self, ticket: Option<Ticket>, answer: Answer) {
        let now = Instant::now();
        let mut state = self.state();
        match answer {
            Answer::Passed => state.refused_since = None,
            Answer::Limited(_) => _ = state.refused_since.get_or_insert(now),
            Answer::Unknown => {}
        }
        match (&mut state.pace, ticket) {
            (Pace::Adaptive(adaptive), Some(ticket)) => {
                adaptive.answered(ticket, answer, now);
                adaptive.limit().into_iter().for_each(metrics::limit);
            }
            (Pace::Gate(gate), _) => gate.answered(answer, now),
            (Pace::Adaptive(_), None) => {}
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// For how long nothing but 429s came.
    pub(crate) fn refused_for(&self) -> Duration {
        self.state().refused_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Place<'a> {
    /// Waits until a request may go.
    pub(crate) async fn admit(&self, attempt: Attempt) -> Admission<'a> {
        let limiter = self.limiter;
        let mut waiting = None;
        loop {
            // Before the question, so that no change between it and the wait is missed.
            let changed = limiter.changed.notified();
            let wait = match limiter.enter(attempt) {
                Ok(ticket) => return Admission { limiter, ticket },
                Err(wait) => wait,
            };
            if attempt == Attempt::Refused && waiting.is_none() {
                waiting = Some(RefusedWaits::new(limiter));
            }
            let since = Instant::now();
            match wait {
                Wait::Change => changed.await,
                Wait::Until(time) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(time) => {}
                },
            }
            metrics::waited(since);
        }
    }
}

impl Admission<'_> {
    /// Tells what came of the request.
    pub(crate) fn settle(mut self, answer: Answer) {
        let ticket = self.ticket.take();
        self.limiter.answered(ticket, answer);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.limiter.answered(Some(ticket), Answer::Unknown);
        }
    }
}

/// A refused call in the line; others let it pass.
struct RefusedWaits<'a>(&'a Limiter);

impl<'a> RefusedWaits<'a> {
    fn new(limiter: &'a Limiter) -> RefusedWaits<'a> {
        if let Pace::Adaptive(adaptive) = &mut limiter.state().pace {
            adaptive.refused_call_waits(true);
        }
        RefusedWaits(limiter)
    }
}

impl Drop for RefusedWaits<'_> {
    fn drop(&mut self) {
        if let Pace::Adaptive(adaptive) = &mut self.0.state().pace {
            adaptive.refused_call_waits(false);
        }
        self.0.changed.notify_waiters();
    }
}

/// A limit that is known, or none.
struct Gate {
    limit: Option<(u32, Duration)>,
    /// Nothing is sent before.
    opens: Instant,
    /// When a bucket that nobody takes from would be full again.
    full: Instant,
    /// 429s in a row.
    refusals: u32,
}

impl Gate {
    fn new(limit: Option<(u32, Duration)>, now: Instant) -> Gate {
        Gate { limit, opens: now, full: now, refusals: 0 }
    }

    /// Lets a call go and counts it, or says when to come again.
    fn enter(&mut self, now: Instant) -> Result<(), Instant> {
        if self.opens > now {
            return Err(self.opens);
        }
        let Some((calls, per)) = self.limit else { return Ok(()) };
        let interval = per / calls.max(1);
        let full = self.full.max(now) + interval;
        let earliest = full.checked_sub(per.max(interval)).unwrap_or(now);
        if earliest > now {
            return Err(earliest);
        }
        self.full = full;
        Ok(())
    }

    fn answered(&mut self, answer: Answer, now: Instant) {
        match answer {
            Answer::Passed => self.refusals = 0,
            Answer::Limited(retry_after) => {
                let pause = retry_after.unwrap_or(PAUSE).max(PAUSE_STEP * self.refusals);
                self.opens = self.opens.max(now + pause);
                self.refusals += 1;
            }
            Answer::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests;
