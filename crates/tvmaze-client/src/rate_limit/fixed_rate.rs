use std::time::Duration;

use tokio::time::Instant;

use super::adaptive::Feedback;

/// Pause after a 429 without a `Retry-After`: what TVmaze's maintainers advise.
const DEFAULT_429_PAUSE: Duration = Duration::from_secs(2);
/// Each consecutive 429 pauses at least this much longer, so that a server that always sends
/// `Retry-After: 0` does not cause a busy loop.
const MIN_429_STEP: Duration = Duration::from_millis(50);

/// Limits requests to a fixed rate, or not at all, and pauses after a 429.
///
/// The generic cell rate algorithm: a token bucket that stores one timestamp.
pub(super) struct FixedRate {
    /// The burst and the time to refill it; `None` for no limit.
    limit: Option<(u32, Duration)>,
    paused_until: Instant,
    /// When the bucket will be full if no further request is sent.
    theoretical_arrival: Instant,
    consecutive_429s: u32,
}

impl FixedRate {
    pub(super) fn new(limit: Option<(u32, Duration)>, now: Instant) -> FixedRate {
        FixedRate { limit, paused_until: now, theoretical_arrival: now, consecutive_429s: 0 }
    }

    /// Takes a token, or returns when to try again.
    pub(super) fn try_acquire(&mut self, now: Instant) -> Result<(), Instant> {
        if self.paused_until > now {
            return Err(self.paused_until);
        }
        let Some((burst, per)) = self.limit else { return Ok(()) };
        let interval = per / burst.max(1);
        let theoretical_arrival = self.theoretical_arrival.max(now) + interval;
        let earliest = theoretical_arrival.checked_sub(per.max(interval)).unwrap_or(now);
        if earliest > now {
            return Err(earliest);
        }
        self.theoretical_arrival = theoretical_arrival;
        Ok(())
    }

    pub(super) fn on_response(&mut self, feedback: Feedback, now: Instant) {
        match feedback {
            Feedback::Accepted => self.consecutive_429s = 0,
            Feedback::Throttled(retry_after) => {
                let pause = retry_after.unwrap_or(DEFAULT_429_PAUSE);
                let pause = pause.max(MIN_429_STEP * self.consecutive_429s);
                self.paused_until = self.paused_until.max(now + pause);
                self.consecutive_429s += 1;
            }
            Feedback::Aborted => {}
        }
    }
}
