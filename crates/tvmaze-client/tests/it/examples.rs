//! Runs the examples. `cargo test` builds them, unless it is limited to a single test target.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::show;

/// Runs an example against `server` and returns its output; skips it if it was not built.
async fn run(
    example: &'static str,
    argument: Option<PathBuf>,
    server: &MockServer,
) -> Option<String> {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(example);
    if !program.exists() {
        println!("skipped: example {example} is not built; run `cargo test` without a target");
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

async fn mount_json(server: &MockServer, at: &str, body: Value) {
    let response = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(path(at)).respond_with(response).mount(server).await;
}

/// A server with two index pages and the updates map.
async fn index(updates: Value) -> MockServer {
    let server = MockServer::start().await;
    for (page, shows) in [("0", json!([show(1), show(7)])), ("1", json!([show(250)]))] {
        let response = ResponseTemplate::new(200).set_body_json(shows);
        let request = Mock::given(path("/shows")).and(query_param("page", page));
        request.respond_with(response).mount(&server).await;
    }
    mount_json(&server, "/updates/shows", updates).await;
    server
}

#[tokio::test]
async fn search_and_next_episode_print_what_they_found() {
    let server = MockServer::start().await;
    let mut found = show(7);
    found["summary"] = json!("<p>A <b>dome</b> comes down.</p>");
    mount_json(&server, "/search/shows", json!([{"score": 1, "show": found}])).await;
    found["_embedded"] =
        json!({"nextepisode": {"id": 8, "name": "Pilot", "airdate": "2026-12-01"}});
    mount_json(&server, "/singlesearch/shows", found).await;
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
async fn sync_mirror_fetches_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shows.json");
    let now = show(1)["updated"].clone();
    let server = index(json!({"1": now, "7": now, "250": now})).await;
    let Some(first) = run("sync_mirror", Some(file.clone()), &server).await else { return };
    assert!(first.starts_with("3 shows: 0 updated, 0 deleted; "), "{first}");

    let server = index(json!({"1": now, "250": 1_800_000_000, "251": now})).await;
    let mut changed = show(250);
    changed["updated"] = json!(1_800_000_000);
    mount_json(&server, "/shows/250", changed.clone()).await;
    mount_json(&server, "/shows/251", show(251)).await;
    let second = run("sync_mirror", Some(file.clone()), &server).await.unwrap();
    assert!(second.starts_with("3 shows: 2 updated, 1 deleted; 3 requests\n"), "{second}");
    let mirror: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(mirror, json!({"1": show(1), "250": changed, "251": show(251)}));
}
