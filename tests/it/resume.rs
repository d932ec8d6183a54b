//! Processes that end before their run does.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tvmaze_sim::{Dataset, SimConfig};

use crate::support::{Service, World, behaviour, eventually};

/// A service that was killed when its run had all pages but the one that hangs.
async fn killed(world: &World) -> String {
    let mut service = Service::start(world, &[]).await;
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 9).await;
    service.process.kill().await.unwrap();
    run
}

#[tokio::test]
async fn a_killed_run_goes_on_by_itself_under_its_id() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let before = world.tables();
    world.simulator.set_config(behaviour(&["hang@/shows?page=5"]));
    let run = killed(&world).await;
    assert!(world.tables() == before);
    let asked = |page: u32| world.simulator.requests_for(&format!("/shows?page={page}"));
    let staged = || (0..10).filter(|page| *page != 5).map(asked).collect::<Vec<_>>();
    let pages = staged();

    world.simulator.set_config(behaviour(&[]));
    let service = Service::start(&world, &[]).await;
    let status = service.end_of(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(status["pages_done"], 10);
    // The map and ten pages, and then the map, a page, the end and ten casts.
    assert!(status["requests"].as_u64() >= Some(11 + 13), "both attempts count: {status}");
    assert_eq!(staged(), pages, "what was staged is not asked again");
    assert_eq!(world.states(), ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn nobody_is_told_that_a_killed_run_is_running() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let mut update = stuck_update(&world, &[]).await;
    let watcher = Service::start(&world, &[]).await;
    let runs = watcher.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "running");
    let run = runs["runs"][0]["request_id"].as_str().unwrap().to_owned();
    let instance = runs["runs"][0]["instance"].clone();
    update.kill().await.unwrap();
    let status = watcher.json(&format!("/pipeline/status/{run}")).await["status"].clone();
    let is_interrupted = status["state"] == "interrupted" && status["running"] == false;
    assert!(is_interrupted || status["instance"] != instance, "{status}");
    watcher.until(&run, |status| status["attempt"] == 2 && status["running"] == true).await;
    world.simulator.set_config(behaviour(&[]));
    assert_eq!(watcher.end_of(&run).await["state"], "succeeded", "the service took it over");
}

/// An update that has all pages but the one that hangs.
async fn stuck_update(world: &World, arguments: &[&str]) -> Child {
    let mut all = vec!["update", "--mode", "full"];
    all.extend_from_slice(arguments);
    let update = world.tvshows(&all).stderr(Stdio::null()).spawn().unwrap();
    world.staged(9).await;
    update
}

#[tokio::test]
async fn an_update_goes_on_with_the_one_that_was_killed_unless_told_not_to() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    for (arguments, states, asked_again) in [
        (&[][..], vec!["succeeded"], 0),
        (&["--restart"][..], vec!["succeeded", "cancelled", "succeeded"], 1),
    ] {
        world.simulator.set_config(behaviour(&["hang@/shows?page=5"]));
        stuck_update(&world, &[]).await.kill().await.unwrap();
        world.simulator.set_config(behaviour(&[]));
        let before = world.simulator.requests_for("/shows?page=0");
        let all: Vec<_> = ["update", "--mode", "full"].iter().chain(arguments).copied().collect();
        assert!(world.tvshows(&all).output().await.unwrap().status.success());
        assert_eq!(world.simulator.requests_for("/shows?page=0") - before, asked_again);
        assert_eq!(world.states(), states);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_update_that_is_stopped_says_so_and_can_go_on() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let mut update =
        world.tvshows(&["update", "--mode", "full"]).stderr(Stdio::piped()).spawn().unwrap();
    world.staged(9).await;
    crate::support::terminate(&update).await;
    let mut lines = BufReader::new(update.stderr.take().unwrap()).lines();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        last = line;
    }
    assert!(last.contains("interrupted and has changed nothing yet"), "{last}");
    assert_eq!(update.wait().await.unwrap().code(), Some(130));
    world.simulator.set_config(behaviour(&[]));
    assert!(world.update().await.status.success());
    assert_eq!(world.states(), ["succeeded"]);
    assert_eq!(world.content(), world.truth().await);
}

