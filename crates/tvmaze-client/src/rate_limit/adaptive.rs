//! Learns the sustainable request rate from TVmaze's responses. Pure: the caller passes the time.
//!
//! TVmaze's rate limit is a token bucket that refills steadily. Responses from its edge cache cost no
//! tokens, and no header identifies them. The only reliable signal is a 429, which means that the
//! bucket is empty. The number of requests accepted between two 429s is therefore what TVmaze refilled
//! in that time.

use std::time::Duration;

use tokio::time::Instant;

/// TVmaze documents that 20 requests every 10 seconds are always allowed: the size of that burst, ...
const DOCUMENTED_BURST: f64 = 20.0;
/// ... and its refill rate in requests per second.
const DOCUMENTED_RATE: f64 = 2.0;

/// Requests in flight beyond the documented limit at the start. The window doubles with each round of
/// accepted requests, which bounds how many requests the first 429 finds in flight.
const INITIAL_WINDOW: u32 = 2;

/// Fraction of the estimated rate that is used in the steady phase.
const STEADY_FACTOR: f64 = 0.98;
/// Requests from a 429 to the next probe. In a steady state, one response per interval is a 429.
const PROBE_INTERVAL: f64 = 48.0;
/// Speed of a probe relative to the estimated rate. A probe costs one 429 however fast it is.
const PROBE_FACTOR: f64 = 2.0;
/// Accepted requests beyond the estimate that prove the estimate too low.
const PROBE_MARGIN: f64 = 3.0;
/// Growth of the rate with each accepted request after a successful probe.
const RAMP_UP_FACTOR: f64 = 1.15;
/// Growth below the documented rate, which is known to be available again soon.
const RECOVERY_FACTOR: f64 = 1.5;
/// Above this multiple of the documented rate, most responses must come from the cache.
const CACHE_THRESHOLD: f64 = 3.0;
/// Lower bound of the estimated rate, in requests per second.
const MIN_RATE: f64 = 0.1;
/// Requests after which a new sample is started.
const MIN_SAMPLE: f64 = 16.0;
/// Longest pause after consecutive 429s without a `Retry-After`, in seconds.
const MAX_BACKOFF: f64 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Not yet rate-limited. The response may come from the cache.
    New,
    /// The last attempt got a 429, so the request reaches the origin and costs a token.
    RetryAfter429,
}

/// What a response says about the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback {
    Accepted,
    /// 429, with its `Retry-After` if present.
    Throttled(Option<Duration>),
    /// No response: the request failed or was dropped.
    Aborted,
}

/// Permission to send one request; returned to [`AdaptiveRateController::on_response`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    sent_at: Instant,
    /// Sent beyond the documented limit, before the first 429.
    speculative: bool,
}

/// When to call [`AdaptiveRateController::try_acquire`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backpressure {
    Until(Instant),
    /// When another request completes, or a waiting one is dropped.
    UntilNotified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No 429 yet. Only the window limits the rate.
    SlowStart,
    /// Just below the estimated rate.
    Steady,
    /// Briefly above the estimated rate, to test it.
    Probe,
    /// The estimate was too low. The rate grows with each accepted request.
    RampUp,
}

#[derive(Debug)]
pub(crate) struct AdaptiveRateController {
    phase: Phase,
    /// Estimated sustainable rate in requests per second, cached responses included.
    rate: f64,
    /// The multiple of `rate` at which the current phase sends.
    rate_factor: f64,
    /// Most responses seem to come from the cache, so `rate` says little about a single request.
    mostly_cached: bool,
    /// Requests that may be sent immediately, as of `refilled_at`.
    tokens: f64,
    refilled_at: Instant,
    /// Nothing that costs a token is sent before this time.
    paused_until: Instant,
    /// Start of the current sample: a 429, or the first request after an idle period.
    sample_start: Instant,
    /// Requests accepted since `sample_start`.
    sample_size: f64,
    /// The last 429 to a request that was sent after the previous 429.
    last_429_at: Instant,
    /// Requests sent and accepted since `last_429_at`.
    accepted: f64,
    consecutive_429s: i32,
    /// Rate-limited requests waiting to be sent again, which go before all others.
    priority_waiters: u32,
    window: u32,
    speculative_in_flight: u32,
}

impl AdaptiveRateController {
    pub(crate) fn new(now: Instant) -> AdaptiveRateController {
        AdaptiveRateController {
            phase: Phase::SlowStart,
            rate: DOCUMENTED_RATE,
            rate_factor: 1.0,
            mostly_cached: false,
            tokens: DOCUMENTED_BURST,
            refilled_at: now,
            paused_until: now,
            sample_start: now,
            sample_size: 0.0,
            last_429_at: now,
            accepted: 0.0,
            consecutive_429s: 0,
            priority_waiters: 0,
            window: INITIAL_WINDOW,
            speculative_in_flight: 0,
        }
    }

