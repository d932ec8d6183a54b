//! Joining, queueing, following, canceling and stopping runs.

use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, free_port, json_body};

/// A service with a run that waits for its last page until the faults are cleared.
async fn stalled() -> (TestEnv, Service, String) {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit_and_stall("").await;
    (env, service, run)
}

#[tokio::test]
async fn a_second_post_joins_or_waits() {
    let (_env, service, run) = stalled().await;
    assert_eq!(service.submit("").await, run);
    assert_eq!(service.submit("?years=10&top=10&mode=auto").await, run, "the defaults, said aloud");
    let other = service.submit("?top=3").await;
    assert_ne!(other, run);
    let path = format!("/pipeline/status/{other}");
    let status = service.json(&path).await;
    assert_eq!(
        (&status["status"]["state"], &status["status"]["step"]),
        (&json!("queued"), &json!("Queued"))
    );
    let runs = service.json("/pipeline/runs").await;
    let ids: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| &run["request_id"]).collect();
    assert_eq!(ids, [&json!(other), &json!(run)], "newest first");
}

#[tokio::test]
async fn a_full_queue_says_when_to_retry() {
    let (_env, service, _run) = stalled().await;
    for top in 11..27 {
        service.submit(&format!("?top={top}")).await;
    }
    let refused = service.post("/pipeline/update?top=100").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().is_ok());
    assert_eq!(json_body(refused).await["code"], "queue_full");
}

#[tokio::test]
async fn a_cancelled_run_publishes_nothing() {
    let (env, service, run) = stalled().await;
    let path = format!("/pipeline/cancel/{run}");
    assert_eq!(service.post(&path).send().await.unwrap().status(), 202);
    let status = service.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["running"]), (&json!("cancelled"), &json!(false)));
    assert_eq!(service.post(&path).send().await.unwrap().status(), 409, "it has ended");
    assert_eq!(env.tables(), "");
    env.simulator.set_faults(&[]);
    let next = service.submit("").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
}

#[tokio::test]
async fn progress_never_falls_and_revisions_rise() {
    let env = TestEnv::new(&["status:500*1@/shows?page=4"]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("").await;
    let seen = std::cell::RefCell::new((0, 0));
    let status = service
        .wait_until(&run, |status| {
            let now = (status["revision"].as_u64().unwrap(), status["progress"].as_u64().unwrap());
            let before = seen.replace(now);
            assert!(now.0 > before.0 && now.1 >= before.1, "{before:?} {now:?}");
            status["running"] == false && status["state"] != "queued"
        })
        .await;
    assert_eq!((&status["progress"], &status["retries"]), (&json!(100), &json!(1)));
}

#[tokio::test]
async fn a_poll_is_held_until_something_changes() {
    let (_env, service, run) = stalled().await;
    let path = format!("/pipeline/status/{run}?wait=60");
    let held = service.get(&path).header("previous_signature", "0");
    assert_eq!(held.send().await.unwrap().status(), 200, "another signature is news at once");
    let last = service.json(&format!("/pipeline/status/{run}")).await;
    let held = service.get(&path).header("previous_signature", last["signature"].as_str().unwrap());
    let held = tokio::spawn(held.send());
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    let changed = json_body(held.await.unwrap().unwrap()).await;
    assert_ne!(changed["signature"], last["signature"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_is_graceful_even_with_polls_held() {
    let (env, mut service, run) = stalled().await;
    let held = service.get(&format!("/pipeline/status/{run}?wait=60"));
    let held = held.header("previous_signature", "1").send();
    let polls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(service.get(&format!("/pipeline/status/{run}?wait=60")).send()))
        .collect();
    held.await.unwrap();
    let stopped = timeout(Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success());
    for poll in polls {
        // Either a response, or a refused connection after the stop; never a hang.
        if let Ok(response) = poll.await.unwrap() {
            assert_eq!(response.status(), 200);
        }
    }
    let history = env.connection();
    let state: String = history.query_row("SELECT state FROM Runs", [], |row| row.get(0)).unwrap();
    assert_eq!(state, "interrupted");
    assert_eq!(env.tables(), "");
}

#[tokio::test]
async fn a_first_update_without_a_network_says_why_and_what_to_do() {
    let env = TestEnv::new(&[]).await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let arguments = ["serve", "--port", "0", "--update", "--base-url", &nobody];
    let mut command = env.tvshows(&arguments);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let error = loop {
        let line = lines.next_line().await.unwrap().expect("it stays up");
        if line.contains("make demo") {
            break line;
        }
    };
    assert!(error.contains("TVmaze"), "{error}");
    assert_eq!(process.try_wait().unwrap(), None, "it stays up");
}

#[tokio::test]
async fn an_update_without_a_network_says_why_and_what_to_do() {
    let env = TestEnv::new(&[]).await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let output = env.tvshows(&["update", "--base-url", &nobody]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("TVmaze") && error.contains("--tvmaze-base-url demo"), "{error}");
}

#[tokio::test]
async fn serve_update_begins_at_once_and_survives_its_failure() {
    let env = TestEnv::new(&["status:403@/shows?page=0"]).await;
    let service = Service::start(&env, &["--update"]).await;
    let runs = service.json("/pipeline/runs").await;
    let run = runs["runs"][0]["request_id"].as_str().unwrap().to_owned();
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], "failed");
    assert!(status["error"].as_str().unwrap().contains("index page 0"), "{status}");
    env.simulator.set_faults(&[]);
    let again = service.submit("").await;
    assert_eq!(service.wait_for_end(&again).await["state"], "succeeded");
}
