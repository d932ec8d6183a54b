//! `WEBHOOK_URL`: the end of each run is reported once, whatever the receiver does meanwhile.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::process::Command;
use tokio::time::timeout;
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, eventually, free_port};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver that answers with each status once, then with 204.
async fn receiver(statuses: &[u16]) -> MockServer {
    script(MockServer::start().await, statuses).await
}

async fn script(receiver: MockServer, statuses: &[u16]) -> MockServer {
    for status in statuses {
        let response = ResponseTemplate::new(*status).insert_header("location", "/elsewhere");
        Mock::given(method("POST")).respond_with(response).up_to_n_times(1).mount(&receiver).await;
    }
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
    receiver
}

/// `serve` with a webhook.
fn serve(env: &TestEnv, url: &str) -> Command {
    let mut command = env.tvshows(&["serve", "--port", "0"]);
    command.envs([
        ("WEBHOOK_URL", format!("{url}/hook/in-secret").as_str()),
        ("WEBHOOK_SECRET", SECRET),
    ]);
    command
}

async fn received(receiver: &MockServer) -> Vec<Request> {
    receiver.received_requests().await.unwrap()
}

/// Waits for this many requests.
async fn receive(receiver: &MockServer, count: usize) -> Vec<Request> {
    eventually(async || received(receiver).await.len() >= count).await;
    received(receiver).await
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

/// The status in a request, if its signature is valid.
fn status(request: &Request) -> Value {
    Webhook::new(SECRET).unwrap().verify(&request.body, &request.headers).unwrap();
    assert_eq!(header(request, "content-type"), "application/json");
    let status: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(status["request_id"], header(request, "webhook-id"));
    status
}

#[tokio::test]
async fn each_end_is_reported_once_with_a_valid_signature() {
    let env = TestEnv::new(&["status:403@/updates/shows", "status:403@/shows?page=0"]).await;
    let receiver = receiver(&[]).await;
    let service = Service::spawn(serve(&env, &receiver.uri())).await;
    let failed = service.submit("").await;
    service.wait_for_end(&failed).await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    let cancelled = service.submit_and_stall("").await;
    let waiting = service.submit("?top=3").await;
    for run in [&waiting, &cancelled] {
        service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
        service.wait_for_end(run).await;
    }
    env.simulator.set_faults(&[]);
    let succeeded = service.submit("").await;
    service.wait_for_end(&succeeded).await;
    let requests = receive(&receiver, 4).await;
    let mut ends = BTreeMap::new();
    for status in requests.iter().map(status) {
        let run = status["request_id"].as_str().unwrap().to_owned();
        let served = service.json(&format!("/pipeline/status/{run}")).await;
        assert_eq!(served["status"], status);
        assert_eq!(ends.insert(run, status["state"].clone()), None, "once");
    }
    let expected = [
        (failed, json!("failed")),
        (cancelled, json!("cancelled")),
        (waiting, json!("cancelled")),
        (succeeded, json!("succeeded")),
    ];
    assert_eq!(ends, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_message_again() {
    let env = TestEnv::new(&[]).await;
    let receiver = receiver(&[500, 302]).await;
    let service = Service::spawn(serve(&env, &receiver.uri())).await;
    let run = service.submit("").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    let requests = receive(&receiver, 3).await;
    assert!(requests.iter().all(|request| status(request)["request_id"] == run));
    assert!(requests.iter().all(|request| request.url.path() == "/hook/in-secret"), "no redirect");
    let metrics = async || service.get("/metrics").send().await.unwrap().text().await.unwrap();
    let metrics = metrics().await;
    assert!(metrics.contains("tvshows_webhook_failures_total 2"), "{metrics}");
    assert!(metrics.contains("tvshows_webhook_dropped_total 0"), "{metrics}");
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_every_end_when_it_is_back() {
    let env = TestEnv::new(&[]).await;
    let port = free_port();
    let service = Service::spawn(serve(&env, &format!("http://127.0.0.1:{port}"))).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let run = service.submit("").await;
        service.wait_for_end(&run).await;
        runs.push(run);
    }
    let failures = async || {
        let metrics = service.get("/metrics").send().await.unwrap().text().await.unwrap();
        let value = metrics.split("\ntvshows_webhook_failures_total ").nth(1).unwrap();
        value.lines().next().unwrap().parse::<u32>().unwrap()
    };
    eventually(async || failures().await >= 3).await;
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is still free");
    let receiver = script(MockServer::builder().listener(listener).start().await, &[]).await;
    let requests = receive(&receiver, 3).await;
    let mut ids: Vec<_> = requests.iter().map(|each| header(each, "webhook-id")).collect();
    ids.sort_unstable();
    runs.sort_unstable();
    assert_eq!(ids, runs);
}

#[tokio::test]
async fn without_a_secret_there_is_no_signature() {
    let env = TestEnv::new(&[]).await;
    let receiver = receiver(&[]).await;
    let mut command = env.tvshows(&["serve", "--port", "0"]);
    command.env("WEBHOOK_URL", receiver.uri().replace("http://", "http://me:password@"));
    let service = Service::spawn(command).await;
    service.submit("").await;
    let request = &receive(&receiver, 1).await[0];
    assert!(!request.headers.contains_key("webhook-signature"));
    assert!(header(request, "authorization").starts_with("Basic "));
}

#[tokio::test]
async fn an_update_on_the_command_line_waits_for_its_webhook() {
    let env = TestEnv::new(&["status:403@/shows?page=3"]).await;
    let receiver = receiver(&[503]).await;
    for (code, state) in [(1, "failed"), (0, "succeeded")] {
        let mut update = env.tvshows(&["update", "--mode", "full"]);
        update.envs([("WEBHOOK_URL", receiver.uri().as_str()), ("WEBHOOK_SECRET", SECRET)]);
        assert_eq!(update.output().await.unwrap().status.code(), Some(code));
        assert_eq!(status(received(&receiver).await.last().unwrap())["state"], state);
        env.simulator.set_optional_faults(&[]);
    }
    assert_eq!(received(&receiver).await.len(), 3);
}

/// Reads the log until it contains a text.
async fn log_with(log: &std::path::Path, text: &str) -> String {
    let read = || std::fs::read_to_string(log).unwrap();
    eventually(async || read().contains(text)).await;
    read()
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_waits_for_a_slow_receiver_no_longer_than_it_may() {
    let env = TestEnv::new(&[]).await;
    let receiver = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_mins(1));
    Mock::given(method("POST")).respond_with(slow).mount(&receiver).await;
    let log = env.path("log");
    let file = File::create(&log).unwrap();
    let mut service = Service::spawn_with_log(serve(&env, &receiver.uri()), file).await;
    let run = service.submit("").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    receive(&receiver, 1).await;
    let stopped = timeout(Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success());
    let log = log_with(&log, "did not respond before the shutdown").await;
    assert!(log.contains("undelivered=1") && log.contains("127.0.0.1"), "{log}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_tries_once_more() {
    let env = TestEnv::new(&[]).await;
    let port = free_port();
    let log = env.path("log");
    let file = File::create(&log).unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let mut service = Service::spawn_with_log(serve(&env, &url), file).await;
    let run = service.submit("").await;
    service.wait_for_end(&run).await;
    log_with(&log, "webhook failed; retrying").await;
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is still free");
    let receiver = script(MockServer::builder().listener(listener).start().await, &[]).await;
    assert!(service.terminate().await.success());
    assert_eq!(received(&receiver).await.len(), 1);
    let log = log_with(&log, "webhook delivered").await;
    assert!(!log.contains("in-secret"), "{log}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_undelivered_at_the_end_is_logged() {
    let env = TestEnv::new(&[]).await;
    let log = env.path("log");
    let file = File::create(&log).unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let mut service = Service::spawn_with_log(serve(&env, &url), file).await;
    let run = service.submit("").await;
    service.wait_for_end(&run).await;
    log_with(&log, "webhook failed; retrying").await;
    assert!(service.terminate().await.success());
    let log = log_with(&log, "webhook not delivered").await;
    assert!(log.contains(&run) && log.contains("Connection refused"), "{log}");
    assert!(!log.contains("in-secret"), "{log}");
}
