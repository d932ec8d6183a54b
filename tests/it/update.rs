//! `tvshows update`: one run in one process.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::support::{World, behaviour, catalogue, tvshows};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every show of the index, as it is served.
fn shows() -> Vec<Value> {
    let catalogue = catalogue();
    let pages = (0..).map_while(|page| catalogue.page(page));
    pages.flat_map(|page| serde_json::from_slice::<Vec<Value>>(&page).unwrap()).collect()
}

#[tokio::test]
async fn publishes_every_show_with_every_column() {
    let world = World::new(&[]).await;
    let output = world.update().await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let connection = rusqlite::Connection::open(world.database()).unwrap();
    let mut select = connection
        .prepare(
            "SELECT name, type, language, genres, status, premiered, ended, rating_average, summary, \
             updated, processed_at FROM All_Shows WHERE id = ?1",
        )
        .unwrap();
    let shows = shows();
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
    let world = World::new(&["status:500*1@/shows?page=3"]).await;
    let output = world.tvshows(&["update", "--top", "3"]).output().await.unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.starts_with("Published 2,300 shows: 2,300 added, 0 changed, 0 deleted ("), "{out}");
    assert!(out.contains("16 requests, 1 retry, 0 rate-limited)."), "{out}");
    let table = out.lines().skip_while(|line| !line.contains("RANK"));
    assert_eq!(table.skip(1).count(), 3, "{out}");
    for step in ["Fetching all shows", "Completed"] {
        assert!(err.contains(step), "{step}: {err}");
    }
    assert!(err.contains("100 %"), "{err}");
}

#[tokio::test]
async fn the_second_update_asks_what_changed_and_fetches_that() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let requests = world.simulator.request_count();
    let second = world.tvshows(&["update"]).output().await.unwrap();
    let out = text(&second.stdout);
    assert!(out.starts_with("Already up to date: 2,300 shows ("), "{out}");
    assert!(out.contains(" s, 1 request, 0 retries, 0 rate-limited)."), "{out}");
    assert_eq!(world.simulator.request_count() - requests, 1);
    let aged = world.tvshows(&["update", "--max-age", "0"]).output().await.unwrap();
    assert!(text(&aged.stdout).contains("Already up to date"), "{}", text(&aged.stdout));
    assert_eq!(world.simulator.request_count() - requests, 1 + 1 + 10, "the map and every page");
}

#[tokio::test]
async fn a_failed_update_says_why_and_leaves_the_tables_as_they_were() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let before = world.tables();
    for (fault, expected) in [
        ("object@/shows?page=3", "/shows?page=3 (5 attempts in "),
        ("missing@/shows?page=7", "index page 7 answered 404, although page 9 exists"),
    ] {
        world.simulator.set_config(behaviour(&[fault]));
        let output = world.update().await;
        assert_eq!(output.status.code(), Some(1), "{fault}");
        let err = text(&output.stderr);
        assert!(err.contains(expected), "{fault}: {err}");
        assert!(world.tables() == before, "{fault}");
    }
}

#[tokio::test]
async fn a_log_for_machines_has_nothing_else_in_it() {
    let world = World::new(&["status:403@/shows?page=3"]).await;
    let output = world.tvshows(&["update", "--log-format", "json"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stderr);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tells =
        |line: &Value| line["error"].as_str().is_some_and(|error| error.contains("index page 3"));
    assert!(lines.iter().any(tells), "{log}");
}

#[tokio::test]
async fn a_proxy_is_not_asked_for_this_machine() {
    let world = World::new(&[]).await;
    let mut update = world.tvshows(&["update"]);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        update.env(variable, "http://127.0.0.1:1");
    }
    assert!(update.output().await.unwrap().status.success());
}

