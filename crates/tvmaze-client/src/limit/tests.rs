use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use futures::poll;

use super::*;

const TVMAZE: RateLimit = RateLimit::Fixed { calls: 20, per: Duration::from_secs(10) };

/// A bucket of calls in front of TVmaze's backend; cached answers do not pass it.
struct Bucket {
    burst: f64,
    rate: f64,
    retry_after: bool,
    level: f64,
    filled: Instant,
}

impl Bucket {
    fn new(burst: f64, rate: f64) -> Bucket {
        Bucket { burst, rate, retry_after: false, level: burst, filled: Instant::now() }
    }

    fn take(&mut self) -> Answer {
        self.level = (self.level + self.filled.elapsed().as_secs_f64() * self.rate).min(self.burst);
        self.filled = Instant::now();
        if self.level >= 1.0 - 1e-9 {
            self.level -= 1.0;
            return Answer::Passed;
        }
        let wait = ((1.0 - self.level) / self.rate).ceil();
        Answer::Limited(self.retry_after.then(|| Duration::from_secs_f64(wait)))
    }
}

struct Report {
    seconds: f64,
    passed: u32,
    refused: u32,
}

impl Report {
    fn share_refused(&self) -> f64 {
        f64::from(self.refused) / f64::from(self.refused + self.passed)
    }
}

/// Sends `calls` calls as eight callers do that retry until they pass; `counts` says which calls pass
/// the bucket, and `change` is told how many have passed so far.
async fn send(
    limiter: &Limiter,
    bucket: Bucket,
    calls: u32,
    counts: impl Fn(u32) -> bool,
    change: impl Fn(u32, &mut Bucket),
) -> Report {
    let started = Instant::now();
    let (bucket, next) = (Mutex::new(bucket), Mutex::new(0..calls));
    let (passed, refused) = (Mutex::new(0), Mutex::new(0));
    let caller = async || {
        loop {
            let Some(call) = next.lock().unwrap().next() else { return };
            let place = limiter.place().await;
            let mut attempt = Attempt::Fresh;
            loop {
                let admission = place.admit(attempt).await;
                // They overtake each other, so that the order of answers is not that of the calls.
                sleep_until(Instant::now() + Duration::from_millis(u64::from(call * 7 % 5))).await;
                change(*passed.lock().unwrap(), &mut bucket.lock().unwrap());
                let answer =
                    if counts(call) { bucket.lock().unwrap().take() } else { Answer::Passed };
                admission.settle(answer);
                if answer == Answer::Passed {
                    break *passed.lock().unwrap() += 1;
                }
                *refused.lock().unwrap() += 1;
                attempt = Attempt::Refused;
            }
        }
    };
    join_all((0..8).map(|_| caller())).await;
    let seconds = started.elapsed().as_secs_f64();
    let (passed, refused) = (*passed.lock().unwrap(), *refused.lock().unwrap());
    assert_eq!(passed, calls, "nothing is lost");
    Report { seconds, passed, refused }
}

fn adaptive() -> Limiter {
    Limiter::new(8, RateLimit::Adaptive)
}

fn unchanged(_: u32, _: &mut Bucket) {}

#[tokio::test(start_paused = true)]
async fn finds_the_documented_limit_and_keeps_just_below_it() {
    for retry_after in [false, true] {
        let bucket = Bucket { retry_after, ..Bucket::new(20.0, 2.0) };
        let report = send(&adaptive(), bucket, 371, |_| true, unchanged).await;
        let ideal = (371.0 - 20.0) / 2.0;
        assert!(report.seconds < 1.05 * ideal, "{}", report.seconds);
        assert!(report.share_refused() < 0.03, "{} refused", report.refused);
    }
}

#[tokio::test(start_paused = true)]
async fn cached_answers_do_not_wait_for_those_that_count() {
    for retry_after in [false, true] {
        let bucket = Bucket { retry_after, ..Bucket::new(20.0, 2.0) };
        let report = send(&adaptive(), bucket, 371, |call| call % 10 == 0, unchanged).await;
        let ideal = (38.0 - 20.0) / 2.0;
        assert!(report.seconds < 1.25 * ideal, "{}", report.seconds);
        assert!(report.share_refused() < 0.1, "{} refused", report.refused);
    }
}