    pub(crate) fn try_acquire(
        &mut self,
        priority: Priority,
        now: Instant,
    ) -> Result<Grant, Backpressure> {
        self.refill(now);
        if self.phase == Phase::SlowStart {
            return self.try_acquire_in_slow_start(now);
        }
        let is_retry = priority == Priority::RetryAfter429;
        if self.paused_until > now && (is_retry || !self.mostly_cached) {
            return Err(Backpressure::Until(self.paused_until));
        }
        if !is_retry && self.priority_waiters > 0 && self.paused_until <= now {
            return Err(Backpressure::UntilNotified);
        }
        let cost = if is_retry { self.origin_cost() } else { 1.0 };
        let missing = cost - self.tokens;
        // Differences below a billionth of a request are rounding errors.
        if missing > 1e-9 {
            let wait = Duration::from_secs_f64(missing / (self.rate * self.rate_factor));
            return Err(Backpressure::Until(now + wait.max(Duration::from_millis(1))));
        }
        self.tokens -= cost;
        Ok(Grant { sent_at: now, speculative: false })
    }

    fn try_acquire_in_slow_start(&mut self, now: Instant) -> Result<Grant, Backpressure> {
        if self.tokens >= DOCUMENTED_BURST {
            self.start_sample(now);
        }
        let speculative = self.tokens < 1.0;
        if speculative {
            if self.speculative_in_flight >= self.window {
                return Err(Backpressure::UntilNotified);
            }
            self.speculative_in_flight += 1;
        } else {
            self.tokens -= 1.0;
        }
        Ok(Grant { sent_at: now, speculative })
    }

    /// Requests per second that are sent at most; `None` before the first 429.
    pub(crate) fn current_limit(&self) -> Option<f64> {
        (self.phase != Phase::SlowStart).then_some(self.rate * self.rate_factor)
    }

    pub(crate) fn add_priority_waiter(&mut self) {
        self.priority_waiters = self.priority_waiters.saturating_add(1);
    }

    pub(crate) fn remove_priority_waiter(&mut self) {
        self.priority_waiters = self.priority_waiters.saturating_sub(1);
    }

    pub(crate) fn on_response(&mut self, grant: Grant, feedback: Feedback, now: Instant) {
        self.refill(now);
        self.speculative_in_flight -= u32::from(grant.speculative);
        match feedback {
            Feedback::Aborted => {}
            Feedback::Accepted => self.on_accepted(grant, now),
            Feedback::Throttled(retry_after) => {
                self.on_429(grant, retry_after.is_some(), now);
                if let Some(delay) = retry_after {
                    self.paused_until = self.paused_until.max(now + delay);
                }
            }
        }
    }

    fn on_accepted(&mut self, grant: Grant, now: Instant) {
        self.sample_size += 1.0;
        if self.phase == Phase::SlowStart {
            // Responses arrive out of order, so only their number proves that the limit is higher.
            if grant.speculative && self.sample_size > self.documented_allowance(now) {
                self.window = self.window.saturating_add(1);
            }
            return;
        }
        if grant.sent_at < self.last_429_at {
            return;
        }
        self.accepted += 1.0;
        if self.consecutive_429s > 1 && !self.mostly_cached {
            self.leave_backoff(now);
            return;
        }
        self.consecutive_429s = 0;
        let requests_per_hit = self.requests_per_origin_hit();
        let beyond_estimate = self.accepted - self.rate * seconds(self.last_429_at, now);
        match self.phase {
            Phase::Steady if self.accepted >= PROBE_INTERVAL * requests_per_hit => {
                self.transition(Phase::Probe, PROBE_FACTOR);
            }
            Phase::Probe if beyond_estimate > PROBE_MARGIN * requests_per_hit => {
                self.transition(Phase::RampUp, PROBE_FACTOR);
            }
            Phase::RampUp => {
                let below_documented = self.rate * self.rate_factor < DOCUMENTED_RATE;
                let growth = RAMP_UP_FACTOR.powf(1.0 / requests_per_hit);
                self.rate_factor *= if below_documented { RECOVERY_FACTOR } else { growth };
            }
            Phase::SlowStart | Phase::Steady | Phase::Probe => {}
        }
    }

    /// Handles the first accepted request after consecutive 429s. It is the only one accepted since the
    /// sample started, so at most two tokens were refilled in that time.
    fn leave_backoff(&mut self, now: Instant) {
        let rate = 2.0 / seconds(self.sample_start, now);
        self.rate = self.rate.min(rate.max(MIN_RATE));
        self.consecutive_429s = 0;
        self.last_429_at = now;
        self.start_sample(now);
        self.transition(Phase::RampUp, 1.0);
    }

