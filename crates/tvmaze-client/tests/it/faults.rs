use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use tvmaze_client::{Client, Error, PageIndex, RateLimit, RetryPolicy, ShowId};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::{client, quick_builder, raw, show, silent};

/// Starts a server that returns `first` for the first `times` requests, and then a show.
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

/// Checks that the error took `attempts` requests.
fn after(attempts: u32, error: Error) -> Error {
    assert_eq!(error.attempts(), attempts, "{error:?}");
    error
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
    let (url, text) = (format!("{}/shows/7", server.uri()), error.to_string());
    assert!(text.starts_with(&format!("{url} (3 attempts in 0.")), "{text}");
    assert!(text.ends_with(" s) returned 503 Service Unavailable"), "{text}");
    assert!(error.url().is_some_and(|requested| requested.as_str() == url));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert!(error.elapsed() > Duration::ZERO);
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
        let error = after(3, error_of(client(&server.uri())).await);
        assert!(matches!(error, Error::Decode { .. }), "{body:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_object_in_place_of_a_page_is_an_error_not_an_empty_page() {
    let server = MockServer::start().await;
    let object = ResponseTemplate::new(200).set_body_json(json!({"shows": []}));
    Mock::given(path("/shows")).respond_with(object).mount(&server).await;
    let error = client(&server.uri()).show_page(PageIndex(0)).await.unwrap_err();
    assert!(matches!(after(3, error), Error::Decode { .. }));
}

#[tokio::test]
async fn deep_nesting_is_an_error_not_a_crash() {
    let depth = 100_000;
    let body =
        format!("{{\"id\":7,\"name\":\"x\",\"deep\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let server = failing_at_first(9, ResponseTemplate::new(200).set_body_string(body)).await;
    assert!(matches!(after(3, error_of(client(&server.uri())).await), Error::Decode { .. }));
}

#[tokio::test]
async fn a_connection_cut_in_the_body_is_tried_again() {
    let url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\": 7,").await;
    let error = after(3, error_of(client(&url)).await);
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert!(!error.is_unreachable());
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_tried_again() {
    assert!(matches!(after(3, error_of(client(&raw(b"").await)).await), Error::Transport { .. }));
}

#[tokio::test]
async fn a_hang_ends_with_the_timeout() {
    let hanging = quick_builder(&silent().await).request_timeout(Duration::from_millis(20));
    let error = after(3, error_of(hanging.build().unwrap()).await);
    assert!(matches!(&error, Error::Transport { cause, .. } if cause.is_timeout()), "{error:?}");
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = error_of(client(&url)).await;
    assert!(error.is_unreachable() && error.attempts() == 3, "{error:?}");
    let text = reads_the_same_everywhere(&error);
    assert!(text.starts_with(&format!("request to {url}/shows/7 (3 attempts in ")), "{text}");
    let refused = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap_err();
    assert!(text.ends_with(&format!(" s) failed: {refused}")), "{text}");
}

/// The text of an error: one line with the root cause, however it is printed.
fn reads_the_same_everywhere(error: &Error) -> String {
    let text = error.to_string();
    assert_eq!(format!("{error:?}"), text);
    assert!(std::error::Error::source(error).is_none(), "reports would repeat it");
    assert!(!text.contains('\n'), "{text}");
    text
}

#[tokio::test]
async fn an_error_ends_with_its_root_cause() {
    let text = reads_the_same_everywhere(&error_of(client(&raw(b"").await)).await);
    assert!(text.ends_with(": connection closed before message completed"), "{text}");
    let hanging = quick_builder(&silent().await).request_timeout(Duration::from_millis(20));
    let text = reads_the_same_everywhere(&error_of(hanging.build().unwrap()).await);
    assert!(text.ends_with(": operation timed out"), "{text}");
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}";
    let text = reads_the_same_everywhere(&error_of(client(&raw(short).await)).await);
    assert!(text.ends_with(": end of file before message length reached"), "{text}");
    let list = ResponseTemplate::new(200).set_body_json(json!([]));
    let text =
        reads_the_same_everywhere(&error_of(client(&failing_at_first(9, list).await.uri())).await);
    assert!(
        text.ends_with(": invalid type: sequence, expected struct Show at line 1 column 0"),
        "{text}"
    );
}

#[test]
fn a_call_outside_of_a_runtime_is_an_error() {
    let client = client("http://localhost");
    let error = futures::executor::block_on(error_of(client.clone()));
    assert!(matches!(error, Error::NoRuntime) && error.attempts() == 0, "{error}");
    let page = futures::executor::block_on(client.show_pages(PageIndex(0)).boxed().next());
    assert!(matches!(page, Some(Err(Error::NoRuntime))));
    let text = reads_the_same_everywhere(&error);
    assert!(text.starts_with("no Tokio runtime; ") && text.contains("block_on"), "{text}");
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_compressed_or_not() {
    let plain = ResponseTemplate::new(200).set_body_string(" ".repeat(5000));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![b' '; 5_000_000]).unwrap();
    let bomb = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_raw(encoder.finish().unwrap(), "application/json");
    for (response, limit) in [(plain, 4999), (bomb, 4_999_999)] {
        let server = failing_at_first(9, response).await;
        let client = quick_builder(&server.uri()).max_body_bytes(limit).build().unwrap();
        let error = after(1, error_of(client).await);
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

/// A client without retries that may be throttled for `max_throttle_time`.
fn throttled_client(server: &MockServer, max_throttle_time: Duration, limit: RateLimit) -> Client {
    let retry = RetryPolicy { max_throttle_time, ..RetryPolicy::none() };
    Client::builder().base_url(server.uri()).retry(retry).rate_limit(limit).build().unwrap()
}

#[tokio::test]
async fn hopeless_rate_limiting_comes_to_an_end() {
    for limit in [RateLimit::Adaptive, RateLimit::Unlimited] {
        let server = failing_at_first(1000, ResponseTemplate::new(429)).await;
        let error = error_of(throttled_client(&server, Duration::from_millis(700), limit)).await;
        assert!(matches!(&error, Error::Throttled { .. }), "{error:?}");
        assert!(error.is_rate_limited() && error.is_transient());
        assert!(error.to_string().contains("try again in"), "{error}");
        assert!(error.elapsed() >= Duration::from_millis(600), "{error:?}");
    }
}

#[tokio::test]
async fn a_retry_after_beyond_the_limit_fails_immediately() {
    let later = ResponseTemplate::new(429).insert_header("retry-after", "3600");
    let server = failing_at_first(1000, later).await;
    let error =
        error_of(throttled_client(&server, Duration::from_mins(5), RateLimit::Adaptive)).await;
    let hour = Duration::from_hours(1);
    assert!(matches!(error, Error::Throttled { retry_after, .. } if retry_after == hour));
}

#[tokio::test]
async fn a_retry_after_that_cannot_be_meant_is_ignored() {
    for retry_after in ["1795000000", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let limited = ResponseTemplate::new(429).insert_header("retry-after", retry_after);
        let server = failing_at_first(1, limited).await;
        let client = throttled_client(&server, Duration::from_mins(5), RateLimit::Adaptive);
        assert_eq!(client.show(ShowId(7)).await.unwrap().id, ShowId(7));
        assert_eq!(client.stats().rate_limited, 1);
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_no_fault() {
    let body = format!("\u{feff}{}", show(7));
    let marked = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    let server = failing_at_first(9, marked).await;
    assert_eq!(client(&server.uri()).show(ShowId(7)).await.unwrap().id, ShowId(7));
}

#[tokio::test]
async fn an_unreadable_show_is_named_with_the_path_to_the_field() {
    let server = MockServer::start().await;
    let mut odd = show(3);
    odd["externals"] = json!([]);
    let page = ResponseTemplate::new(200).set_body_json(json!([show(1), show(2), odd]));
    Mock::given(path("/shows")).respond_with(page).mount(&server).await;
    let error = client(&server.uri()).show_page(PageIndex(0)).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("cannot decode `[2].externals` (id 3) in the response from "),
        "{text}"
    );
    assert!(text.contains("/shows?page=0 (3 attempts"), "{text}");
}

#[tokio::test]
async fn an_unreadable_body_gets_a_second_chance() {
    let odd = json!([{"id": 7, "name": 7}]);
    let page = ResponseTemplate::new(200).set_body_json(odd);
    let server = MockServer::start().await;
    Mock::given(path("/shows")).respond_with(page).expect(1).mount(&server).await;
    let request = client(&server.uri()).show_page(PageIndex(0)).recover_with(|body, error| {
        assert!(body.starts_with(b"[{") && error.is_data());
        Ok(None)
    });
    assert_eq!(request.await.unwrap(), None);
}

#[tokio::test]
async fn the_time_for_a_whole_call_is_bounded() {
    let server = failing_at_first(1000, ResponseTemplate::new(503)).await;
    let retry = RetryPolicy { first_delay: Duration::from_hours(1), ..RetryPolicy::default() };
    let client = Client::builder().base_url(server.uri()).retry(retry);
    let client = client.call_timeout(Duration::from_millis(50)).build().unwrap();
    let error = after(1, error_of(client).await);
    assert!(matches!(&error, Error::TimedOut { last: Some(_), .. }), "{error:?}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    let text = reads_the_same_everywhere(&error);
    assert!(text.ends_with(" timed out; the last response was 503 Service Unavailable"), "{text}");
}

#[tokio::test]
async fn a_page_in_place_of_json_is_named() {
    for content_type in ["text/html; charset=UTF-8", "application/xhtml+xml", "image/png"] {
        let portal = ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", content_type);
        let server = failing_at_first(9, portal).await;
        let error = after(3, error_of(client(&server.uri())).await);
        assert!(matches!(&error, Error::ContentType { .. }), "{error:?}");
        assert!(error.to_string().contains(content_type.split(';').next().unwrap()), "{error}");
    }
    for content_type in ["text/plain", "application/octet-stream", "application/hal+json"] {
        let body = show(7).to_string();
        let plain = ResponseTemplate::new(200).set_body_raw(body, content_type);
        let server = failing_at_first(9, plain).await;
        assert!(client(&server.uri()).show(ShowId(7)).await.is_ok(), "{content_type}");
    }
}

#[tokio::test]
async fn tvmazes_own_words_are_in_the_error() {
    let body = json!({"name": "Unprocessable entity", "message": "Not a valid ISO country code",
        "code": 0, "status": 422});
    let server = failing_at_first(9, ResponseTemplate::new(422).set_body_json(body)).await;
    let text = error_of(client(&server.uri())).await.to_string();
    assert!(text.ends_with("422 Unprocessable Entity: Not a valid ISO country code"), "{text}");
}

#[tokio::test]
async fn a_dropped_call_releases_its_permit() {
    let server = failing_at_first(9, ResponseTemplate::new(200).set_body_json(show(7))).await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    Mock::given(path("/shows/8")).respond_with(slow).with_priority(1).mount(&server).await;
    let client = quick_builder(&server.uri()).concurrency(1).build().unwrap();
    for _ in 0..3 {
        let calls = client.stats().requests;
        let call = client.show(ShowId(8));
        let is_sent = async {
            while client.stats().requests == calls {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = call => unreachable!("it takes an hour"),
            () = is_sent => {}
        }
    }
    assert!(client.show(ShowId(7)).await.is_ok(), "the only permit is available");
}

#[tokio::test]
async fn a_fixed_limit_applies_to_all_calls_of_the_client_together() {
    let server = failing_at_first(1, ResponseTemplate::new(200).set_body_json(show(7))).await;
    let limit = RateLimit::Fixed { calls: 2, per: Duration::from_millis(20) };
    let client = quick_builder(&server.uri()).rate_limit(limit).build().unwrap();
    let start = std::time::Instant::now();
    let calls = (0..6).map(|_| client.show(ShowId(7)).send());
    futures::future::try_join_all(calls).await.unwrap();
    let least = Duration::from_millis(39);
    assert!(start.elapsed() >= least, "two at once, then one every 10 ms");
}

/// A server that sends an updates map in pieces: first `head`, then, if it gets that far, the rest of many shows.
async fn map_in_pieces(head: &'static str, shows: u32) -> MockServer {
    let entries: Vec<String> = (1..=shows).map(|id| format!("\"{id}\":1700000000")).collect();
    let body = format!("{head}{{{}}}", entries.join(","));
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(path("/updates/shows")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn an_updates_map_is_decoded_as_it_arrives() {
    for head in ["", " \n", "\u{feff}"] {
        let server = map_in_pieces(head, 100_000).await;
        let client = client(&server.uri());
        let updates = client.show_updates(None).await.unwrap();
        assert_eq!(updates.len(), 100_000, "{head:?}");
        assert!(client.stats().bytes > 1_000_000);
    }
}

#[tokio::test]
async fn an_updates_map_has_its_own_limit() {
    let server = map_in_pieces("", 1000).await;
    let client = quick_builder(&server.uri()).max_body_bytes(1000).build().unwrap();
    let error = after(1, client.show_updates(None).await.unwrap_err());
    assert!(matches!(error, Error::TooLarge { limit: 1000, .. }), "{error:?}");
    let updates = client.show_updates(None).max_body_bytes(100_000).await.unwrap();
    assert_eq!(updates.len(), 1000);
    let error = client.show_updates(None).max_body_bytes(999).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 999, .. }), "{error:?}");
}

#[tokio::test]
async fn a_broken_updates_map_is_tried_again() {
    let server = map_in_pieces("[]", 100_000).await;
    let error = after(3, client(&server.uri()).show_updates(None).await.unwrap_err());
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"1\": 5,").await;
    let error = after(3, client(&cut).show_updates(None).await.unwrap_err());
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    let whole = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"1\": 5,").await;
    let error = after(3, client(&whole).show_updates(None).await.unwrap_err());
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
}
