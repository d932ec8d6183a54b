//! The commands that read what is published, and how runs went.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::redis_server::free_port;
use crate::support::{Service, World, behaviour, tvshows};

/// What a command that must succeed says on stdout.
async fn said(world: &World, arguments: &[&str]) -> String {
    let output = world.tvshows(arguments).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What one that must fail says on stderr.
async fn refused(world: &World, arguments: &[&str]) -> String {
    let output = world.tvshows(arguments).output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(!error.contains("panicked"), "{error}");
    error
}

async fn published() -> World {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    world
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn shows_are_listed_as_the_service_lists_them() {
    let world = published().await;
    let service = Service::start(&world, &[]).await;
    let top = service.json("/shows/top_shows?limit=3").await;
    assert_eq!(parsed(&said(&world, &["top", "--limit", "3", "--json"]).await), top);
    let table = said(&world, &["top", "--limit", "3"]).await;
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.contains(top[0]["name"].as_str().unwrap()), "{table}");

    let id = top[0]["id"].to_string();
    let show = service.json(&format!("/shows/{id}")).await;
    assert_eq!(parsed(&said(&world, &["show", &id, "--json"]).await), show);
    let by_name = said(&world, &["show", top[0]["name"].as_str().unwrap()]).await;
    let first = format!("{} (show {id})\n", top[0]["name"].as_str().unwrap());
    assert!(by_name.starts_with(&first), "{by_name}");
    assert!(by_name.contains("\nCast\n") && !by_name.contains("<p>"), "{by_name}");

    let list = service.json("/shows?q=harbor&genre=Drama&limit=2").await;
    let search = ["search", "harbor", "--genre", "Drama", "--limit", "2", "--json"];
    assert_eq!(parsed(&said(&world, &search).await), list["shows"]);
    let best = said(&world, &["search", "--language", "English", "--limit", "1", "--json"]).await;
    let expected = service.json("/shows?language=English&sort=-rating&limit=1").await;
    assert_eq!(parsed(&best), expected["shows"], "the best come first without words");
}

#[tokio::test]
async fn a_table_is_exported_as_the_service_gives_it_away() {
    let world = published().await;
    let service = Service::start(&world, &[]).await;
    for (name, format) in [("top_shows", "csv"), ("top_shows_cast", "ndjson"), ("all_shows", "csv")]
    {
        let path = format!("/export/{name}.{format}");
        let download = service.get(&path).send().await.unwrap().text().await.unwrap();
        assert!(said(&world, &["export", name, "--format", format]).await == download, "{path}");
        let file = format!("out.{format}");
        said(&world, &["export", name, "--output", &file]).await;
        let written = std::fs::read_to_string(world.folder.path().join(&file)).unwrap();
        assert!(written == download, "{path}: the ending names the form");
    }
    said(&world, &["export", "all_shows", "-o", "shows.parquet"]).await;
    let parquet = std::fs::read(world.folder.path().join("shows.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    said(&world, &["export", "database", "-o", "copy.db"]).await;
    let copy = crate::tables::dump(&world.folder.path().join("copy.db"));
    assert!(copy == world.tables());
    let error = refused(&world, &["export", "all_shows", "-o", "no/folder.csv"]).await;
    assert!(error.contains("no/folder.csv"), "{error}");
    let left: Vec<_> = std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn runs_are_told_from_the_file_and_by_the_service() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let error = refused(&world, &["status"]).await;
    assert!(error.contains("there is no database") && error.contains("tvshows update"), "{error}");
    let service = Service::start(&world, &[]).await;
    assert!(refused(&world, &["status"]).await.contains("there has been no update yet"));
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 9).await;
    let url = service.base_url.clone();
    for source in [&[][..], &["--service", &url]] {
        for id in [&[][..], &[run.as_str()]] {
            let all: Vec<_> = [&["status", "--json"], id, source].concat();
            let status = parsed(&said(&world, &all).await);
            assert_eq!((&status["request_id"], &status["state"]), (&json!(run), &json!("running")));
            assert_eq!(status["pages_done"], 9);
        }
    }
    let other = "0190c5a8-0000-7000-8000-000000000000";
    assert!(refused(&world, &["status", other]).await.contains("tvshows runs"));
    assert!(refused(&world, &["status", other, "--service", &url]).await.contains("no update"));

    let mut watches = Vec::new();
    for source in [&[][..], &["--service", &url]] {
        let all: Vec<_> = [&["status", "--watch"], source].concat();
        let mut watch = world.tvshows(&all);
        let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.contains("Fetching all shows: 9/10 pages"), "{line}");
        watches.push((watch, lines));
    }
    world.simulator.set_config(behaviour(&[]));
    for (watch, _lines) in watches {
        let output = watch.wait_with_output().await.unwrap();
        assert!(output.status.success());
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(out.contains("2,300 added, 0 changed"), "{out}");
    }
    let table = said(&world, &["runs"]).await;
    assert!(table.contains("succeeded") && table.contains(&run), "{table}");
    let runs = service.json("/pipeline/runs").await["runs"].clone();
    assert_eq!(
        parsed(&said(&world, &["runs", "--json"]).await)[0]["revision"],
        runs[0]["revision"]
    );
}

#[tokio::test]
async fn what_is_no_id_of_a_run_is_refused_with_where_they_are() {
    let output = tvshows(&["status", "abc"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("`tvshows runs` lists them"), "{error}");
}

#[tokio::test]
async fn an_update_tells_machines_its_outcome() {
    let world = World::new(&[]).await;
    let outcome = parsed(&said(&world, &["update", "--json"]).await);
    assert_eq!((&outcome["state"], &outcome["added"]), (&json!("succeeded"), &json!(2300)));
    world.simulator.set_config(behaviour(&["status:403@/shows?page=3"]));
    let failed = world.tvshows(&["update", "--mode", "full", "--json"]).output().await.unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let outcome = parsed(&String::from_utf8(failed.stdout).unwrap());
    assert!(outcome["error"].as_str().unwrap().contains("index page 3"), "{outcome}");
}

#[tokio::test]
async fn a_failed_run_is_listed_with_its_whole_error() {
    let world = World::new(&["status:403@/shows?page=3"]).await;
    world.update().await;
    let table = said(&world, &["runs"]).await;
    assert!(
        table.contains("failed") && table.contains("index page 3 cannot be fetched"),
        "{table}"
    );
}

#[tokio::test]
async fn who_reads_no_further_is_no_error() {
    let world = published().await;
    let mut export =
        world.tvshows(&["export", "all_shows"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(export.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("id,name,"));
    drop(lines);
    assert!(export.wait().await.unwrap().success());
}

#[tokio::test]
async fn who_reads_neither_the_outcome_nor_the_log_stops_no_update() {
    let world = World::new(&[]).await;
    let mut update = world.tvshows(&["update"]);
    let mut update = update.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((update.stdout.take(), update.stderr.take()));
    assert!(update.wait().await.unwrap().success(), "it published");
    assert_eq!(world.states(), ["succeeded"]);

    let mut serve = world.tvshows(&["serve", "--port", "0"]);
    let mut serve = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    drop(serve.stderr.take());
    let url = line.split_whitespace().nth(1).unwrap();
    let http = reqwest::Client::new();
    let answer = http.post(format!("{url}/pipeline/update?mode=full")).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    crate::support::eventually(async || world.states() == ["succeeded", "succeeded"]).await;
}

#[tokio::test]
async fn a_service_is_healthy_or_not_there() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let port = service.base_url.rsplit(':').next().unwrap().to_owned();
    said(&world, &["healthcheck", "--port", &port]).await;
    let nobody = free_port().to_string();
    assert!(refused(&world, &["healthcheck", "--port", &nobody]).await.contains("no service"));
    said(&world, &["healthcheck", "--port", &port, "--path", "/health/live"]).await;
    let missing = ["healthcheck", "--port", &port, "--path", "/health/lively"];
    assert!(refused(&world, &missing).await.contains("404"));
    let error =
        refused(&world, &["status", "--service", &format!("http://127.0.0.1:{nobody}")]).await;
    assert!(error.contains("cannot get the status from"), "{error}");
}

#[tokio::test]
async fn every_command_has_help_and_every_shell_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = tvshows(&["completions", shell]).output().await.unwrap();
        assert!(String::from_utf8(script.stdout).unwrap().contains("verify"), "{shell}");
    }
    for command in [
        "serve",
        "update",
        "status",
        "runs",
        "top",
        "show",
        "search",
        "export",
        "verify",
        "sim",
        "healthcheck",
        "openapi",
        "completions",
    ] {
        let help = tvshows(&[command, "--help"]).output().await.unwrap();
        assert!(String::from_utf8(help.stdout).unwrap().contains("Examples:"), "{command}");
    }
}
