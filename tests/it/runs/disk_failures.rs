//! Full and read-only disks, locked and damaged databases.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tvshows_testkit::{
    HANGING_PAGE, Service, SmallDisk, TestEnv, dump_content, dump_tables, eventually,
};

#[tokio::test]
async fn a_full_disk_while_staging_fails_the_run_and_is_recovered_from() {
    let Some(disk) = SmallDisk::mount("a_full_disk_while_staging", "4m") else { return };
    let env = TestEnv::new(&[]).await;
    let database = disk.database();
    let service = Service::start(&env, &["--database-path", database.to_str().unwrap()]).await;
    let run = service.submit("?mode=full").await;
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], "failed", "{status}");
    assert!(status["error"].as_str().unwrap().contains("disk is full"), "{status}");
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "failed", "{runs}");
    assert_eq!(service.json("/shows/top_shows").await, json!([]), "it still reads");

    disk.remount("size=100m");
    let next = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
    assert_eq!(dump_content(&database), env.expected_content().await);
}

#[tokio::test]
async fn a_full_disk_while_publishing_leaves_the_old_tables() {
    let Some(disk) = SmallDisk::mount("a_full_disk_while_publishing", "100m") else { return };
    let env = TestEnv::new(&[]).await;
    let database = disk.database();
    let service = Service::start(&env, &["--database-path", database.to_str().unwrap()]).await;
    let first = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&first).await["state"], "succeeded");
    let before = dump_tables(&database);
    let best = service.json("/shows/top_shows?limit=1").await[0]["id"].clone();
    env.simulator.set_faults(&[&format!("hang*1@/shows/{best}/cast")]);
    // With one show more in the top list, there is something to publish.
    let run = service.submit("?mode=full&top=11").await;
    service.wait_until(&run, |status| status["casts_done"] == 10).await;
    // The hanging cast is requested again after its timeout; by then there is no space left to publish.
    let wal = rusqlite::Connection::open(&database).unwrap();
    wal.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(wal);
    disk.remount(&format!("size={}k", disk.used() + 512));
    let status = service.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["step"]), (&json!("failed"), &json!("Publishing")));
    assert!(status["error"].as_str().unwrap().contains("disk is full"), "{status}");
    assert!(dump_tables(&database) == before);

    disk.remount("size=100m");
    let next = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
}

#[tokio::test]
async fn an_update_that_cannot_be_saved_ends_as_the_history_says() {
    let Some(disk) = SmallDisk::mount("an_update_that_cannot_be_saved", "100m") else { return };
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let database = disk.database();
    let path = ["--database-path", database.to_str().unwrap()];
    let command = |arguments: &[&str]| env.tvshows(&[arguments, &path].concat());
    let json = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap();
    let mut update = command(&["update", "--json"]);
    let update = update.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually(async || {
        let runs = command(&["runs", "--json"]).output().await.unwrap();
        runs.status.success() && json(&runs)[0]["pages_done"] == 9
    })
    .await;
    disk.fill();
    env.simulator.set_faults(&[]);

    let output = update.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let outcome = json(&output);
    assert_eq!(outcome["state"], "interrupted");
    assert!(outcome["error"].as_str().unwrap().contains("disk is full"), "{outcome}");
    let error = String::from_utf8(output.stderr).unwrap();
    let said = error.lines().last().unwrap();
    assert!(said.contains("disk is full") && said.contains("resumes"), "{error}");
    let runs = json(&command(&["runs", "--json"]).output().await.unwrap());
    assert_eq!(runs[0]["state"], "interrupted");

    disk.empty();
    let resumed = command(&["update", "--json"]).output().await.unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(json(&resumed)["request_id"], outcome["request_id"]);
    assert_eq!(dump_content(&database), env.expected_content().await);
}

#[tokio::test]
async fn a_disk_of_any_size_is_full_for_an_update_as_for_the_history() {
    let Some(disk) = SmallDisk::mount("a_disk_of_any_size", "1m") else { return };
    let env = TestEnv::new(&[]).await;
    let database = disk.database();
    let path = ["--database-path", database.to_str().unwrap()];
    let json = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap();
    for size in ["1m", "3m", "5m"] {
        for file in std::fs::read_dir(disk.folder()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        disk.remount(&format!("size={size}"));
        let update = env.tvshows(&[&["update", "--json"], &path[..]].concat()).output().await;
        let update = update.unwrap();
        assert_eq!(update.status.code(), Some(1), "{size}: {update:?}");
        assert!(json(&update)["error"].as_str().unwrap().contains("disk is full"), "{size}");
        let runs = env.tvshows(&[&["runs", "--json"], &path[..]].concat()).output().await.unwrap();
        assert_eq!(json(&update)["state"], json(&runs)[0]["state"], "{size}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused_with_a_sentence() {
    let Some(disk) = SmallDisk::mount("a_file_that_cannot_be_written", "100m") else { return };
    let env = TestEnv::new(&[]).await;
    assert!(update_of(&env, &disk.database()).await.status.success());
    let before = std::fs::read(disk.database()).unwrap();
    disk.remount("ro");
    let error = refusal(&update_of(&env, &disk.database()).await);
    assert!(error.contains("read-only") || error.contains("cannot be opened"), "{error}");
    assert!(std::fs::read(disk.database()).unwrap() == before);
}

/// A full update of a given file.
async fn update_of(env: &TestEnv, database: &Path) -> Output {
    let arguments = ["update", "--mode", "full", "--database-path", database.to_str().unwrap()];
    env.tvshows(&arguments).output().await.unwrap()
}

/// The error of a failed update.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!error.contains("panicked"), "{error}");
    error
}

#[tokio::test]
async fn a_database_that_another_process_has_locked_is_reported_and_left_unchanged() {
    let env = TestEnv::published().await;
    let before = env.tables();
    let other = env.connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = refusal(&env.update().await);
    assert!(error.contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(env.tables() == before);
    assert!(env.update().await.status.success());
}

#[tokio::test]
async fn a_damaged_or_foreign_database_is_reported_and_left_unchanged() {
    let env = TestEnv::published().await;
    let whole = std::fs::read(env.database()).unwrap();
    let path = |name: &str| env.path(name);
    std::fs::write(path("truncated.db"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(path("stump.db"), &whole[..700]).unwrap();
    let other = rusqlite::Connection::open(path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE Notes (text); INSERT INTO Notes VALUES ('mine')").unwrap();
    drop(other);
    for (name, expected) in [
        ("truncated.db", "damaged"),
        ("stump.db", "damaged"),
        ("other.db", "belongs to another program"),
    ] {
        let before = std::fs::read(path(name)).unwrap();
        let error = refusal(&update_of(&env, &path(name)).await);
        assert!(error.contains(expected) && error.contains("DATABASE_PATH"), "{name}: {error}");
        assert!(std::fs::read(path(name)).unwrap() == before, "{name}");
    }
}
