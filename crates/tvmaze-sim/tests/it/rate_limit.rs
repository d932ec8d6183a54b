use tvmaze_sim::{RateLimit, SimConfig};

use crate::support::{get, json, simulator, status};

/// The period is so long that no token is refilled while a test runs.
fn two_calls() -> RateLimit {
    "2/100h".parse().expect("a rate limit")
}

fn limited(limit: RateLimit) -> SimConfig {
    SimConfig { limit: Some(limit), ..SimConfig::default() }
}

#[tokio::test]
async fn responds_with_429_once_the_burst_is_spent() {
    let simulator = simulator(limited(two_calls())).await;
    assert_eq!(status(&simulator, "/shows/1").await, 200);
    assert_eq!(status(&simulator, "/shows/99999").await, 404);
    let refused = get(&simulator, "/shows/1").await.expect("a response");
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().get("retry-after").is_none());
    let body = json(refused.bytes().await.expect("a body"));
    assert_eq!((&body["name"], &body["status"]), (&"Too Many Requests".into(), &429.into()));
    assert_eq!(simulator.request_count(), 3);
    assert_eq!(simulator.rate_limited_count(), 1);
}

#[tokio::test]
async fn sends_retry_after_if_configured() {
    let limit = RateLimit { calls: 1, retry_after: true, ..two_calls() };
    let simulator = simulator(limited(limit)).await;
    assert_eq!(status(&simulator, "/shows/1").await, 200);
    let refused = get(&simulator, "/shows/1").await.expect("a response");
    let seconds = refused.headers()["retry-after"].to_str().expect("ASCII");
    let seconds: u64 = seconds.parse().expect("whole seconds");
    assert!((1..=360_000).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn cached_responses_are_exempt_if_configured() {
    let simulator = simulator(limited(RateLimit { exempt_cached: true, ..two_calls() })).await;
    let mut statuses = Vec::new();
    for path in ["/shows/1", "/shows/1", "/shows/1", "/shows?page=0", "/shows?page=1", "/shows/1"] {
        statuses.push(status(&simulator, path).await);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429, 200]);
}

#[tokio::test]
async fn zero_calls_limit_every_request() {
    let simulator = simulator(limited(RateLimit { calls: 0, ..two_calls() })).await;
    assert_eq!(status(&simulator, "/shows/1").await, 429);
}