/// Kills a service that works on one run, again and again, each time after so many more requests.
#[tokio::test]
async fn fifty_kills_at_random_moments_lose_nothing_and_ask_for_little_twice() {
    const PAGES: u32 = 120;
    const CONCURRENCY: u64 = 8;
    let catalogue = Dataset::synthetic(28_000, 1);
    let slow = SimConfig { latency: Duration::from_millis(20), ..SimConfig::default() };
    let world = World::of(catalogue, slow).await;
    let truth = world.truth().await;
    let asked = || -> u64 {
        let path = |page: u32| format!("/shows?page={page}");
        (0..PAGES + 5).map(|page| world.simulator.requests_for(&path(page))).sum()
    };
    let undisturbed = asked();

    let mut random = fastrand::Rng::with_seed(4);
    let mut service = Service::start(&world, &[]).await;
    let run = service.submit("?mode=full").await;
    let path = format!("/pipeline/status/{run}");
    for _ in 0..50 {
        let moment = world.simulator.request_count() + random.u64(0..20);
        eventually(async || {
            let is_over = service.json(&path).await["status"]["state"] == "succeeded";
            is_over || world.simulator.request_count() >= moment
        })
        .await;
        service.process.kill().await.unwrap();
        service = Service::start(&world, &[]).await;
    }
    let status = service.end_of(&run).await;
    assert_eq!(status["state"], "succeeded", "{status}");
    assert_eq!(world.states(), ["succeeded"]);
    assert!(world.content() == truth);
    assert!(
        asked() - undisturbed <= undisturbed + 50 * CONCURRENCY,
        "{} asked",
        asked() - undisturbed
    );
}

/// Stops a service at a step of its run, with many clients that follow it.
#[cfg(unix)]
async fn stopped_at(step: &str, fault: &str) {
    let world = World::new(&[fault]).await;
    let mut service = Service::start(&world, &[]).await;
    let run = service.submit("?mode=full").await;
    let path = format!("/pipeline/status/{run}/events");
    let mut streams = Vec::new();
    for _ in 0..100 {
        let stream = service.get(&path).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        streams.push(tokio::spawn(stream.bytes()));
    }
    let is_there = |status: &Value| status["step"] == step || status["state"] == "succeeded";
    service.until(&run, is_there).await;
    let stopped = tokio::time::timeout(Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success(), "{step}");
    for stream in streams {
        assert!(!stream.await.unwrap().unwrap().is_empty(), "{step}: the stream has an end");
    }
    let states = world.states();
    assert!(["interrupted", "succeeded"].contains(&states[0].as_str()), "{step}: {states:?}");
    if states[0] == "interrupted" {
        assert_eq!(world.tables(), "", "{step}");
    }

    world.simulator.set_config(behaviour(&[]));
    let service = Service::start(&world, &[]).await;
    assert_eq!(service.end_of(&run).await["state"], "succeeded", "{step}");
    assert!(world.content() == world.truth().await, "{step}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_at_any_step_is_graceful_and_the_run_goes_on_after_it() {
    let casts = crate::support::catalogue();
    let world = World::of(casts, SimConfig::default()).await;
    assert!(world.update().await.status.success());
    let history = rusqlite::Connection::open(world.database()).unwrap();
    let best: u32 =
        history.query_row("SELECT id FROM Top_Shows WHERE rank = 1", [], |row| row.get(0)).unwrap();
    stopped_at("Planning", "hang@/updates/shows").await;
    stopped_at("Fetching all shows", "hang@/shows?page=5").await;
    stopped_at("Fetching cast", &format!("hang@/shows/{best}/cast")).await;
    // What comes next is over before a signal arrives, or not: both are fine.
    stopped_at("Computing top shows", "status:500*1@/shows?page=9").await;
    stopped_at("Publishing", "status:500*1@/shows?page=9").await;
}
