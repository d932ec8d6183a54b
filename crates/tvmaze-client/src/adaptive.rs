//! Finds the rate that TVmaze sustains from nothing but its answers. Pure: it is told the time.
//!
//! TVmaze's limit is a bucket of calls that refills steadily; an answer from the edge cache costs
//! nothing, and no header tells which one did. All that can be learnt comes from the 429s: at each of
//! them the bucket is empty, so the calls answered between two of them are what it was refilled with.

use std::time::Duration;

use tokio::time::Instant;

/// The calls at once, and each second, that TVmaze documents as always allowed: 20 every 10 seconds.
const DOCUMENTED_BURST: f64 = 20.0;
const DOCUMENTED_RATE: f64 = 2.0;

/// Beyond the documented limit and before the first 429: calls in flight at first. It doubles with
/// every round of good answers, and bounds what the first 429 finds in flight.
const FIRST_WINDOW: u32 = 2;

/// How much of the sustainable rate is used while nothing is tried out.
const JUST_BELOW: f64 = 0.98;
/// The calls from a 429 to the next try at more: in a steady state, one answer in so many is a 429.
const HOLD: f64 = 48.0;
/// A try goes this much faster than what is believed sustainable. It costs one 429 however fast it goes.
const PROBE: f64 = 2.0;
/// The calls beyond what is believed sustainable that prove it wrong when all of them are answered.
const PROOF: f64 = 3.0;
/// The growth with every good answer once it is proved wrong, ...
const GROWTH: f64 = 1.15;
/// ... and below the documented rate, which is certain to come back.
const RECOVERY: f64 = 1.5;
/// At more than this many times the documented rate, most answers must come from the cache.
const CACHED: f64 = 3.0;
/// Calls a second that are sent however strict the limit.
const LOWEST_RATE: f64 = 0.1;
/// The calls after which a rate is measured anew.
const MEASURED: f64 = 16.0;
/// The longest wait between two calls that are both refused, without a `Retry-After`.
const LONGEST_WAIT: f64 = 10.0;

/// What is known of a call before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It may be answered from the cache.
    Fresh,
    /// It got a 429, so it counts.
    Refused,
}

/// What an answer tells about the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was let through.
    Passed,
    /// 429, with the `Retry-After` if there was one.
    Limited(Option<Duration>),
    /// Nothing: a fault, or nobody waited for the answer.
    Unknown,
}

/// A call that was let go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    sent: Instant,
    /// Beyond the documented limit, before any 429.
    unproven: bool,
}

/// When a call that may not go yet should ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Until(Instant),
    /// As soon as another call was answered or gave up.
    Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No 429 yet: everything goes.
    Open,
    /// Just below the sustainable rate.
    Hold,
    /// Above it, for a moment.
    Probe,
    /// It was wrong: faster with every answer.
    Grow,
}

#[derive(Debug)]
pub(crate) struct Adaptive {
    phase: Phase,
    /// Calls a second, cached ones among them, that are believed sustainable.
    rate: f64,
    /// What `rate` is multiplied with at present.
    pace: f64,
    /// Whether most answers seem to come from the cache, so that `rate` says little about one call.
    mostly_cached: bool,
    /// Calls that may go now, as of `refilled`.
    credit: f64,
    refilled: Instant,
    /// Nothing that counts is sent before.
    opens: Instant,
    /// The first call after a rest, or a 429: where the present measurement began, ...
    measured_since: Instant,
    /// ... and the calls that passed since.
    measured: f64,
    /// The last 429 that came as news, and the calls sent and passed since.
    refused_at: Instant,
    passed: f64,
    /// 429s in a row.
    refusals: i32,
    /// Refused calls that wait for their turn, which is before everyone else's.
    refused_waiting: u32,
    window: u32,
    unproven: u32,
}

impl Adaptive {
    pub(crate) fn new(now: Instant) -> Adaptive {
        Adaptive {
            phase: Phase::Open,
            rate: DOCUMENTED_RATE,
            pace: 1.0,
            mostly_cached: false,
            credit: DOCUMENTED_BURST,
            refilled: now,
            opens: now,
            measured_since: now,
            measured: 0.0,
            refused_at: now,
            passed: 0.0,
            refusals: 0,
            refused_waiting: 0,
            window: FIRST_WINDOW,
            unproven: 0,
        }
    }

