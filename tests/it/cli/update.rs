//! `tvshows update`: one run in one process.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tvshows_testkit::{TestEnv, eventually, served_shows, ten_pages};

use super::{parse, stdout_of, text};

#[tokio::test]
async fn publishes_every_show_with_every_column() {
    let env = TestEnv::published().await;
    let connection = env.connection();
    let mut select = connection
        .prepare(
            "SELECT name, type, language, genres, status, premiered, ended, rating_average, summary, \
             updated, processed_at FROM All_Shows WHERE id = ?1",
        )
        .unwrap();
    let shows = served_shows(&ten_pages());
    for show in &shows {
        let id = show["id"].as_u64().unwrap();
        let mut rows = select.query([id]).unwrap();
        let row = rows.next().unwrap().unwrap_or_else(|| panic!("show {id} is missing"));
        for (column, key) in [
            (0, "name"),
            (1, "type"),
            (2, "language"),
            (4, "status"),
            (5, "premiered"),
            (6, "ended"),
            (8, "summary"),
        ] {
            assert_eq!(
                row.get::<_, Option<String>>(column).unwrap().as_deref(),
                show[key].as_str(),
                "{id} {key}"
            );
        }
        let genres: Vec<&str> = show["genres"]
            .as_array()
            .unwrap()
            .iter()
            .map(|genre| genre.as_str().unwrap())
            .collect();
        assert_eq!(row.get::<_, String>(3).unwrap(), genres.join(","));
        assert_eq!(row.get::<_, Option<f64>>(7).unwrap(), show["rating"]["average"].as_f64());
        assert_eq!(row.get::<_, Option<i64>>(9).unwrap(), show["updated"].as_i64());
        assert!(row.get::<_, String>(10).unwrap().ends_with('Z'));
    }
    let count: usize =
        connection.query_row("SELECT count(*) FROM All_Shows", [], |row| row.get(0)).unwrap();
    assert_eq!(count, shows.len());
}

#[tokio::test]
async fn sums_up_on_stdout_and_tells_the_steps_on_stderr() {
    let env = TestEnv::new(&["status:500*1@/shows?page=3"]).await;
    let output = env.tvshows(&["update", "--top", "3"]).output().await.unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(
        out.contains("2,300 shows") && out.contains("2,300 added, 0 changed, 0 deleted"),
        "{out}"
    );
    assert!(out.contains("16 requests, 1 retr"), "{out}");
    let table = out.lines().skip_while(|line| !line.contains("RANK"));
    assert_eq!(table.skip(1).count(), 3, "{out}");
    for step in ["Fetching all shows", "Completed"] {
        assert!(err.contains(step), "{step}: {err}");
    }
    assert!(err.contains("100 %"), "{err}");
}

#[tokio::test]
async fn the_second_update_asks_what_changed_and_fetches_that() {
    let env = TestEnv::published().await;
    let requests = env.simulator.request_count();
    let second = parse(&stdout_of(&env, &["update", "--json"]).await);
    assert_eq!((&second["unchanged"], &second["changed"]), (&json!(2300), &json!(0)));
    assert_eq!(env.simulator.request_count() - requests, 1);
    let aged = parse(&stdout_of(&env, &["update", "--json", "--max-age", "0"]).await);
    assert_eq!((&aged["unchanged"], &aged["changed"]), (&json!(2300), &json!(0)));
    assert_eq!(
        env.simulator.request_count() - requests,
        1 + 1 + 10,
        "the updates map and every page"
    );
}

#[tokio::test]
async fn a_failed_update_says_why_and_leaves_the_tables_as_they_were() {
    let env = TestEnv::published().await;
    let before = env.tables();
    for (fault, expected) in [
        ("object@/shows?page=3", "/shows?page=3 (5 attempts in "),
        ("missing@/shows?page=7", "index page 7"),
    ] {
        env.simulator.set_faults(&[fault]);
        let output = env.update().await;
        assert_eq!(output.status.code(), Some(1), "{fault}");
        let err = text(output.stderr);
        assert!(err.contains(expected), "{fault}: {err}");
        assert!(env.tables() == before, "{fault}");
    }
}

#[tokio::test]
async fn a_log_for_machines_has_nothing_else_in_it() {
    let env = TestEnv::new(&["status:403@/shows?page=3"]).await;
    let output = env.tvshows(&["update", "--log-format", "json"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = text(output.stderr);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tells =
        |line: &Value| line["error"].as_str().is_some_and(|error| error.contains("index page 3"));
    assert!(lines.iter().any(tells), "{log}");
}

#[tokio::test]
async fn an_update_tells_machines_its_outcome() {
    let env = TestEnv::new(&[]).await;
    let outcome = parse(&stdout_of(&env, &["update", "--json"]).await);
    assert_eq!((&outcome["state"], &outcome["added"]), (&json!("succeeded"), &json!(2300)));
    env.simulator.set_faults(&["status:403@/shows?page=3"]);
    let failed = env.tvshows(&["update", "--mode", "full", "--json"]).output().await.unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let outcome = parse(&text(failed.stdout));
    assert!(outcome["error"].as_str().unwrap().contains("index page 3"), "{outcome}");
}

#[tokio::test]
async fn a_closed_stdout_or_stderr_stops_no_update() {
    let env = TestEnv::new(&[]).await;
    let mut update = env.tvshows(&["update"]);
    let mut update = update.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((update.stdout.take(), update.stderr.take()));
    assert!(update.wait().await.unwrap().success(), "it published");
    assert_eq!(env.run_states(), ["succeeded"]);

    let mut serve = env.tvshows(&["serve", "--port", "0"]);
    let mut serve = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    drop(serve.stderr.take());
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let http = reqwest::Client::new();
    let response = http.post(format!("{url}/pipeline/update?mode=full")).send().await.unwrap();
    assert_eq!(response.status(), 202);
    eventually(async || env.run_states() == ["succeeded", "succeeded"]).await;
}