    fn on_429(&mut self, grant: Grant, has_retry_after: bool, now: Instant) {
        if self.phase == Phase::SlowStart {
            self.rate *= (self.sample_size / self.documented_allowance(now)).max(1.0);
            self.mostly_cached = self.rate > CACHE_THRESHOLD * DOCUMENTED_RATE;
        } else if grant.sent_at < self.last_429_at {
            // Sent before the previous 429 arrived, so this one adds no information.
            return;
        } else {
            self.consecutive_429s = if self.accepted > 0.0 { 1 } else { self.consecutive_429s + 1 };
            if self.consecutive_429s > 1 && !self.mostly_cached {
                self.back_off(has_retry_after, now);
            } else {
                self.update_estimate(now);
            }
        }
        if self.phase == Phase::SlowStart
            || self.phase == Phase::RampUp
            || self.sample_size >= MIN_SAMPLE * self.requests_per_origin_hit()
        {
            self.start_sample(now);
        }
        self.last_429_at = now;
        self.accepted = 0.0;
        self.tokens = 0.0;
        let factor = if self.mostly_cached { PROBE_FACTOR } else { STEADY_FACTOR };
        match self.phase {
            // The rate grew without measurements, so the estimate is rough.
            Phase::RampUp => self.transition(Phase::Probe, PROBE_FACTOR),
            Phase::SlowStart | Phase::Steady | Phase::Probe => {
                self.transition(Phase::Steady, factor);
            }
        }
    }

    /// Adjusts the estimate to the sample. TVmaze's bucket was empty at the start of the sample and is
    /// empty now, within one request.
    fn update_estimate(&mut self, now: Instant) {
        let requests_per_hit = self.requests_per_origin_hit();
        // How many requests of a sample reach the origin is random, unless all of them do.
        let deviation =
            if self.mostly_cached { (self.sample_size / requests_per_hit).sqrt() } else { 0.0 };
        let error = requests_per_hit * (1.0 + deviation);
        let elapsed = seconds(self.sample_start, now);
        let rate = |requests: f64| (requests / elapsed).max(MIN_RATE);
        self.rate = self.rate.clamp(rate(self.sample_size - error), rate(self.sample_size + error));
        let may_be_cached = self.mostly_cached || self.phase == Phase::RampUp;
        self.mostly_cached = may_be_cached && self.rate > CACHE_THRESHOLD * DOCUMENTED_RATE;
    }

    /// Doubles the pause with each consecutive 429 that has no `Retry-After`.
    fn back_off(&mut self, has_retry_after: bool, now: Instant) {
        if self.consecutive_429s == 2 {
            self.start_sample(self.last_429_at);
        }
        if has_retry_after {
            return;
        }
        let pause = 2_f64.powi(self.consecutive_429s - 2) / self.rate.min(DOCUMENTED_RATE);
        let pause = Duration::from_secs_f64(pause.min(MAX_BACKOFF));
        self.paused_until = self.paused_until.max(now + pause);
    }

    fn start_sample(&mut self, start: Instant) {
        self.sample_start = start;
        self.sample_size = 0.0;
    }

    fn transition(&mut self, phase: Phase, rate_factor: f64) {
        tracing::trace!(?phase, rate = self.rate, rate_factor, "rate limit phase changed");
        self.phase = phase;
        self.rate_factor = rate_factor;
    }

    fn refill(&mut self, now: Instant) {
        let rate = match self.phase {
            Phase::SlowStart => DOCUMENTED_RATE,
            _ => self.rate * self.rate_factor,
        };
        let capacity = DOCUMENTED_BURST * self.requests_per_origin_hit();
        let refilled = self.tokens + rate * seconds(self.refilled_at, now);
        self.tokens = refilled.min(capacity.max(self.tokens));
        self.refilled_at = self.refilled_at.max(now);
    }

    /// Requests that the documented limit allows since the start of the sample.
    fn documented_allowance(&self, now: Instant) -> f64 {
        DOCUMENTED_BURST + DOCUMENTED_RATE * seconds(self.sample_start, now)
    }

    /// Estimated number of requests, cached ones included, per request that reaches the origin.
    fn requests_per_origin_hit(&self) -> f64 {
        if self.mostly_cached { (self.rate / DOCUMENTED_RATE).max(1.0) } else { 1.0 }
    }

    /// Tokens charged for a request that is known to reach the origin.
    fn origin_cost(&self) -> f64 {
        if self.mostly_cached { self.requests_per_origin_hit() * self.rate_factor } else { 1.0 }
    }
}

/// Seconds from `start` to `end`; never zero, so that it can be a divisor.
fn seconds(start: Instant, end: Instant) -> f64 {
    end.saturating_duration_since(start).as_secs_f64().max(1e-6)
}