    /// Lets a call go, or says when to ask again.
    pub(crate) fn enter(&mut self, attempt: Attempt, now: Instant) -> Result<Ticket, Wait> {
        self.refill(now);
        if self.phase == Phase::Open {
            return self.enter_unlimited(now);
        }
        let refused = attempt == Attempt::Refused;
        if self.opens > now && (refused || !self.mostly_cached) {
            return Err(Wait::Until(self.opens));
        }
        if !refused && self.refused_waiting > 0 && self.opens <= now {
            return Err(Wait::Change);
        }
        let cost = if refused { self.cost_of_counted() } else { 1.0 };
        let missing = cost - self.credit;
        // Less than a billionth of a call is rounding.
        if missing > 1e-9 {
            let wait = Duration::from_secs_f64(missing / (self.rate * self.pace));
            return Err(Wait::Until(now + wait.max(Duration::from_millis(1))));
        }
        self.credit -= cost;
        Ok(Ticket { sent: now, unproven: false })
    }

    fn enter_unlimited(&mut self, now: Instant) -> Result<Ticket, Wait> {
        if self.credit >= DOCUMENTED_BURST {
            self.measure_from(now);
        }
        let unproven = self.credit < 1.0;
        if unproven {
            if self.unproven >= self.window {
                return Err(Wait::Change);
            }
            self.unproven += 1;
        } else {
            self.credit -= 1.0;
        }
        Ok(Ticket { sent: now, unproven })
    }

    /// The calls a second that are let go, once a limit has shown.
    pub(crate) fn limit(&self) -> Option<f64> {
        (self.phase != Phase::Open).then_some(self.rate * self.pace)
    }

    /// A refused call begins, or ends, to wait for its turn.
    pub(crate) fn refused_call_waits(&mut self, waits: bool) {
        self.refused_waiting =
            self.refused_waiting.saturating_add_signed(if waits { 1 } else { -1 });
    }

    /// Learns from the answer to a call.
    pub(crate) fn answered(&mut self, ticket: Ticket, answer: Answer, now: Instant) {
        self.refill(now);
        self.unproven -= u32::from(ticket.unproven);
        match answer {
            Answer::Unknown => {}
            Answer::Passed => self.passed(ticket, now),
            Answer::Limited(retry_after) => {
                self.limited(ticket, retry_after.is_some(), now);
                if let Some(delay) = retry_after {
                    self.opens = self.opens.max(now + delay);
                }
            }
        }
    }

    fn passed(&mut self, ticket: Ticket, now: Instant) {
        self.measured += 1.0;
        if self.phase == Phase::Open {
            // Only the number of answers proves anything: calls overtake each other on their way.
            if ticket.unproven && self.measured > self.documented(now) {
                self.window = self.window.saturating_add(1);
            }
            return;
        }
        if ticket.sent < self.refused_at {
            return;
        }
        self.passed += 1.0;
        if self.refusals > 1 && !self.mostly_cached {
            self.recover(now);
            return;
        }
        self.refusals = 0;
        let calls_a_counted_one = self.calls_a_counted_one();
        let beyond = self.passed - self.rate * seconds(self.refused_at, now);
        match self.phase {
            Phase::Hold if self.passed >= HOLD * calls_a_counted_one => {
                self.go(Phase::Probe, PROBE);
            }
            Phase::Probe if beyond > PROOF * calls_a_counted_one => self.go(Phase::Grow, PROBE),
            Phase::Grow => {
                let below_documented = self.rate * self.pace < DOCUMENTED_RATE;
                let growth = GROWTH.powf(1.0 / calls_a_counted_one);
                self.pace *= if below_documented { RECOVERY } else { growth };
            }
            Phase::Open | Phase::Hold | Phase::Probe => {}
        }
    }

    /// The first good answer after 429s in a row: it took one call's worth of time.
    fn recover(&mut self, now: Instant) {
        let rate = 2.0 / seconds(self.measured_since, now);
        self.rate = self.rate.min(rate.max(LOWEST_RATE));
        self.refusals = 0;
        self.refused_at = now;
        self.measure_from(now);
        self.go(Phase::Grow, 1.0);
    }

