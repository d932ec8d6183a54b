//! What the service logs, and by which names.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStderr;

use crate::support::{Service, World, json as body};

/// A service, and what it logs.
async fn logging(
    world: &World,
    format: &str,
    level: &str,
) -> (Service, Lines<BufReader<ChildStderr>>) {
    let mut command = world.tvshows(&["serve", "--port", "0", "--log-format", format]);
    command.env("RUST_LOG", level);
    let mut service = Service::spawn_with_log(command, Stdio::piped()).await;
    let lines = BufReader::new(service.process.stderr.take().unwrap()).lines();
    (service, lines)
}

/// Reads objects until one has this message. Gives all of them.
async fn until(lines: &mut Lines<BufReader<ChildStderr>>, message: &str) -> Vec<Value> {
    let mut read: Vec<Value> = Vec::new();
    while read.last().is_none_or(|line| line["message"] != message) {
        let line = lines.next_line().await.unwrap().expect("it goes on");
        read.push(serde_json::from_str(&line).expect("an object a line"));
    }
    read
}

#[tokio::test]
async fn whatever_is_logged_in_a_run_names_it() {
    let world = World::new(&["status:500*1@/shows?page=4"]).await;
    let (service, mut lines) = logging(&world, "json", "info,tvmaze_client=debug").await;
    let run = service.submit("").await;
    let log = until(&mut lines, "a run ended").await;
    let of_run: Vec<_> = log.iter().filter(|line| line["run.id"] == json!(run)).collect();
    assert!(of_run.iter().any(|line| line["message"] == "a run begins"));
    let retry = of_run.iter().find(|line| line["message"] == "retrying request");
    let retry = retry.expect("also what the client of TVmaze logs");
    assert!(retry["error"].as_str().unwrap().contains("500"), "{retry}");
    let end = of_run.last().unwrap();
    assert_eq!((&end["level"], &end["state"]), (&json!("INFO"), &json!("succeeded")));
    assert_eq!(end["target"], "tvshows_pipeline::worker");
    let at: jiff::Timestamp = end["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(at > jiff::Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn a_request_keeps_a_sane_id_and_gets_one_for_garbage() {
    let world = World::new(&[]).await;
    let (service, mut lines) = logging(&world, "json", "info").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let update = service.post("/pipeline/update").header("x-request-id", "mine-7");
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = update.header("traceparent", traceparent).send().await.unwrap();
    assert_eq!(answer.headers()["x-request-id"], "mine-7");
    let log = until(&mut lines, "a request was answered").await;
    let line = log.last().unwrap();
    assert_eq!((&line["request.id"], &line["trace.id"]), (&json!("mine-7"), &json!(trace)));
    assert_eq!(
        (&line["http.request.method"], &line["url.path"], &line["http.response.status_code"]),
        (&json!("POST"), &json!("/pipeline/update"), &json!(202))
    );
    for path in ["/health/live", "/nowhere", "/shows/x"] {
        let answer = service.get(path).header("x-request-id", "\"<script>").send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(id.len(), 32, "{id}");
        if path != "/health/live" {
            assert_eq!(body(answer).await["request_id"], id, "the problem names it too");
        }
    }
}

#[tokio::test]
async fn reads_are_logged_at_debug_level_only() {
    let world = World::new(&[]).await;
    let (service, mut lines) = logging(&world, "json", "info,tvshows_api=debug").await;
    service.get("/shows/7?fields=name").send().await.unwrap();
    let log = until(&mut lines, "a request was answered").await;
    let line = log.last().unwrap();
    assert_eq!((&line["level"], &line["url.path"]), (&json!("DEBUG"), &json!("/shows/7")));

    let (service, mut lines) = logging(&world, "json", "info").await;
    service.get("/shows/7").send().await.unwrap();
    service.post("/pipeline/cancel/x").send().await.unwrap();
    let log = until(&mut lines, "a request was answered").await;
    let line = log.last().unwrap();
    assert_eq!(line["url.path"], "/pipeline/cancel/x", "the read has left no line");
}

#[tokio::test]
async fn a_failure_is_logged_with_its_cause_and_the_id_that_the_client_sees() {
    let world = World::new(&[]).await;
    let (service, mut lines) = logging(&world, "json", "info").await;
    let database = rusqlite::Connection::open(world.database()).unwrap();
    database.execute("ALTER TABLE Top_Shows RENAME TO Elsewhere", []).unwrap();
    let answer = service.get("/shows/top_shows").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let problem = body(answer).await;
    assert!(!problem["detail"].as_str().unwrap().contains("no such table"), "{problem}");
    let log = until(&mut lines, "a request failed at the store").await;
    let line = log.last().unwrap();
    assert_eq!(line["request.id"], problem["request_id"]);
    assert!(line["error"].as_str().unwrap().contains("no such table"), "{line}");
}

#[tokio::test]
async fn a_line_of_text_ends_with_the_id_of_the_request() {
    let world = World::new(&[]).await;
    let (service, mut lines) = logging(&world, "text", "warn,tvshows_api=info").await;
    let cancel = service.post("/pipeline/cancel/x").header("x-request-id", "mine-8");
    cancel.send().await.unwrap();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.contains("a request was answered"), "{line}");
    assert!(line.ends_with(" request.id=mine-8"), "{line}");
}
