//! Commands that read change nothing and need no write permission.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;

use tvshows_testkit::{ReadOnlyFolder, Service, TestEnv};

use super::{stderr_of_failure, stdout_of, text};

/// The commands that read, each with its exit code.
const READ: [&[&str]; 10] = [
    &["top"],
    &["search", "harbor"],
    &["show", "1"],
    &["runs"],
    &["status"],
    &["verify"],
    &["export", "all_shows"],
    &["export", "top_shows_cast", "--format", "parquet"],
    &["export", "all_shows", "--format", "ndjson"],
    &["export", "database"],
];

/// The files of a folder with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let name = |file: &std::fs::DirEntry| file.file_name().into_string().unwrap();
    files.map(|file| (name(&file), std::fs::read(file.path()).unwrap())).collect()
}

async fn read_everything(env: &TestEnv, database: &str) {
    for command in READ {
        let arguments = [command, &["--database-path", database]].concat();
        let output = env.tvshows(&arguments).output().await.unwrap();
        let error = text(output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        assert!(output.stdout.len() > 20, "{arguments:?}: {}", output.stdout.len());
    }
}

/// Files as an update, an export and a killed process leave them.
async fn databases(env: &TestEnv) -> [&'static str; 3] {
    std::fs::create_dir(env.path("data")).unwrap();
    std::fs::copy(env.database(), env.path("data/closed.db")).unwrap();
    stdout_of(env, &["export", "database", "-o", "data/copy.db"]).await;
    let open = env.connection();
    open.execute("UPDATE Top_Shows SET rank = rank", []).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let from = env.path(&format!("tvshows.db{suffix}"));
        std::fs::copy(from, env.path(&format!("data/killed.db{suffix}"))).unwrap();
    }
    ["data/closed.db", "data/copy.db", "data/killed.db"]
}

#[tokio::test]
async fn a_command_that_reads_leaves_every_file_as_it_is() {
    let env = TestEnv::published().await;
    let databases = databases(&env).await;
    let before = files(&env.path("data"));
    for database in databases {
        read_everything(&env, database).await;
    }
    let after = files(&env.path("data"));
    assert!(after.keys().eq(before.keys()), "{:?}", after.keys());
    for (name, content) in before {
        // SQLite's shared memory is rebuilt.
        assert!(name.ends_with("-shm") || content == after[&name], "{name}");
    }
}

#[tokio::test]
async fn a_read_only_folder_is_read_and_a_service_serves_it() {
    let env = TestEnv::published().await;
    let databases = databases(&env).await;
    let test = "a_read_only_folder_is_read";
    let Some(_read_only) = ReadOnlyFolder::new(test, &env.path("data")) else { return };
    for database in databases {
        read_everything(&env, database).await;
        let arguments = ["--database-path", database, "--update", "--schedule", "every 1m"];
        let mut service = Service::start(&env, &arguments).await;
        let ready = service.json("/health/ready").await;
        assert_eq!((&ready["status"], &ready["store"]), (&"degraded".into(), &"ok".into()));
        assert_eq!(ready["database"]["writable"], false);
        for path in [
            "/shows/top_shows",
            "/shows?q=harbor",
            "/shows/1",
            "/shows/stats",
            "/pipeline/runs",
            "/export/all_shows.csv",
            "/export/tvshows.db",
            "/metrics",
            "/",
        ] {
            let response = service.get(path).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            assert!(response.bytes().await.unwrap().len() > 20, "{path}");
        }
        let refused = service.post("/pipeline/update").send().await.unwrap();
        assert_eq!(refused.status(), 503);
        let problem: serde_json::Value =
            serde_json::from_str(&refused.text().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "store_read_only");
        assert!(problem["detail"].as_str().unwrap().contains("only read"), "{problem}");
        assert_eq!(service.json("/pipeline/runs").await["runs"].as_array().unwrap().len(), 1);
        assert!(service.terminate().await.success());
    }
    let update = ["update", "--database-path", "data/copy.db"];
    let error = stderr_of_failure(&env, &update).await;
    assert!(error.contains("read-only") && error.contains("DATABASE_PATH"), "{error}");
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_not_migrated_by_reading_it() {
    let env = TestEnv::new(&[]).await;
    let dump = include_str!("../../../crates/tvshows-sqlite/tests/fixtures/schema-5.sql");
    env.connection().execute_batch(dump).unwrap();
    let before = std::fs::read(env.database()).unwrap();
    for command in READ {
        let error = stderr_of_failure(&env, command).await;
        assert!(error.contains("schema version 5"), "{command:?}: {error}");
        assert!(error.contains("`tvshows update` or `tvshows serve`"), "{command:?}: {error}");
    }
    assert!(std::fs::read(env.database()).unwrap() == before);
    let mut service = Service::start(&env, &[]).await;
    assert!(service.terminate().await.success());
    stdout_of(&env, &["top"]).await;
}

#[tokio::test]
async fn what_a_service_publishes_meanwhile_is_read() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    let before = service.json("/shows/top_shows").await;
    let run = service.submit("?top=3").await;
    service.wait_for_end(&run).await;
    let after = service.json("/shows/top_shows").await;
    assert_ne!(before, after);
    let read = stdout_of(&env, &["top", "--json"]).await;
    assert_eq!(super::parse(&read), after, "from the WAL");
}
