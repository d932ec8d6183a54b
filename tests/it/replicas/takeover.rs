//! Runs whose replica ends, or is paused.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;
use tvshows_testkit::{HANGING_PAGE, ScriptedSimulator, Service, eventually, signal, ten_pages};

use super::{Replicas, metric, wait_for_copies};

/// Kills the replica that works on a run which a fault stalls, and returns what another one makes of it.
async fn kill_where(fault: &str, is_reached: impl Fn(&Value) -> bool) {
    let replicas = Replicas::new(&[fault]).await;
    let mut killed = replicas.start("a").await;
    let run = killed.submit("?mode=full").await;
    let before = killed.wait_until(&run, |status| is_reached(status)).await;
    let other = replicas.start("b").await;
    killed.process.kill().await.unwrap();
    let requests = replicas.env.simulator.request_count();
    replicas.env.simulator.set_faults(&[]);
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)), "{fault}");
    assert_ne!(status["instance"], before["instance"]);
    // What was not staged, and the updates map.
    let staged = before["pages_done"].as_u64().unwrap() + before["casts_done"].as_u64().unwrap();
    let requests = replicas.env.simulator.request_count() - requests;
    assert!(requests + staged <= 10 + 10 + 2, "{fault}: {requests} requests, {staged} staged");
    assert_eq!(
        (replicas.run_states().await, replicas.snapshots().await),
        (vec!["succeeded".into()], 1)
    );
    wait_for_copies(&[&other], 10).await;
    assert!(replicas.content("b") == replicas.env.expected_content().await, "{fault}");
}

/// Takes 20 s: the lock expires.
#[tokio::test]
async fn a_killed_run_is_continued_by_another_replica_wherever_it_was() {
    let best = best_show().await;
    let cast = format!("hang@/shows/{best}/cast");
    tokio::join!(
        kill_where("hang@/updates/shows", |status| status["requests"].as_u64() > Some(0)),
        kill_where(HANGING_PAGE, |status| status["pages_done"] == 9),
        kill_where(&cast, |status| status["casts_done"] == 9),
    );
}

/// The id of the best of the top shows.
async fn best_show() -> u64 {
    let env = tvshows_testkit::TestEnv::published().await;
    let top = env.tvshows(&["top", "--limit", "1", "--json"]).output().await.unwrap();
    let top: Value = serde_json::from_slice(&top.stdout).unwrap();
    top[0]["id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_stopped_run_is_continued_by_another_replica() {
    let replicas = Replicas::new(&[HANGING_PAGE]).await;
    let mut stopped = replicas.start("a").await;
    let run = stopped.submit_and_stall("?mode=full").await;
    let other = replicas.start("b").await;
    replicas.env.simulator.set_faults(&[]);
    let asked = replicas.env.simulator.requests_for("/shows?page=0");
    assert!(stopped.terminate().await.success());
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(replicas.env.simulator.requests_for("/shows?page=0"), asked);
}

/// Takes 20 s: the lock expires.
#[tokio::test]
async fn a_paused_replica_is_replaced_and_neither_publishes_nor_requests_anything_when_it_wakes() {
    let replicas = Replicas::new(&[HANGING_PAGE]).await;
    let paused = replicas.start("a").await;
    let run = paused.submit_and_stall("?mode=full").await;
    let upstream = ScriptedSimulator::start(&[]).await;
    let mut command = replicas.command("b");
    command.env("TVMAZE_BASE_URL", upstream.base_url());
    let other = Service::spawn(command).await;
    signal(&paused.process, "-STOP").await;
    let requests = replicas.env.simulator.request_count();
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(upstream.requests_for("/shows?page=0"), 0, "what was staged is used");

    signal(&paused.process, "-CONT").await;
    assert_eq!(paused.wait_for_end(&run).await["instance"], status["instance"]);
    eventually(async || metric(&paused, "tvshows_run_in_progress").await == "0").await;
    assert_eq!(replicas.env.simulator.request_count(), requests);
    assert_eq!(
        (replicas.run_states().await, replicas.snapshots().await),
        (vec!["succeeded".into()], 1)
    );
    wait_for_copies(&[&paused, &other], 10).await;
    assert!(replicas.content("a") == replicas.content("b"));
}

/// Kills replicas until fifty have died while they worked on an update.
#[tokio::test]
#[ignore = "takes some minutes: cargo test -p tvshows --test it fifty_kills -- --ignored"]
async fn fifty_kills_at_random_moments_lose_nothing() {
    for _ in 0..5 {
        join_all((0..10).map(|_| kill_at_random())).await;
    }
}

async fn kill_at_random() {
    let mut replicas = Replicas::new(&[]).await;
    replicas.env.simulator =
        ScriptedSimulator::start_with(ten_pages(), Duration::from_millis(100)).await;
    let mut killed = replicas.start("a").await;
    let run = killed.submit("?mode=full").await;
    let other = replicas.start("b").await;
    let delay = fastrand::u64(0..600);
    sleep(Duration::from_millis(delay)).await;
    killed.process.kill().await.unwrap();
    let status = other.wait_for_end(&run).await;
    assert_eq!(status["state"], "succeeded", "killed after {delay} ms: {status}");
    assert_eq!(
        (replicas.run_states().await, replicas.snapshots().await),
        (vec!["succeeded".into()], 1)
    );
    // The map, the pages, the end of the index, and the casts; again the map, and what was in progress.
    let requests = replicas.env.simulator.request_count();
    assert!(requests <= 22 + 1 + 8 + 1, "killed after {delay} ms: {requests} requests");
    wait_for_copies(&[&other], 10).await;
    assert!(replicas.content("b") == replicas.env.expected_content().await);
}
