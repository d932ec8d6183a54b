//! The log of the service: its messages and field names.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStderr;
use tvshows_testkit::{Service, TestEnv, free_port, json_body};

/// A service and its log.
async fn logging(
    env: &TestEnv,
    format: &str,
    level: &str,
) -> (Service, Lines<BufReader<ChildStderr>>) {
    let mut command = env.tvshows(&["serve", "--port", "0", "--log-format", format]);
    command.env("RUST_LOG", level);
    let mut service = Service::spawn_with_log(command, Stdio::piped()).await;
    let lines = BufReader::new(service.process.stderr.take().unwrap()).lines();
    (service, lines)
}

/// Reads JSON lines up to the first that satisfies a condition, and returns them all.
async fn read_until(
    lines: &mut Lines<BufReader<ChildStderr>>,
    is_last: impl Fn(&Value) -> bool,
) -> Vec<Value> {
    let mut read: Vec<Value> = Vec::new();
    while !read.last().is_some_and(&is_last) {
        let line = lines.next_line().await.unwrap().expect("the log continues");
        read.push(serde_json::from_str(&line).expect("one JSON object per line"));
    }
    read
}

/// Whether a line is about a response.
fn is_response(line: &Value) -> bool {
    line["http.response.status_code"].is_number()
}

#[tokio::test]
async fn whatever_is_logged_in_a_run_names_it() {
    let env = TestEnv::new(&["status:500*1@/shows?page=4"]).await;
    let (service, mut lines) = logging(&env, "json", "info,tvmaze_client=debug").await;
    let run = service.submit("").await;
    let log = read_until(&mut lines, |line| line["state"].is_string()).await;
    let of_run: Vec<_> = log.iter().filter(|line| line["run.id"] == json!(run)).collect();
    let is_of_pipeline =
        |line: &Value| line["target"].as_str().unwrap().starts_with("tvshows_pipeline");
    assert!(of_run.iter().filter(|line| is_of_pipeline(line)).count() >= 2, "its start and end");
    let retry = of_run.iter().find(|line| line["error"].is_string());
    let retry = retry.expect("also what the TVmaze client logs");
    assert!(retry["error"].as_str().unwrap().contains("500"), "{retry}");
    let end = of_run.last().unwrap();
    assert_eq!((&end["level"], &end["state"]), (&json!("INFO"), &json!("succeeded")));
    assert!(is_of_pipeline(end), "{end}");
    assert!(end["duration_ms"].is_u64() && end["added"] == 2300 && end["retries"] == 1, "{end}");
    let at: jiff::Timestamp = end["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(at > jiff::Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn a_request_keeps_a_sane_id_and_gets_one_for_garbage() {
    let env = TestEnv::new(&[]).await;
    let (service, mut lines) = logging(&env, "json", "info").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let update = service.post("/pipeline/update").header("x-request-id", "mine-7");
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let response = update.header("traceparent", traceparent).send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "mine-7");
    let log = read_until(&mut lines, is_response).await;
    let line = log.last().unwrap();
    assert_eq!((&line["request.id"], &line["trace.id"]), (&json!("mine-7"), &json!(trace)));
    assert_eq!(
        (&line["http.request.method"], &line["url.path"], &line["http.response.status_code"]),
        (&json!("POST"), &json!("/pipeline/update"), &json!(202))
    );
    for path in ["/health/live", "/nowhere", "/shows/x"] {
        let response = service.get(path).header("x-request-id", "\"<script>").send().await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(id.len(), 32, "{id}");
        if path != "/health/live" {
            let instance = format!("urn:request:{id}");
            assert_eq!(json_body(response).await["instance"], instance, "the problem names it too");
        }
    }
}

#[tokio::test]
async fn reads_are_logged_at_debug_level_only() {
    let env = TestEnv::new(&[]).await;
    let (service, mut lines) = logging(&env, "json", "info,tvshows_api=debug").await;
    service.get("/shows/7?fields=name").send().await.unwrap();
    let log = read_until(&mut lines, is_response).await;
    let line = log.last().unwrap();
    assert_eq!((&line["level"], &line["url.path"]), (&json!("DEBUG"), &json!("/shows/7")));

    let (service, mut lines) = logging(&env, "json", "info").await;
    service.get("/shows/7").send().await.unwrap();
    service.post("/pipeline/cancel/x").send().await.unwrap();
    let log = read_until(&mut lines, is_response).await;
    let line = log.last().unwrap();
    assert_eq!(line["url.path"], "/pipeline/cancel/x", "the read has left no line");
}

