use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use futures::poll;

use super::*;

const TVMAZE: RateLimit = RateLimit::Fixed { calls: 20, per: Duration::from_secs(10) };

/// The token bucket in front of TVmaze's origin. Cached responses bypass it.
struct TokenBucket {
    burst: f64,
    rate: f64,
    retry_after: bool,
    tokens: f64,
    refilled_at: Instant,
}

impl TokenBucket {
    fn new(burst: f64, rate: f64) -> TokenBucket {
        TokenBucket { burst, rate, retry_after: false, tokens: burst, refilled_at: Instant::now() }
    }

    fn try_acquire(&mut self) -> Feedback {
        self.tokens =
            (self.tokens + self.refilled_at.elapsed().as_secs_f64() * self.rate).min(self.burst);
        self.refilled_at = Instant::now();
        if self.tokens >= 1.0 - 1e-9 {
            self.tokens -= 1.0;
            return Feedback::Accepted;
        }
        let wait = ((1.0 - self.tokens) / self.rate).ceil();
        Feedback::Throttled(self.retry_after.then(|| Duration::from_secs_f64(wait)))
    }
}

struct Report {
    seconds: f64,
    accepted: u32,
    throttled: u32,
}

impl Report {
    fn throttled_share(&self) -> f64 {
        f64::from(self.throttled) / f64::from(self.throttled + self.accepted)
    }
}

/// Sends `calls` calls from eight concurrent callers that retry until the call is accepted. `counts`
/// says which calls reach the bucket, and `change` gets the number of calls accepted so far.
async fn send(
    limiter: &RateLimiter,
    bucket: TokenBucket,
    calls: u32,
    counts: impl Fn(u32) -> bool,
    change: impl Fn(u32, &mut TokenBucket),
) -> Report {
    let started = Instant::now();
    let (bucket, next) = (Mutex::new(bucket), Mutex::new(0..calls));
    let (accepted, throttled) = (Mutex::new(0), Mutex::new(0));
    let caller = async || {
        loop {
            let Some(call) = next.lock().unwrap().next() else { return };
            let permit = limiter.acquire().await;
            let mut priority = Priority::New;
            loop {
                let permit = permit.acquire_send(priority).await;
                // Latencies differ, so responses arrive out of order.
                sleep_until(Instant::now() + Duration::from_millis(u64::from(call * 7 % 5))).await;
                change(*accepted.lock().unwrap(), &mut bucket.lock().unwrap());
                let feedback = if counts(call) {
                    bucket.lock().unwrap().try_acquire()
                } else {
                    Feedback::Accepted
                };
                permit.report(feedback);
                if feedback == Feedback::Accepted {
                    break *accepted.lock().unwrap() += 1;
                }
                *throttled.lock().unwrap() += 1;
                priority = Priority::RetryAfter429;
            }
        }
    };
    join_all((0..8).map(|_| caller())).await;
    let seconds = started.elapsed().as_secs_f64();
    let (accepted, throttled) = (*accepted.lock().unwrap(), *throttled.lock().unwrap());
    assert_eq!(accepted, calls, "no call is lost");
    Report { seconds, accepted, throttled }
}

fn adaptive() -> RateLimiter {
    RateLimiter::new(8, RateLimit::Adaptive)
}

fn constant(_: u32, _: &mut TokenBucket) {}

#[tokio::test(start_paused = true)]
async fn finds_the_documented_limit_and_keeps_just_below_it() {
    for retry_after in [false, true] {
        let bucket = TokenBucket { retry_after, ..TokenBucket::new(20.0, 2.0) };
        let report = send(&adaptive(), bucket, 371, |_| true, constant).await;
        let ideal = (371.0 - 20.0) / 2.0;
        assert!(report.seconds < 1.05 * ideal, "{}", report.seconds);
        assert!(report.throttled_share() < 0.03, "{} throttled", report.throttled);
    }
}

#[tokio::test(start_paused = true)]
async fn cached_answers_do_not_wait_for_those_that_count() {
    for retry_after in [false, true] {
        let bucket = TokenBucket { retry_after, ..TokenBucket::new(20.0, 2.0) };
        let report = send(&adaptive(), bucket, 371, |call| call % 10 == 0, constant).await;
        let ideal = (38.0 - 20.0) / 2.0;
        assert!(report.seconds < 1.25 * ideal, "{}", report.seconds);
        assert!(report.throttled_share() < 0.1, "{} throttled", report.throttled);
    }
}

