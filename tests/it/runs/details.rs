//! The episodes and casts of chosen shows, with the real binary.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tvshows_testkit::{
    ScriptedSimulator, TestEnv, dump_content, eventually, served_shows, ten_pages,
};

/// The ids of the first `number` shows, as a filter.
fn filter(number: usize) -> (Vec<u64>, String) {
    let shows = served_shows(&ten_pages());
    let ids: Vec<u64> = shows.iter().take(number).filter_map(|show| show["id"].as_u64()).collect();
    let list: Vec<String> = ids.iter().map(u64::to_string).collect();
    (ids, format!("id={}", list.join(",")))
}

fn requests(env: &TestEnv, show: u64) -> u64 {
    let path = format!("/shows/{show}?embed%5B%5D=episodes&embed%5B%5D=cast");
    env.simulator.requests_for(&path)
}

/// The first column of a query as numbers.
fn numbers(connection: &Connection, query: &str) -> rusqlite::Result<Vec<u64>> {
    connection.prepare(query)?.query_map([], |row| row.get(0))?.collect()
}

/// Rows of the tables of details, in order.
fn details(database: &std::path::Path) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let mut rows = Vec::new();
    for table in ["Episodes", "Show_Cast"] {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = select.column_names().into_iter().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let values = columns.iter().enumerate().filter(|(_, name)| *name != "processed_at");
            let values: rusqlite::Result<Vec<rusqlite::types::Value>> =
                values.map(|(index, _)| row.get(index)).collect();
            Ok(format!("{table} {:?}", values?))
        };
        rows.extend(select.query_map([], row).unwrap().map(Result::unwrap));
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn a_run_that_is_killed_five_times_loses_no_details_and_asks_for_none_twice() {
    let simulator = ScriptedSimulator::start_with(ten_pages(), Duration::from_millis(20)).await;
    let env = TestEnv::with_simulator(simulator);
    let (ids, filter) = filter(200);
    let update = ["update", "--details", filter.as_str()];
    let mut staged = BTreeMap::new();
    for moment in [5, 40, 80, 120, 160] {
        let mut process = env.tvshows(&update).stderr(Stdio::null()).spawn().unwrap();
        let done = || {
            let connection = Connection::open(env.database())?;
            numbers(&connection, "SELECT details_done FROM Runs ORDER BY sequence DESC LIMIT 1")
        };
        eventually(async || done().is_ok_and(|done| done.first() >= Some(&moment))).await;
        process.kill().await.unwrap();
        let shows = numbers(&env.connection(), "SELECT show_id FROM _Staged_Details").unwrap();
        assert!(shows.len() as u64 >= moment, "{shows:?}");
        assert!(staged.keys().all(|show| shows.contains(show)), "none is lost");
        for show in shows {
            let requests = requests(&env, show);
            let before = *staged.entry(show).or_insert(requests);
            assert!(requests > 0 && requests == before, "show {show} is staged already");
        }
    }
    let output = env.tvshows(&update).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    for (show, before) in staged {
        assert_eq!(requests(&env, show), before, "show {show} is staged already");
    }
    assert_eq!(env.run_states(), ["succeeded"]);
    // Not all of them have an episode.
    let published = "SELECT show_id FROM _Details WHERE has_episodes";
    let published = numbers(&env.connection(), published).unwrap();
    assert_eq!(published.into_iter().collect::<BTreeSet<_>>(), ids.iter().copied().collect());

    let undisturbed = tempfile::tempdir().unwrap();
    let database = undisturbed.path().join("undisturbed.db");
    let mut arguments = update.to_vec();
    arguments.extend(["--database-path", database.to_str().unwrap()]);
    assert!(env.tvshows(&arguments).output().await.unwrap().status.success());
    assert!(details(&env.database()) == details(&database), "the tables differ");
}