#[tokio::test]
async fn a_failure_is_logged_with_its_cause_and_the_id_that_the_client_sees() {
    let env = TestEnv::new(&[]).await;
    let (service, mut lines) = logging(&env, "json", "info").await;
    let database = env.connection();
    database.execute("ALTER TABLE Top_Shows RENAME TO Elsewhere", []).unwrap();
    // The service itself requests the default list first.
    let response = service.get("/shows/top_shows?limit=7").send().await.unwrap();
    assert_eq!(response.status(), 503);
    let problem = json_body(response).await;
    assert!(!problem["detail"].as_str().unwrap().contains("no such table"), "{problem}");
    let log = read_until(&mut lines, |line| line["error"].is_string()).await;
    let line = log.last().unwrap();
    let id = line["request.id"].as_str().unwrap();
    assert_eq!(problem["instance"], format!("urn:request:{id}"));
    assert!(line["error"].as_str().unwrap().contains("no such table"), "{line}");
}

#[tokio::test]
async fn a_line_of_text_ends_with_the_id_of_the_request() {
    let env = TestEnv::new(&[]).await;
    let (service, mut lines) = logging(&env, "text", "error,tvshows_api=info").await;
    let cancel = service.post("/pipeline/cancel/x").header("x-request-id", "mine-8");
    cancel.send().await.unwrap();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.ends_with(" request.id=mine-8"), "{line}");
}

#[tokio::test]
async fn the_start_says_once_whether_changes_require_a_token() {
    let env = TestEnv::new(&[]).await;
    for (token, level, expected) in [
        (None, "WARN", "API_TOKEN is not set"),
        (Some(""), "WARN", "API_TOKEN is not set"),
        (Some("the-right-api-token"), "INFO", "api_token=true"),
    ] {
        let log = env.path("log");
        let mut command = env.tvshows(&["serve", "--port", "0"]);
        command.envs(token.map(|token| ("API_TOKEN", token)));
        let file = std::fs::File::create(&log).unwrap();
        let mut service = Service::spawn_with_log(command, file).await;
        service.terminate().await;
        let log = std::fs::read_to_string(log).unwrap();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("api_token=true") || line.contains("TOKEN"))
            .collect();
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].contains(level) && lines[0].contains(expected), "{log}");
    }
}

#[tokio::test]
async fn the_start_is_one_line_that_says_what_runs_where() {
    let env = TestEnv::new(&[]).await;
    let redis = free_port();
    let mut serve = env.tvshows(&["serve", "--port", "0", "--log-format", "json"]);
    serve.envs([
        ("REDIS_URL", format!("redis://me:hunter2@127.0.0.1:{redis}").as_str()),
        ("TVMAZE_BASE_URL", "http://127.0.0.1:9/api"),
        ("SCHEDULE", "0 4 * * *"),
        ("SCHEDULE_TIMEZONE", "Asia/Kathmandu"),
        ("API_TOKEN", "the-right-api-token"),
    ]);
    let mut service = Service::spawn_with_log(serve, Stdio::piped()).await;
    let mut lines = BufReader::new(service.process.stderr.take().unwrap()).lines();
    let is_start = |line: &Value| line["message"] == "service started";
    let log = read_until(&mut lines, is_start).await;
    let start = log.last().unwrap();
    for (field, expected) in [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("address", json!(service.address())),
        ("database", json!("tvshows.db")),
        ("upstream", json!("http://127.0.0.1:9/api")),
        ("redis", json!(format!("127.0.0.1:{redis}"))),
        ("schedule", json!("0 4 * * * (Asia/Kathmandu)")),
        ("api_token", json!(true)),
    ] {
        assert_eq!(start[field], expected, "{field}");
    }
    assert!(start["schema"].is_u64(), "{start}");
    let next = start["next_run_at"].as_str().unwrap();
    assert_eq!(service.json("/pipeline/runs").await["next_run_at"], next);
    let next: jiff::Timestamp = next.parse().unwrap();
    // 04:00 there, and at most five minutes of jitter.
    let time = next.strftime("%H:%M").to_string();
    assert!(("22:15"..="22:20").contains(&&*time), "{time}");
    let redis_lines: Vec<_> = log
        .iter()
        .filter(|line| line["level"] == "WARN")
        .map(|line| line["error"].to_string())
        .collect();
    let [error] = &redis_lines[..] else { panic!("{log:?}") };
    assert!(error.contains(&format!("Redis at 127.0.0.1:{redis} is unavailable")), "{error}");
    assert_eq!(error.matches("refused").count(), 1, "the cause is there once: {error}");
    assert!(!log.iter().any(|line| line.to_string().contains("hunter2")));
}

#[tokio::test]
async fn a_text_line_has_no_directives_and_rounded_durations() {
    let env = TestEnv::new(&[]).await;
    let (service, mut lines) = logging(&env, "text", "info").await;
    service.submit("?mode=full").await;
    let line = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if line.contains("request completed") {
            break line;
        }
    };
    assert!(!line.contains("otel."), "{line}");
    let duration = line.split("duration_ms=").nth(1).unwrap().split(' ').next().unwrap();
    let decimals = duration.split('.').nth(1).unwrap_or_default();
    assert!(decimals.len() <= 3 && duration.parse::<f64>().is_ok(), "{line}");
}
