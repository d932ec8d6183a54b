//! Other programs on the database: the `sqlite3` of this system, datasette and sqlite-utils.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use tvshows_testkit::{Service, TestEnv, eventually, free_port};

use super::{parse, text};
use crate::packages::readers;

/// The number of rows of every table, virtual ones and their parts included.
fn counts(env: &TestEnv) -> BTreeMap<String, u64> {
    let connection = env.connection();
    let mut select = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let names: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let count = |name: String| {
        let sql = format!("SELECT count(*) FROM \"{name}\"");
        let count = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        (name, count)
    };
    names.into_iter().map(count).collect()
}

async fn output_of(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{command:?}: {error}");
    text(output.stdout)
}

#[tokio::test]
async fn the_sqlite_of_this_system_counts_every_table() {
    let env = TestEnv::published().await;
    if Command::new("sqlite3").arg("-version").output().await.is_err() {
        println!("skipped: sqlite3 is not installed");
        return;
    }
    let mut service = Service::start(&env, &[]).await;
    let expected = counts(&env);
    assert!(expected["_Show_Versions"] == 2300 && expected["All_Shows"] == 2300, "{expected:?}");
    let sqlite3 = async |sql: &str| {
        output_of(Command::new("sqlite3").arg("-bail").arg(env.database()).arg(sql)).await
    };
    for (name, count) in &expected {
        let counted = sqlite3(&format!("SELECT count(*) FROM \"{name}\"")).await;
        assert_eq!(counted.trim(), count.to_string(), "{name}");
    }
    assert!(service.terminate().await.success());
    assert_eq!(sqlite3("PRAGMA integrity_check").await.trim(), "ok");
}

#[tokio::test]
async fn sqlite_utils_counts_every_table() {
    let Some(python) = readers("sqlite_utils_counts_every_table") else { return };
    let env = TestEnv::published().await;
    let expected = counts(&env);
    let tools = async |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "sqlite_utils"]).args(arguments).current_dir(env.folder());
        output_of(&mut command).await
    };
    let tables = async || {
        let tables = parse(&tools(&["tables", "tvshows.db", "--counts"]).await);
        let tables = tables.as_array().unwrap().iter();
        let tables = tables.map(|table| {
            (table["table"].as_str().unwrap().to_owned(), table["count"].as_u64().unwrap())
        });
        tables.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(tables().await, expected);
    tools(&["views", "tvshows.db", "--counts"]).await;
}

#[tokio::test]
async fn datasette_counts_every_table_and_hides_the_internal_ones() {
    let Some(python) = readers("datasette_counts_every_table_and_hides_the_internal_ones") else {
        return;
    };
    let env = TestEnv::published().await;
    let expected = counts(&env);
    let port = free_port();
    let mut datasette = Command::new(&python);
    datasette.args(["-m", "datasette", "serve", "--port", &port.to_string()]);
    // As documented.
    let document = include_str!("../../../docs/queries.md");
    let documented = document.lines().find_map(|line| line.strip_prefix("datasette ")).unwrap();
    let metadata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/datasette.json");
    let documented = documented.replace("docs/datasette.json", metadata.to_str().unwrap());
    datasette.args(documented.split(' '));
    datasette.args(["--setting", "sql_time_limit_ms", "20000"]);
    datasette.current_dir(env.folder()).kill_on_drop(true);
    datasette.stdout(Stdio::null()).stderr(Stdio::null());
    let mut datasette = datasette.spawn().unwrap();
    let get = async |path: &str| {
        let response = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
        serde_json::from_str::<Value>(&response.text().await.ok()?).ok()
    };
    eventually(async || {
        assert_eq!(datasette.try_wait().unwrap(), None, "it exited");
        get("/-/versions.json").await.is_some()
    })
    .await;
    let database = get("/tvshows.json").await.unwrap();
    let tables = database["tables"].as_array().unwrap();
    for (name, count) in expected {
        let table = tables.iter().find(|table| table["name"] == *name).expect(&name);
        assert_eq!(table["hidden"], name.starts_with('_'), "{name}");
        // Not the counts of the list, for which datasette takes a few milliseconds at most.
        let sql = format!("/tvshows.json?_shape=arrayfirst&sql=select+count(*)+from+%22{name}%22");
        assert_eq!(get(&sql).await.unwrap()[0], count, "{name}");
    }
    let views = database["views"].as_array().unwrap().iter().map(|view| view["name"].as_str());
    let views: BTreeSet<_> = views.map(Option::unwrap).collect();
    assert_eq!(views, BTreeSet::from(["Show_Days", "Show_Genres", "Shows_Flat"]));
    for name in ["All_Shows", "Shows_Flat"] {
        let table = get(&format!("/tvshows/{name}.json?_facet=language")).await.unwrap();
        assert_eq!(table["suggested_facets"], serde_json::json!([]), "{name}: they take seconds");
        assert!(table["facet_results"]["language"]["results"].as_array().is_some(), "{name}");
    }
}