#[tokio::test(start_paused = true)]
async fn follows_a_limit_that_tightens_and_loosens() {
    let halved =
        |accepted, bucket: &mut TokenBucket| bucket.rate = if accepted < 185 { 2.0 } else { 1.0 };
    let report = send(&adaptive(), TokenBucket::new(20.0, 2.0), 371, |_| true, halved).await;
    let ideal = (185.0 - 20.0) / 2.0 + 186.0;
    assert!(report.seconds < 1.1 * ideal, "halved: {}", report.seconds);
    let doubled =
        |accepted, bucket: &mut TokenBucket| bucket.rate = if accepted < 185 { 2.0 } else { 4.0 };
    let report = send(&adaptive(), TokenBucket::new(20.0, 2.0), 371, |_| true, doubled).await;
    let ideal = (185.0 - 20.0) / 2.0 + 186.0 / 4.0;
    assert!(report.seconds < 1.1 * ideal, "doubled: {}", report.seconds);
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_nobody_documented() {
    for (burst, rate) in [(5.0, 0.5), (10.0, 1.0), (20.0, 5.0), (100.0, 2.0), (100.0, 10.0)] {
        let report =
            send(&adaptive(), TokenBucket::new(burst, rate), 600, |_| true, constant).await;
        let ideal = (600.0 - burst) / rate;
        assert!(report.seconds < 1.2 * ideal, "{burst}, {rate}: {} of {ideal}", report.seconds);
        assert!(report.throttled_share() < 0.12, "{burst}, {rate}: {} throttled", report.throttled);
    }
}

#[tokio::test(start_paused = true)]
async fn comes_back_to_its_rate_when_nothing_passed_for_a_while() {
    let limiter = adaptive();
    send(&limiter, TokenBucket::new(20.0, 2.0), 60, |_| true, constant).await;
    let mut blocked = TokenBucket::new(20.0, 2.0);
    // The first token arrives after a minute.
    blocked.tokens = -119.0;
    let report = send(&limiter, blocked, 100, |_| true, constant).await;
    assert!(report.seconds < 60.0 + 50.0 + 40.0, "{}", report.seconds);
    assert!(report.throttled < 40, "{}", report.throttled);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_waits() {
    let report = send(&adaptive(), TokenBucket::new(0.0, 0.0), 10_000, |_| false, constant).await;
    let unlimited = RateLimiter::new(8, RateLimit::Unlimited);
    let best = send(&unlimited, TokenBucket::new(0.0, 0.0), 10_000, |_| false, constant).await;
    assert!(report.seconds < 1.01 * best.seconds, "{} of {}", report.seconds, best.seconds);
}

#[tokio::test(start_paused = true)]
async fn few_calls_are_in_flight_beyond_the_documented_limit_until_one_proves_it_wrong() {
    let limiter = adaptive();
    let mut sent = Vec::new();
    for _ in 0..22 {
        sent.push(limiter.try_send_permit().expect("20, and the first two beyond the limit"));
    }
    assert!(limiter.try_send_permit().is_none());
    for permit in sent.drain(..20) {
        permit.report(Feedback::Accepted);
    }
    assert!(limiter.try_send_permit().is_none(), "no request beyond the limit has a response yet");
    for permit in sent.drain(..) {
        permit.report(Feedback::Accepted);
    }
    let further = std::iter::from_fn(|| limiter.try_send_permit()).take(10);
    assert_eq!(further.collect::<Vec<_>>().len(), 4, "doubled by two accepted requests");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_nothing_behind() {
    let limiter = adaptive();
    for _ in 0..22 {
        drop(limiter.try_send_permit().expect("no request is in flight"));
    }
    assert!(limiter.try_send_permit().is_some(), "the window has room, since 22 were dropped");

    let limiter = RateLimiter::new(1, RateLimit::Adaptive);
    let permit = limiter.acquire().await;
    permit
        .acquire_send(Priority::New)
        .await
        .report(Feedback::Throttled(Some(Duration::from_mins(1))));
    {
        let mut waiting = pin!(permit.acquire_send(Priority::RetryAfter429));
        assert!(poll!(&mut waiting).is_pending());
        let mut queued = pin!(limiter.acquire());
        assert!(poll!(&mut queued).is_pending(), "the only permit is taken");
    }
    drop(permit);
    tokio::time::advance(Duration::from_mins(2)).await;
    let permit = limiter.acquire().await;
    let new = pin!(permit.acquire_send(Priority::New));
    assert!(matches!(poll!(new), Poll::Ready(_)), "no rate-limited request waits ahead of it");
}

impl RateLimiter {
    /// A permit, if one is available without waiting.
    fn try_send_permit(&self) -> Option<SendPermit<'_>> {
        let grant = self.try_acquire_send(Priority::New).ok()?;
        Some(SendPermit { limiter: self, grant })
    }
}

/// When each of `count` requests may be sent, in seconds after the start.
async fn send_times(limiter: &RateLimiter, count: usize) -> Vec<f64> {
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..count {
        limiter.acquire().await.acquire_send(Priority::New).await.report(Feedback::Accepted);
        times.push(start.elapsed().as_secs_f64());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn a_fixed_limit_allows_a_burst_and_then_its_rate() {
    let times = send_times(&RateLimiter::new(1, TVMAZE), 60).await;
    assert!(times[19] < 0.1, "a burst of 20: {times:?}");
    assert!((19.5..20.5).contains(&times[59]), "40 more at two per second: {times:?}");
    for (earlier, later) in times.iter().zip(&times[21..]) {
        assert!(later - earlier > 0.49, "no 22 calls within half a second");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_time_saves_up_one_burst_and_no_more() {
    let limiter = RateLimiter::new(1, TVMAZE);
    tokio::time::advance(Duration::from_hours(1)).await;
    let times = send_times(&limiter, 30).await;
    assert!(times[19] < 0.1 && times[29] > 4.9, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_holds_everyone_back() {
    let limiter = RateLimiter::new(8, RateLimit::Unlimited);
    for pause in [5, 2] {
        limiter.on_response(None, Feedback::Throttled(Some(Duration::from_secs(pause))));
    }
    let times = send_times(&limiter, 3).await;
    assert!(times.iter().all(|&time| (5.0..5.1).contains(&time)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_zero_for_ever_is_no_busy_loop() {
    let limiter = RateLimiter::new(1, RateLimit::Unlimited);
    let permit = limiter.acquire().await;
    let start = Instant::now();
    for _ in 0..100 {
        permit
            .acquire_send(Priority::RetryAfter429)
            .await
            .report(Feedback::Throttled(Some(Duration::ZERO)));
    }
    assert!(start.elapsed() > Duration::from_mins(3), "{:?}", start.elapsed());
    assert!(limiter.throttled_for() > Duration::from_mins(3));
}
