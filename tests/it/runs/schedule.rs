//! Scheduled updates.

use serde_json::{Value, json};
use tvshows_testkit::{Service, TestEnv, eventually, tvshows};

async fn runs(service: &Service) -> Vec<Value> {
    service.json("/pipeline/runs").await["runs"].as_array().unwrap().clone()
}

/// Moves the whole history two days back.
fn age(env: &TestEnv) {
    let history = env.connection();
    let back = |column: &str| format!("{column} = strftime('%FT%TZ', {column}, '-2 days')");
    let sql = format!("UPDATE Runs SET {}, {}", back("started_at"), back("updated_at"));
    history.execute_batch(&sql).unwrap();
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let env = TestEnv::new(&[]).await;
    for schedule in ["every 24h", "0 4 * * *"] {
        assert!(env.tvshows(&["update"]).output().await.unwrap().status.success());
        let before = env.run_states().len();
        let mut service = Service::start(&env, &["--schedule", schedule]).await;
        eventually(async || service.json("/pipeline/runs").await["next_run_at"].is_string()).await;
        assert_eq!(runs(&service).await.len(), before, "none is due");
        service.process.kill().await.unwrap();

        age(&env);
        let service = Service::start(&env, &["--schedule", schedule]).await;
        eventually(async || runs(&service).await.len() > before).await;
        let run = runs(&service).await[0]["request_id"].as_str().unwrap().to_owned();
        let status = service.wait_for_end(&run).await;
        assert_eq!(
            (&status["state"], &status["trigger"]),
            (&json!("succeeded"), &json!("schedule"))
        );
        assert_eq!(runs(&service).await.len(), before + 1, "once");
        let next = service.json("/pipeline/runs").await["next_run_at"].clone();
        assert!(next.as_str() > runs(&service).await[0]["started_at"].as_str(), "{next}");
    }
}

#[tokio::test]
async fn a_first_update_is_due_at_once_and_by_a_pattern_at_its_time() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--schedule", "0 4 * * *"]).await;
    eventually(async || service.json("/pipeline/runs").await["next_run_at"].is_string()).await;
    assert!(runs(&service).await.is_empty());
    let service = Service::start(&env, &["--schedule", "every 24h"]).await;
    eventually(async || !runs(&service).await.is_empty()).await;
}

#[tokio::test]
async fn without_a_schedule_nothing_is_due() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let response = service.json("/pipeline/runs").await;
    assert_eq!(response, json!({"runs": [], "next_run_at": null}));
}

#[tokio::test]
async fn a_wrong_schedule_stops_the_start() {
    for (schedule, expected) in [
        ("at four", "must be a cron expression"),
        ("every day", "must be a duration"),
        ("every 10s", "the interval must be at least one minute"),
    ] {
        let output = tvshows(&["serve", "--schedule", schedule]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}