#[tokio::test]
async fn settings_come_from_flags_then_environment_then_file() {
    let world = World::new(&[]).await;
    let path = |name: &str| world.folder.path().join(name);
    std::fs::write(path("settings.toml"), "database_path = \"file.db\"\n").unwrap();
    let mut command = world.tvshows(&["update", "--config", "settings.toml"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("file.db").exists());
    command.env("DATABASE_PATH", "environment.db");
    assert!(command.output().await.unwrap().status.success());
    assert!(path("environment.db").exists());
    command.args(["--database-path", "flag.db"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("flag.db").exists() && !path("tvshows.db").exists());
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_sentence() {
    let world = World::new(&[]).await;
    std::fs::write(world.folder.path().join("wrong.toml"), "databse_path = \"x.db\"").unwrap();
    std::fs::write(world.folder.path().join("text.db"), "no database at all".repeat(100)).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["update", "--years", "201"], 2, "must be a whole number from 0 to 200"),
        (&["update", "--top", "0"], 2, "must be a whole number from 1 to 1000"),
        (&["update", "--mode", "some"], 2, "must be one of: auto, full"),
        (&["update", "--config", "wrong.toml"], 2, "unknown key `databse_path`"),
        (&["update", "--config", "none.toml"], 2, "none.toml"),
        (&["update", "--base-url", "tvmaze.com"], 2, "\"tvmaze.com\" is not a URL"),
        (&["update", "--redis-url", "http://x"], 2, "REDIS_URL: must be redis://"),
        (&["update", "--database-path", "text.db"], 1, "choose another DATABASE_PATH"),
        (&["update", "--database-path", "no/folder.db"], 1, "in a folder that exists"),
        (&["serve", "--port", "70000"], 2, "70000"),
        (&["sim", "--fault", "explode@/shows"], 2, "explode"),
    ];
    for (arguments, code, expected) in cases {
        let output = world.tvshows(arguments).output().await.unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {err}");
        assert!(err.contains(expected) && !err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[tokio::test]
async fn help_names_every_command_and_setting() {
    let help = text(&tvshows(&["--help"]).output().await.unwrap().stdout);
    for word in ["serve", "update", "sim", "verify", "openapi", "Exit codes", "TVmaze"] {
        assert!(help.contains(word), "{word}");
    }
    let help = text(&tvshows(&["serve", "--help"]).output().await.unwrap().stdout);
    for word in
        ["DATABASE_PATH", "REDIS_URL", "TVMAZE_BASE_URL", "HOST", "PORT", "LOG_FORMAT", "--update"]
    {
        assert!(help.contains(word), "{word}");
    }
}

/// `tvshows sim`, and where it says that it listens.
async fn simulate(arguments: &[&str]) -> (Child, String) {
    let mut simulator = tvshows(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(simulator.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    (simulator, line.strip_prefix("Simulating TVmaze at ").unwrap().to_owned())
}

#[tokio::test]
async fn the_simulator_is_an_upstream_with_faults_on_demand() {
    let world = World::new(&[]).await;
    let arguments = [
        "sim",
        "--port",
        "0",
        "--shows",
        "300",
        "--limit",
        "500/1s",
        "--fault",
        "cut*1@/shows?page=1",
    ];
    let (_simulator, base_url) = simulate(&arguments).await;
    let output = world.tvshows(&["update", "--base-url", &base_url]).output().await.unwrap();
    let out = text(&output.stdout);
    assert!(out.starts_with("Published 300 shows") && out.contains(" 1 retry"), "{out}");
}

#[tokio::test]
async fn the_simulator_serves_a_folder_of_recordings() {
    let world = World::new(&[]).await;
    let folder = world.folder.path().join("recorded");
    std::fs::create_dir_all(folder.join("pages")).unwrap();
    let page = r#"[{"id": 1, "name": "Under the Dome", "updated": 5, "genres": ["Drama"]}]"#;
    std::fs::write(folder.join("pages/0.json"), page).unwrap();
    let arguments = ["sim", "--port", "0", "--data", folder.to_str().unwrap()];
    let (_simulator, base_url) = simulate(&arguments).await;
    let output = world.tvshows(&["update", "--base-url", &base_url]).output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(world.tables().contains("Under the Dome"));
}
