//! Runs whose process ends before the run does.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tvmaze_sim::Dataset;
use tvshows_testkit::{HANGING_PAGE, ScriptedSimulator, Service, TestEnv, eventually, terminate};

/// Kills a service whose run has staged all pages but the hanging one, and returns the run.
async fn killed(env: &TestEnv) -> String {
    let mut service = Service::start(env, &[]).await;
    let run = service.submit_and_stall("?mode=full").await;
    service.process.kill().await.unwrap();
    run
}

#[tokio::test]
async fn a_killed_run_resumes_automatically_under_its_id() {
    let env = TestEnv::published().await;
    let before = env.tables();
    env.simulator.set_faults(&[HANGING_PAGE]);
    let run = killed(&env).await;
    assert!(env.tables() == before);
    let asked = |page: u32| env.simulator.requests_for(&format!("/shows?page={page}"));
    let staged = || (0..10).filter(|page| *page != 5).map(asked).collect::<Vec<_>>();
    let pages = staged();

    env.simulator.set_faults(&[]);
    let service = Service::start(&env, &[]).await;
    let status = service.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(status["pages_done"], 10);
    // First the updates map and ten pages; then the map, one page, the end of the index and ten casts.
    assert!(status["requests"].as_u64() >= Some(11 + 13), "both attempts count: {status}");
    assert_eq!(staged(), pages, "what was staged is not asked again");
    assert_eq!(env.run_states(), ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn a_run_whose_process_dies_three_times_before_its_first_page_fails() {
    let env = TestEnv::new(&["hang@/updates/shows"]).await;
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    for attempt in 1..=3 {
        let is_reached =
            |status: &Value| status["attempt"] == attempt && status["requests"].as_u64() > Some(0);
        service.wait_until(&run, is_reached).await;
        service.process.kill().await.unwrap();
        service = Service::start(&env, &[]).await;
    }
    let status = service.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("failed"), &json!(3)));
    assert!(status["error"].as_str().unwrap().contains("3 times in a row"), "{status}");
    env.simulator.set_faults(&[]);
    let next = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
}

#[tokio::test]
async fn a_cancelled_or_failed_run_leaves_no_space_occupied() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit_and_stall("?mode=full").await;
    let cancel = service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(cancel.status(), 202);
    assert_eq!(service.wait_for_end(&run).await["state"], "cancelled");
    assert!(service.terminate().await.success());
    let size = || std::fs::metadata(env.database()).unwrap().len();
    let empty = size();
    assert!(empty < 1_000_000, "{empty}");

    env.simulator.set_faults(&["status:403@/shows?page=9"]);
    assert_eq!(env.update().await.status.code(), Some(1));
    assert!(size() <= empty + 100_000, "{} after {empty}", size());
}

#[tokio::test]
async fn a_killed_run_is_never_reported_as_running() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut update = stalled_update(&env, &[]).await;
    let watcher = Service::start(&env, &[]).await;
    let runs = watcher.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "running");
    let run = runs["runs"][0]["request_id"].as_str().unwrap().to_owned();
    let instance = runs["runs"][0]["instance"].clone();
    update.kill().await.unwrap();
    let status = watcher.json(&format!("/pipeline/status/{run}")).await["status"].clone();
    let is_interrupted = status["state"] == "interrupted" && status["running"] == false;
    assert!(is_interrupted || status["instance"] != instance, "{status}");
    watcher.wait_until(&run, |status| status["attempt"] == 2 && status["running"] == true).await;
    env.simulator.set_faults(&[]);
    assert_eq!(watcher.wait_for_end(&run).await["state"], "succeeded", "the service took it over");
}

/// An update that has staged all pages but the hanging one.
async fn stalled_update(env: &TestEnv, arguments: &[&str]) -> Child {
    let mut all = vec!["update", "--mode", "full"];
    all.extend_from_slice(arguments);
    let update = env.tvshows(&all).stderr(Stdio::null()).spawn().unwrap();
    env.wait_until_staged(9).await;
    update
}

