//! The examples, as their users run them. `cargo test` builds them; a single test target alone does not.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::show;

/// What an example prints that asks `server`; `None`, with a word about it, where it was not built.
async fn run(
    example: &'static str,
    argument: Option<PathBuf>,
    server: &MockServer,
) -> Option<String> {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(example);
    if !program.exists() {
        println!("skipped: the example {example} was not built; `cargo test` builds it");
        return None;
    }
    let mut command = Command::new(program);
    command.args(argument).env("TVMAZE_BASE_URL", server.uri());
    let output: Output =
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    Some(text(output.stdout))
}

async fn answer(server: &MockServer, at: &str, body: Value) {
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(path(at)).respond_with(answer).mount(server).await;
}

/// Two pages of shows, and the map of their updates.
async fn index(updates: Value) -> MockServer {
    let server = MockServer::start().await;
    for (page, shows) in [("0", json!([show(1), show(7)])), ("1", json!([show(250)]))] {
        let answer = ResponseTemplate::new(200).set_body_json(shows);
        let request = Mock::given(path("/shows")).and(query_param("page", page));
        request.respond_with(answer).mount(&server).await;
    }
    answer(&server, "/updates/shows", updates).await;
    server
}

#[tokio::test]
async fn search_and_next_episode_print_what_they_found() {
    let server = MockServer::start().await;
    let mut found = show(7);
    found["summary"] = json!("<p>A <b>dome</b> comes down.</p>");
    answer(&server, "/search/shows", json!([{"score": 1, "show": found}])).await;
    found["_embedded"] =
        json!({"nextepisode": {"id": 8, "name": "Pilot", "airdate": "2026-12-01"}});
    answer(&server, "/singlesearch/shows", found).await;
    if let Some(printed) = run("search", Some("dome".into()), &server).await {
        assert!(printed.contains("7  A show (????, Netflix)\n"), "{printed}");
        assert!(printed.contains(" A dome comes down.\n"), "{printed}");
    }
    if let Some(printed) = run("next_episode", Some("dome".into()), &server).await {
        assert!(printed.starts_with("A show: Pilot, 2026-12-01\n"), "{printed}");
    }
}

#[tokio::test]
async fn dump_index_writes_a_line_for_each_show() {
    let server = index(json!({"1": 5, "7": 5, "250": 5})).await;
    if let Some(printed) = run("dump_index", None, &server).await {
        let shows: Vec<Value> =
            printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(shows, [show(1), show(7), show(250)]);
    }
}

#[tokio::test]
async fn keep_in_sync_fetches_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("shows.json");
    let now = show(1)["updated"].clone();
    let server = index(json!({"1": now, "7": now, "250": now})).await;
    let Some(first) = run("keep_in_sync", Some(copy.clone()), &server).await else { return };
    assert!(first.starts_with("3 shows: 0 fetched alone, 0 gone; "), "{first}");

    let server = index(json!({"1": now, "250": 1_800_000_000, "251": now})).await;
    let mut changed = show(250);
    changed["updated"] = json!(1_800_000_000);
    answer(&server, "/shows/250", changed.clone()).await;
    answer(&server, "/shows/251", show(251)).await;
    let second = run("keep_in_sync", Some(copy.clone()), &server).await.unwrap();
    assert!(second.starts_with("3 shows: 2 fetched alone, 1 gone; 3 requests\n"), "{second}");
    let kept: Value = serde_json::from_slice(&std::fs::read(copy).unwrap()).unwrap();
    assert_eq!(kept, json!({"1": show(1), "250": changed, "251": show(251)}));
}
