//! A database that is moved, deleted, or replaced under a running service.
#![cfg(unix)]

use std::fs;
use std::time::Duration;

use serde_json::json;
use tvshows_testkit::{
    HANGING_PAGE, ScriptedSimulator, Service, TestEnv, dump_content, json_body, ten_pages,
};

async fn stderr_of(env: &TestEnv, arguments: &[&str]) -> (bool, String) {
    let output = env.tvshows(arguments).output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_service_without_its_database_says_so_and_changes_nothing() {
    let env = TestEnv::published().await;
    let before = env.content();
    env.simulator.set_faults(&[HANGING_PAGE]);
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit_and_stall("?mode=full").await;
    let moved = env.path("moved.db");
    fs::rename(env.database(), &moved).unwrap();

    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let ready = json_body(ready).await;
    assert_eq!(ready["status"], "unavailable");
    assert!(ready["store"].as_str().unwrap().contains("was moved or deleted"), "{ready}");
    let refused = service.post("/pipeline/update?years=5").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(json_body(refused).await["code"], "database_replaced");
    let refused = service.get("/shows/stats").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let problem = json_body(refused).await;
    assert_eq!(problem["code"], "database_replaced");
    assert!(problem["detail"].as_str().unwrap().contains("put it back, or restart"), "{problem}");
    // It started before and ends now, although its end cannot be saved.
    env.simulator.set_faults(&[]);
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    service.wait_for_end(&run).await;

    let (is_ok, error) = stderr_of(&env, &["update"]).await;
    assert!(!is_ok && error.contains("tvshows.db-wal belongs to a file that was moved"), "{error}");
    assert!(!env.database().exists());
    assert!(service.terminate().await.success());
    assert!(dump_content(&moved) == before);
    let (is_ok, error) = stderr_of(&env, &["update"]).await;
    assert!(is_ok, "a new one takes its place: {error}");
    assert!(dump_content(&moved) == before);
    assert!(env.content() == before);
}

#[tokio::test]
async fn a_run_without_its_database_fails_and_names_the_reason() {
    // Slow, so that the casts arrive after the database is gone.
    let simulator = ScriptedSimulator::start_with(ten_pages(), Duration::from_millis(500)).await;
    let env = TestEnv::with_simulator(simulator);
    let service = Service::start(&env, &[]).await;
    let run = service.submit("").await;
    service.wait_until(&run, |status| status["pages_done"] != json!(0)).await;
    fs::remove_file(env.database()).unwrap();
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], json!("failed"));
    assert!(status["error"].as_str().unwrap().contains("was moved or deleted"), "{status}");
}

#[tokio::test]
async fn a_restored_database_does_not_get_the_wal_that_a_killed_service_left() {
    let env = TestEnv::published().await;
    let restored = env.path("restored.db");
    fs::copy(env.database(), &restored).unwrap();
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full&top=3").await;
    service.wait_for_end(&run).await;
    service.process.kill().await.unwrap();
    let expected = dump_content(&restored);
    fs::rename(&restored, env.database()).unwrap();
    for command in [&["serve", "--port", "0"][..], &["update"], &["top"]] {
        let (is_ok, error) = stderr_of(&env, command).await;
        assert!(!is_ok && error.contains("delete tvshows.db-wal and tvshows.db-shm"), "{error}");
    }
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(env.path(&format!("tvshows.db{suffix}"))).unwrap();
    }
    assert!(env.content() == expected);
    assert!(env.update().await.status.success());
}
