//! Updates that begin by themselves.

use serde_json::{Value, json};

use crate::support::{Service, World, eventually, tvshows};

async fn runs(service: &Service) -> Vec<Value> {
    service.json("/pipeline/runs").await["runs"].as_array().unwrap().clone()
}

/// Moves all that the history says two days back.
fn age(world: &World) {
    let history = rusqlite::Connection::open(world.database()).unwrap();
    let back = |column: &str| format!("{column} = strftime('%FT%TZ', {column}, '-2 days')");
    let sql = format!("UPDATE Runs SET {}, {}", back("started_at"), back("updated_at"));
    history.execute_batch(&sql).unwrap();
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let world = World::new(&[]).await;
    for schedule in ["every 24h", "0 4 * * *"] {
        assert!(world.tvshows(&["update"]).output().await.unwrap().status.success());
        let before = world.states().len();
        let mut service = Service::start(&world, &["--schedule", schedule]).await;
        eventually(async || service.json("/pipeline/runs").await["next_run_at"].is_string()).await;
        assert_eq!(runs(&service).await.len(), before, "none is due");
        service.process.kill().await.unwrap();

        age(&world);
        let service = Service::start(&world, &["--schedule", schedule]).await;
        eventually(async || runs(&service).await.len() > before).await;
        let run = runs(&service).await[0]["request_id"].as_str().unwrap().to_owned();
        assert_eq!(service.end_of(&run).await["state"], "succeeded");
        assert_eq!(runs(&service).await.len(), before + 1, "once");
        let next = service.json("/pipeline/runs").await["next_run_at"].clone();
        assert!(next.as_str() > runs(&service).await[0]["started_at"].as_str(), "{next}");
    }
}

#[tokio::test]
async fn a_first_update_is_due_at_once_and_by_a_pattern_at_its_time() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &["--schedule", "0 4 * * *"]).await;
    eventually(async || service.json("/pipeline/runs").await["next_run_at"].is_string()).await;
    assert!(runs(&service).await.is_empty());
    let service = Service::start(&world, &["--schedule", "every 24h"]).await;
    eventually(async || !runs(&service).await.is_empty()).await;
}

#[tokio::test]
async fn without_a_schedule_nothing_is_due() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let answer = service.json("/pipeline/runs").await;
    assert_eq!(answer, json!({"runs": [], "next_run_at": null}));
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
