//! Traces over OTLP, to collectors that work, hang or are unavailable.

use std::time::Duration;

use tokio::time::timeout;
use tvshows_testkit::{Service, TestEnv, free_port, json_body};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Whether some bytes are in a batch; protocol buffers hold strings verbatim.
async fn has_received(collector: &MockServer, text: &[u8]) -> bool {
    let batches = collector.received_requests().await.unwrap();
    batches.iter().any(|batch| batch.body.windows(text.len()).any(|part| part == text))
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn runs_their_steps_and_requests_arrive_at_the_collector() {
    let collector = MockServer::start().await;
    let takes = Mock::given(method("POST")).and(path("/v1/traces"));
    takes.respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    let env = TestEnv::new(&[]).await;
    let mut service = Service::start(&env, &["--otlp-endpoint", &collector.uri()]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let update = service.post("/pipeline/update");
    let update = update.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let accepted = json_body(update.send().await.unwrap()).await;
    let run = accepted["request_id"].as_str().unwrap();
    service.wait_for_end(run).await;
    service.get("/shows/top_shows?limit=77").send().await.unwrap();
    assert!(service.terminate().await.success());
    for text in [run, "Fetching all shows", "tvmaze request", "/updates/shows", "http request"] {
        assert!(has_received(&collector, text.as_bytes()).await, "{text}");
    }
    // In a batch, the kind follows the name: 2 is a server's span, 3 a client's.
    for span in [&b"http request\x30\x02"[..], b"tvmaze request\x30\x03"] {
        assert!(has_received(&collector, span).await, "{span:?}");
    }
    assert!(has_received(&collector, &bytes(trace)).await, "the client's trace goes on");
    assert!(!has_received(&collector, b"top_shows").await, "reads are no spans");
}

#[cfg(unix)]
#[tokio::test]
async fn an_unavailable_or_hanging_collector_delays_nothing() {
    let hanging = MockServer::start().await;
    let hangs = Mock::given(method("POST"));
    let never = ResponseTemplate::new(200).set_delay(Duration::from_hours(1));
    hangs.respond_with(never).mount(&hanging).await;
    let away = format!("http://127.0.0.1:{}", free_port());
    for collector in [hanging.uri(), away] {
        let env = TestEnv::new(&[]).await;
        let mut service = Service::start(&env, &["--otlp-endpoint", &collector]).await;
        let run = service.submit("").await;
        assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
        let stopped = timeout(Duration::from_secs(10), service.terminate()).await;
        assert!(stopped.expect("within ten seconds").success());
    }
}

#[tokio::test]
async fn what_is_no_url_is_refused() {
    let env = TestEnv::new(&[]).await;
    let output = env.tvshows(&["serve", "--otlp-endpoint", "collector"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("--otlp-endpoint: must be"), "{error}");
}
