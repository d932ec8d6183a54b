use std::time::Duration;

use serde_json::json;
use tvmaze_client::{Client, Error, PageIndex, RateLimit, ShowId};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::{client, impatient, raw, show, silent};

/// A server that answers everything with `first` for `times` times, and then with a show.
async fn failing_at_first(times: u64, first: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(first)
        .up_to_n_times(times)
        .with_priority(1)
        .mount(&server)
        .await;
    let then = ResponseTemplate::new(200).set_body_json(show(7));
    Mock::given(path("/shows/7")).respond_with(then).mount(&server).await;
    server
}

async fn error_of(client: Client) -> Error {
    client.show(ShowId(7)).await.unwrap_err()
}

/// The failure that spent the last of `attempts`.
fn last_of(error: Error, attempts: u32) -> Error {
    assert_eq!(error.attempts(), attempts, "{error:?}");
    match error {
        Error::Exhausted { last, .. } => *last,
        error => error,
    }
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    for status in [408, 425, 500, 502, 503, 504] {
        let server = failing_at_first(2, ResponseTemplate::new(status)).await;
        let client = client(&server.uri());
        assert_eq!(client.show(ShowId(7)).await.unwrap().id, ShowId(7), "{status}");
        let stats = client.stats();
        assert_eq!((stats.requests, stats.retries, stats.rate_limited), (3, 2, 0));
    }
}

#[tokio::test]
async fn a_fault_that_stays_tells_the_attempts_and_the_url() {
    let server = failing_at_first(9, ResponseTemplate::new(503)).await;
    let error = error_of(client(&server.uri())).await;
    assert!(error.is_transient());
    assert!(error.to_string().starts_with("gave up after 3 attempts"), "{error}");
    let last = last_of(error, 3).to_string();
    assert_eq!(last, format!("{}/shows/7 answered 503 Service Unavailable", server.uri()));
}

#[tokio::test]
async fn what_was_refused_is_not_asked_again() {
    for status in [400, 401, 403, 422] {
        let server = failing_at_first(9, ResponseTemplate::new(status)).await;
        let client = client(&server.uri());
        let error = error_of(client.clone()).await;
        assert!(!error.is_transient() && error.attempts() == 1, "{error:?}");
        assert_eq!(client.stats().requests, 1);
    }
}

#[tokio::test]
async fn unreadable_bodies_are_tried_again_and_then_named() {
    let bodies: [&[u8]; 6] = [
        b"{\"id\": 7, \"name\"",
        b"<html>Bad gateway</html>",
        b"[]",
        b"{\"id\": \"seven\", \"name\": \"x\"}",
        b"{\"id\": 7, \"name\": \"\xff\xfe\"}",
        b"",
    ];
    for body in bodies {
        let broken = ResponseTemplate::new(200).set_body_raw(body, "application/json");
        let server = failing_at_first(1, broken.clone()).await;
        assert!(client(&server.uri()).show(ShowId(7)).await.is_ok(), "{body:?} once");
        let server = failing_at_first(9, broken).await;
        let error = last_of(error_of(client(&server.uri())).await, 3);
        assert!(matches!(error, Error::Decode { .. }), "{body:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_object_in_place_of_a_page_is_an_error_not_an_empty_page() {
    let server = MockServer::start().await;
    let object = ResponseTemplate::new(200).set_body_json(json!({"shows": []}));
    Mock::given(path("/shows")).respond_with(object).mount(&server).await;
    let error = client(&server.uri()).show_page(PageIndex(0)).await.unwrap_err();
    assert!(matches!(last_of(error, 3), Error::Decode { .. }));
}

#[tokio::test]
async fn deep_nesting_is_an_error_not_a_crash() {
    let depth = 100_000;
    let body =
        format!("{{\"id\":7,\"name\":\"x\",\"deep\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let server = failing_at_first(9, ResponseTemplate::new(200).set_body_string(body)).await;
    assert!(matches!(last_of(error_of(client(&server.uri())).await, 3), Error::Decode { .. }));
}

#[tokio::test]
async fn a_connection_cut_in_the_body_is_tried_again() {
    let url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\": 7,").await;
    let error = last_of(error_of(client(&url)).await, 3);
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert!(!error.is_unreachable());
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_tried_again() {
    assert!(matches!(last_of(error_of(client(&raw(b"").await)).await, 3), Error::Transport { .. }));
}

#[tokio::test]
async fn a_hang_ends_with_the_timeout() {
    let hanging = impatient(&silent().await).request_timeout(Duration::from_millis(20));
    let error = last_of(error_of(hanging.build().unwrap()).await, 3);
    assert!(matches!(&error, Error::Transport { source, .. } if source.is_timeout()), "{error:?}");
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = error_of(client(&url)).await;
    assert!(error.is_unreachable() && error.attempts() == 3, "{error:?}");
}

#[tokio::test]
async fn a_redirect_loop_fails_at_once() {
    let loops = ResponseTemplate::new(301).insert_header("location", "/shows/7");
    let server = failing_at_first(1000, loops).await;
    let error = error_of(client(&server.uri())).await;
    assert!(matches!(last_of(error, 1), Error::Transport { source, .. } if source.is_redirect()));
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_compressed_or_not() {
    let plain = ResponseTemplate::new(200).set_body_string(" ".repeat(5000));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![b' '; 5_000_000]).unwrap();
    let bomb = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(encoder.finish().unwrap(), "application/json");
    for (answer, limit) in [(plain, 4999), (bomb, 4_999_999)] {
        let server = failing_at_first(9, answer).await;
        let client = impatient(&server.uri()).max_body_bytes(limit).build().unwrap();
        let error = last_of(error_of(client).await, 1);
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn rate_limiting_uses_up_no_retry() {
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "0");
    let server = failing_at_first(5, limited).await;
    let client = client(&server.uri());
    assert!(client.show(ShowId(7)).await.is_ok());
    let stats = client.stats();
    assert_eq!((stats.requests, stats.retries, stats.rate_limited), (6, 5, 5));
}

#[tokio::test]
async fn hopeless_rate_limiting_comes_to_an_end() {
    let server = failing_at_first(1000, ResponseTemplate::new(429)).await;
    let mut policy = tvmaze_client::RetryPolicy::none();
    policy.max_throttled = Duration::from_millis(1900);
    let client = Client::builder().base_url(server.uri()).retry(policy).build().unwrap();
    let error = error_of(client).await;
    assert!(error.is_rate_limited() && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_fixed_limit_is_kept_by_all_calls_of_the_client() {
    let server = failing_at_first(1, ResponseTemplate::new(200).set_body_json(show(7))).await;
    let limit = RateLimit::Fixed { calls: 2, per: Duration::from_millis(20) };
    let client = impatient(&server.uri()).rate_limit(limit).build().unwrap();
    let start = std::time::Instant::now();
    let calls = (0..6).map(|_| client.show(ShowId(7)));
    futures::future::try_join_all(calls).await.unwrap();
    let least = Duration::from_millis(39);
    assert!(start.elapsed() >= least, "two at once and then one in 10 ms: never sooner");
}