#[tokio::test]
async fn a_run_that_fails_at_its_300th_show_loses_no_details() {
    let env = TestEnv::new(&[]).await;
    let (ids, filter) = filter(400);
    let update = ["update", "--json", "--details", filter.as_str()];
    let path = format!("/shows/{}?embed[]=episodes&embed[]=cast", ids[299]);
    env.simulator.set_faults(&[&format!("status:403*1@{path}")]);
    let output = env.tvshows(&update).output().await.unwrap();
    let failed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(failed["state"], "failed", "{failed}");
    let staged = numbers(&env.connection(), "SELECT show_id FROM _Staged_Details").unwrap();
    assert_eq!(failed["details_done"], staged.len());
    assert!((250..=350).contains(&staged.len()), "{}", staged.len());
    let backup = ["export", "database", "--output", "backup.db"];
    assert!(env.tvshows(&backup).output().await.unwrap().status.success());
    let backup = Connection::open(env.path("backup.db")).unwrap();
    let staged_in = |connection: &Connection| {
        let tables = ["_Staged_Run", "_Staged_Details", "_Staged_Cast_Rows", "_Staged_Episodes"];
        tables
            .map(|table| numbers(connection, &format!("SELECT count(*) FROM {table}")).unwrap()[0])
    };
    assert_eq!(staged_in(&backup), [0; 4]);
    assert!(staged_in(&env.connection()).iter().all(|rows| *rows > 0));

    let before = env.simulator.request_count();
    let output = env.tvshows(&update).output().await.unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&status["state"], &status["progress"]), (&json!("succeeded"), &json!(100)));
    let left = (ids.len() - staged.len()) as u64;
    assert_eq!((&status["details_done"], &status["details_total"]), (&json!(left), &json!(left)));
    let casts = status["casts_done"].as_u64().unwrap();
    let expected = 1 /* updates */ + 10 /* pages */ + 1 /* the end */ + left + casts;
    assert_eq!(env.simulator.request_count() - before, expected);
    assert_eq!(status["requests"], expected);
    assert!(staged.iter().all(|show| requests(&env, *show) == 1));
    assert_eq!(staged_in(&env.connection()), [0; 4]);

    let undisturbed = tempfile::tempdir().unwrap();
    let database = undisturbed.path().join("undisturbed.db");
    let path = ["--database-path", database.to_str().unwrap()];
    let output = env.tvshows(&[&update[..], &path[..]].concat()).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(details(&env.database()) == details(&database), "the tables differ");
    assert!(env.content() == dump_content(&database));
}

#[tokio::test]
async fn a_dry_run_prints_what_the_update_fetches_and_changes_nothing() {
    let env = TestEnv::new(&[]).await;
    let (_, filter) = filter(50);
    let plan = async |arguments: &[&str]| -> Value {
        let mut all = vec!["update", "--dry-run", "--json", "--details", filter.as_str()];
        all.extend_from_slice(arguments);
        let output = env.tvshows(&all).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = plan(&[]).await;
    assert!(!env.database().exists());
    assert_eq!(env.simulator.request_count(), 1);
    assert_eq!(first["mode"], "full");
    assert_eq!(
        (&first["index_pages"], &first["details"], &first["casts"]),
        (&json!(11), &json!(50), &json!(10))
    );
    assert_eq!((&first["requests"], &first["seconds"]), (&json!(72), &json!(36)));

    let too_many = env
        .tvshows(&["update", "--details", &filter, "--max-details", "49"])
        .output()
        .await
        .unwrap();
    assert_eq!(too_many.status.code(), Some(1));
    let error = String::from_utf8(too_many.stderr).unwrap();
    assert!(error.contains("of 50 shows") && error.contains("--yes"), "{error}");
    assert!(!error.contains("network"), "TVmaze is reachable: {error}");
    let update = ["update", "--details", &filter, "--max-details", "49", "--yes"];
    let output = env.tvshows(&update).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("episodes and casts of 50 shows"), "{printed}");

    let before = std::fs::read(env.database()).unwrap();
    let next = plan(&[]).await;
    assert_eq!(
        (&next["mode"], &next["requests"], &next["details"]),
        (&json!("auto"), &json!(1), &json!(0))
    );
    let full = plan(&["--mode", "full"]).await;
    assert_eq!((&full["mode"], &full["details"]), (&json!("full"), &json!(50)));
    assert!(std::fs::read(env.database()).unwrap() == before, "the file is as it was");
}

#[tokio::test]
async fn a_malformed_filter_is_refused_at_the_start() {
    let env = TestEnv::new(&[]).await;
    for (filter, problem) in [
        ("everything", "unknown filter `everything`"),
        ("language=", "must be `top`, or filters such as language=English&status=Running"),
        ("min_rating=good", "`min_rating` must be a number from 0 to 10"),
        ("id=1,x", "`id` must be up to 10,000 show ids"),
    ] {
        for (arguments, variable) in
            [(vec!["update", "--details", filter], ""), (vec!["update"], filter)]
        {
            let output = env.tvshows(&arguments).env("DETAILS", variable).output().await.unwrap();
            assert_eq!(output.status.code(), Some(2), "{filter}");
            let error = String::from_utf8(output.stderr).unwrap();
            let source =
                if variable.is_empty() { "--details" } else { "DETAILS (environment variable)" };
            assert!(error.contains(problem) && error.contains(source), "{filter}: {error}");
        }
    }
    assert_eq!(env.simulator.request_count(), 0);
}
