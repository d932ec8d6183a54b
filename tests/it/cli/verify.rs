//! `tvshows verify`: the database compared with TVmaze.

use std::process::Output;
use tvmaze_sim::Dataset;
use tvshows_testkit::{TestEnv, free_port};

async fn verify(env: &TestEnv) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = env.tvshows(&["verify"]).output().await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[tokio::test]
async fn tells_what_differs_and_what_to_do() {
    let env = TestEnv::published().await;
    let (code, out) = verify(&env).await;
    assert_eq!(code, Some(0));
    assert_eq!(out.matches("2,300").count(), 2, "{out}");

    let file = env.connection();
    file.execute("UPDATE All_Shows SET updated = updated - 1 WHERE id = 1", []).unwrap();
    drop(file);
    env.simulator.set_dataset(Dataset::synthetic(2298, 1));
    let requests = env.simulator.request_count();
    let (code, out) = verify(&env).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("\n1 outdated") && out.contains("\n2 deleted"), "{out}");
    assert_eq!(env.simulator.request_count() - requests, 1);
    assert_eq!(env.run_states(), ["succeeded"], "nothing was written");

    env.simulator.set_dataset(Dataset::synthetic(2312, 1));
    let (_, out) = verify(&env).await;
    assert!(out.contains("\n12 missing") && out.contains(", …\n"), "{out}");
    assert!(out.contains("`tvshows update`"), "{out}");
}

#[tokio::test]
async fn makes_no_database() {
    let env = TestEnv::new(&[]).await;
    std::fs::write(env.path("empty.db"), "").unwrap();
    for name in ["tvshows.db", "empty.db"] {
        let output = env.tvshows(&["verify", "--database-path", name]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(name) && error.contains("`tvshows update`"), "{error}");
    }
    assert!(!env.database().exists());
    assert_eq!(std::fs::read(env.path("empty.db")).unwrap(), b"");
}

#[tokio::test]
async fn finds_damage_in_the_file() {
    let env = TestEnv::published().await;
    let file = env.connection();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'All_Shows'";
    let page: usize = file.query_row(root, [], |row| row.get(0)).unwrap();
    let size: usize = file.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    drop(file);
    let mut bytes = std::fs::read(env.database()).unwrap();
    bytes[(page - 1) * size + 100..page * size].fill(0xFF);
    std::fs::write(env.database(), bytes).unwrap();
    let (code, out) = verify(&env).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("damaged: "), "{out}");
}

#[tokio::test]
async fn says_where_tvmaze_cannot_be_reached() {
    let env = TestEnv::published().await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let output = env.tvshows(&["verify", "--base-url", &nobody]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("TVmaze"), "{error}");
}