#[tokio::test(start_paused = true)]
async fn follows_a_limit_that_tightens_and_loosens() {
    let halved = |passed, bucket: &mut Bucket| bucket.rate = if passed < 185 { 2.0 } else { 1.0 };
    let report = send(&adaptive(), Bucket::new(20.0, 2.0), 371, |_| true, halved).await;
    let ideal = (185.0 - 20.0) / 2.0 + 186.0;
    assert!(report.seconds < 1.1 * ideal, "halved: {}", report.seconds);
    let doubled = |passed, bucket: &mut Bucket| bucket.rate = if passed < 185 { 2.0 } else { 4.0 };
    let report = send(&adaptive(), Bucket::new(20.0, 2.0), 371, |_| true, doubled).await;
    let ideal = (185.0 - 20.0) / 2.0 + 186.0 / 4.0;
    assert!(report.seconds < 1.1 * ideal, "doubled: {}", report.seconds);
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_nobody_documented() {
    for (burst, rate) in [(5.0, 0.5), (10.0, 1.0), (20.0, 5.0), (100.0, 2.0), (100.0, 10.0)] {
        let report = send(&adaptive(), Bucket::new(burst, rate), 600, |_| true, unchanged).await;
        let ideal = (600.0 - burst) / rate;
        assert!(report.seconds < 1.2 * ideal, "{burst}, {rate}: {} of {ideal}", report.seconds);
        assert!(report.share_refused() < 0.12, "{burst}, {rate}: {} refused", report.refused);
    }
}

#[tokio::test(start_paused = true)]
async fn comes_back_to_its_rate_when_nothing_passed_for_a_while() {
    let limiter = adaptive();
    send(&limiter, Bucket::new(20.0, 2.0), 60, |_| true, unchanged).await;
    let mut blocked = Bucket::new(20.0, 2.0);
    // Earns a first call in a minute.
    blocked.level = -119.0;
    let report = send(&limiter, blocked, 100, |_| true, unchanged).await;
    assert!(report.seconds < 60.0 + 50.0 + 40.0, "{}", report.seconds);
    assert!(report.refused < 40, "{}", report.refused);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_waits() {
    let report = send(&adaptive(), Bucket::new(0.0, 0.0), 10_000, |_| false, unchanged).await;
    let unlimited = Limiter::new(8, RateLimit::Unlimited);
    let best = send(&unlimited, Bucket::new(0.0, 0.0), 10_000, |_| false, unchanged).await;
    assert!(report.seconds < 1.01 * best.seconds, "{} of {}", report.seconds, best.seconds);
}

#[tokio::test(start_paused = true)]
async fn few_calls_are_in_flight_beyond_the_documented_limit_until_one_proves_it_wrong() {
    let limiter = adaptive();
    let mut sent = Vec::new();
    for _ in 0..22 {
        sent.push(limiter.admit_now().expect("20, and the first two beyond"));
    }
    assert!(limiter.admit_now().is_none());
    for admission in sent.drain(..20) {
        admission.settle(Answer::Passed);
    }
    assert!(limiter.admit_now().is_none(), "none beyond the limit has been answered");
    for admission in sent.drain(..) {
        admission.settle(Answer::Passed);
    }
    let further = std::iter::from_fn(|| limiter.admit_now()).take(10);
    assert_eq!(further.collect::<Vec<_>>().len(), 4, "doubled by two good answers");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_nothing_behind() {
    let limiter = adaptive();
    for _ in 0..22 {
        drop(limiter.admit_now().expect("in flight no longer"));
    }
    assert!(limiter.admit_now().is_some(), "22 were dropped, so there is room beyond the limit");

    let limiter = Limiter::new(1, RateLimit::Adaptive);
    let place = limiter.place().await;
    place.admit(Attempt::Fresh).await.settle(Answer::Limited(Some(Duration::from_mins(1))));
    {
        let mut waiting = pin!(place.admit(Attempt::Refused));
        assert!(poll!(&mut waiting).is_pending());
        let mut queued = pin!(limiter.place());
        assert!(poll!(&mut queued).is_pending(), "the only place is taken");
    }
    drop(place);
    tokio::time::advance(Duration::from_mins(2)).await;
    let place = limiter.place().await;
    let fresh = pin!(place.admit(Attempt::Fresh));
    assert!(matches!(poll!(fresh), Poll::Ready(_)), "no refused call is ahead of it any more");
}

impl Limiter {
    /// Leave to send now, if there is.
    fn admit_now(&self) -> Option<Admission<'_>> {
        let ticket = self.enter(Attempt::Fresh).ok()?;
        Some(Admission { limiter: self, ticket })
    }
}

/// When each of `count` calls was admitted, in seconds after the first.
async fn admissions(limiter: &Limiter, count: usize) -> Vec<f64> {
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..count {
        limiter.place().await.admit(Attempt::Fresh).await.settle(Answer::Passed);
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
async fn a_429_holds_everyone_back() {
    let limiter = Limiter::new(8, RateLimit::Unlimited);
    for pause in [5, 2] {
        limiter.answered(None, Answer::Limited(Some(Duration::from_secs(pause))));
    }
    let times = admissions(&limiter, 3).await;
    assert!(times.iter().all(|&time| (5.0..5.1).contains(&time)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_zero_for_ever_is_no_busy_loop() {
    let limiter = Limiter::new(1, RateLimit::Unlimited);
    let place = limiter.place().await;
    let start = Instant::now();
    for _ in 0..100 {
        place.admit(Attempt::Refused).await.settle(Answer::Limited(Some(Duration::ZERO)));
    }
    assert!(start.elapsed() > Duration::from_mins(3), "{:?}", start.elapsed());
    assert!(limiter.refused_for() > Duration::from_mins(3));
}