#[tokio::test]
async fn an_update_resumes_the_killed_one_unless_it_must_restart() {
    let env = TestEnv::new(&[]).await;
    for (arguments, states, asked_again) in [
        (&[][..], vec!["succeeded"], 0),
        (&["--restart"][..], vec!["succeeded", "cancelled", "succeeded"], 1),
    ] {
        env.simulator.set_faults(&[HANGING_PAGE]);
        stalled_update(&env, &[]).await.kill().await.unwrap();
        env.simulator.set_faults(&[]);
        let before = env.simulator.requests_for("/shows?page=0");
        let all: Vec<_> = ["update", "--mode", "full"].iter().chain(arguments).copied().collect();
        assert!(env.tvshows(&all).output().await.unwrap().status.success());
        assert_eq!(env.simulator.requests_for("/shows?page=0") - before, asked_again);
        assert_eq!(env.run_states(), states);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_update_that_is_stopped_says_so_and_can_resume() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut update =
        env.tvshows(&["update", "--mode", "full"]).stderr(Stdio::piped()).spawn().unwrap();
    env.wait_until_staged(9).await;
    terminate(&update).await;
    let mut lines = BufReader::new(update.stderr.take().unwrap()).lines();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        last = line;
    }
    assert!(last.contains("interrupted"), "{last}");
    assert_eq!(update.wait().await.unwrap().code(), Some(130));
    env.simulator.set_faults(&[]);
    assert!(env.update().await.status.success());
    assert_eq!(env.run_states(), ["succeeded"]);
    assert_eq!(env.content(), env.expected_content().await);
}

/// Kills a service during one run again and again, each time after a random number of requests.
#[tokio::test]
async fn fifty_kills_at_random_moments_lose_nothing_and_ask_for_little_twice() {
    const PAGES: u32 = 120;
    const CONCURRENCY: u64 = 8;
    let latency = Duration::from_millis(20);
    let dataset = Dataset::synthetic(28_000, 1);
    let env = TestEnv::with_simulator(ScriptedSimulator::start_with(dataset, latency).await);
    let expected = env.expected_content().await;
    let asked = || -> u64 {
        let path = |page: u32| format!("/shows?page={page}");
        (0..PAGES + 5).map(|page| env.simulator.requests_for(&path(page))).sum()
    };
    let undisturbed = asked();

    let mut random = fastrand::Rng::with_seed(4);
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    let path = format!("/pipeline/status/{run}");
    let mut staged = json!(0);
    for kill in 0..50 {
        let moment = env.simulator.request_count() + random.u64(0..20);
        // A run that stages nothing in three attempts in a row fails. The last page of an attempt may be staged just
        // before it is killed, and be mistaken for one of the next attempt, so every second attempt has to stage.
        let must_stage = kill % 2 == 1;
        eventually(async || {
            let status = service.json(&path).await["status"].clone();
            let is_due = env.simulator.request_count() >= moment
                && (!must_stage || status["pages_done"].as_u64() > staged.as_u64());
            status["state"] == "succeeded" || is_due
        })
        .await;
        staged = service.json(&path).await["status"]["pages_done"].clone();
        service.process.kill().await.unwrap();
        service = Service::start(&env, &[]).await;
    }
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], "succeeded", "{status}");
    assert_eq!(env.run_states(), ["succeeded"]);
    assert!(env.content() == expected);
    assert!(
        asked() - undisturbed <= undisturbed + 50 * CONCURRENCY,
        "{} asked",
        asked() - undisturbed
    );
}

/// Stops a service at a step of its run while many clients follow it.
#[cfg(unix)]
async fn stopped_at(step: &str, fault: &str) {
    let env = TestEnv::new(&[fault]).await;
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    let path = format!("/pipeline/status/{run}/events");
    let mut streams = Vec::new();
    for _ in 0..100 {
        let stream = service.get(&path).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        streams.push(tokio::spawn(stream.bytes()));
    }
    let is_there = |status: &Value| status["step"] == step || status["state"] == "succeeded";
    service.wait_until(&run, is_there).await;
    env.simulator.wait_for_faults().await;
    let stopped = tokio::time::timeout(Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success(), "{step}");
    for stream in streams {
        assert!(!stream.await.unwrap().unwrap().is_empty(), "{step}: the stream has an end");
    }
    let states = env.run_states();
    assert!(["interrupted", "succeeded"].contains(&states[0].as_str()), "{step}: {states:?}");
    if states[0] == "interrupted" {
        assert_eq!(env.tables(), "", "{step}");
    }

    env.simulator.set_faults(&[]);
    let service = Service::start(&env, &[]).await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded", "{step}");
    assert!(env.content() == env.expected_content().await, "{step}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_at_any_step_is_graceful_and_the_run_resumes_after_it() {
    let env = TestEnv::published().await;
    let history = env.connection();
    let best: u32 =
        history.query_row("SELECT id FROM Top_Shows WHERE rank = 1", [], |row| row.get(0)).unwrap();
    stopped_at("Planning", "hang@/updates/shows").await;
    stopped_at("Fetching all shows", HANGING_PAGE).await;
    stopped_at("Fetching cast", &format!("hang@/shows/{best}/cast")).await;
    // These steps may be over before the signal arrives.
    stopped_at("Computing top shows", "status:500*1@/shows?page=9").await;
    stopped_at("Publishing", "status:500*1@/shows?page=9").await;
}