    fn limited(&mut self, ticket: Ticket, knows_when: bool, now: Instant) {
        if self.phase == Phase::Open {
            self.rate *= (self.measured / self.documented(now)).max(1.0);
            self.mostly_cached = self.rate > CACHED * DOCUMENTED_RATE;
        } else if ticket.sent < self.refused_at {
            // Sent before the last 429 came: the same news again.
            return;
        } else {
            self.refusals = if self.passed > 0.0 { 1 } else { self.refusals + 1 };
            if self.refusals > 1 && !self.mostly_cached {
                self.hold_back(knows_when, now);
            } else {
                self.measure(now);
            }
        }
        if self.phase == Phase::Open
            || self.phase == Phase::Grow
            || self.measured >= MEASURED * self.calls_a_counted_one()
        {
            self.measure_from(now);
        }
        self.refused_at = now;
        self.passed = 0.0;
        self.credit = 0.0;
        let pace = if self.mostly_cached { PROBE } else { JUST_BELOW };
        match self.phase {
            // It went up blindly, so what it measured is rough.
            Phase::Grow => self.go(Phase::Probe, PROBE),
            Phase::Open | Phase::Hold | Phase::Probe => self.go(Phase::Hold, pace),
        }
    }

    /// The bucket was empty then and is empty now, give or take a call.
    fn measure(&mut self, now: Instant) {
        let calls_a_counted_one = self.calls_a_counted_one();
        // How many of some calls count is a matter of chance, unless all do.
        let chance =
            if self.mostly_cached { (self.measured / calls_a_counted_one).sqrt() } else { 0.0 };
        let error = calls_a_counted_one * (1.0 + chance);
        let elapsed = seconds(self.measured_since, now);
        let rate = |calls: f64| (calls / elapsed).max(LOWEST_RATE);
        self.rate = self.rate.clamp(rate(self.measured - error), rate(self.measured + error));
        let may_be_cached = self.mostly_cached || self.phase == Phase::Grow;
        self.mostly_cached = may_be_cached && self.rate > CACHED * DOCUMENTED_RATE;
    }

    /// Nothing passes at all: doubles the wait with each 429 that does not say how long it should be.
    fn hold_back(&mut self, knows_when: bool, now: Instant) {
        if self.refusals == 2 {
            self.measure_from(self.refused_at);
        }
        if knows_when {
            return;
        }
        let wait = 2_f64.powi(self.refusals - 2) / self.rate.min(DOCUMENTED_RATE);
        self.opens = self.opens.max(now + Duration::from_secs_f64(wait.min(LONGEST_WAIT)));
    }

    fn measure_from(&mut self, start: Instant) {
        self.measured_since = start;
        self.measured = 0.0;
    }

    fn go(&mut self, phase: Phase, pace: f64) {
        tracing::trace!(?phase, rate = self.rate, pace, "the rate limit is followed");
        self.phase = phase;
        self.pace = pace;
    }

    fn refill(&mut self, now: Instant) {
        let rate = if self.phase == Phase::Open { DOCUMENTED_RATE } else { self.rate * self.pace };
        let full = DOCUMENTED_BURST * self.calls_a_counted_one();
        self.credit = (self.credit + rate * seconds(self.refilled, now)).min(full.max(self.credit));
        self.refilled = self.refilled.max(now);
    }

    /// The calls that the documented limit allows since the first one.
    fn documented(&self, now: Instant) -> f64 {
        DOCUMENTED_BURST + DOCUMENTED_RATE * seconds(self.measured_since, now)
    }

    /// How many calls there are, cached ones among them, for one that counts.
    fn calls_a_counted_one(&self) -> f64 {
        if self.mostly_cached { (self.rate / DOCUMENTED_RATE).max(1.0) } else { 1.0 }
    }

    /// The credit for a call that is known to count.
    fn cost_of_counted(&self) -> f64 {
        if self.mostly_cached { self.calls_a_counted_one() * self.pace } else { 1.0 }
    }
}

/// The seconds from `start` to `end`; never nothing, so that it can divide.
fn seconds(start: Instant, end: Instant) -> f64 {
    end.saturating_duration_since(start).as_secs_f64().max(1e-6)
}
