//! Several processes that share a database.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tvshows_testkit::{HANGING_PAGE, RedisServer, Service, TestEnv, eventually, json_body, signal};

#[tokio::test]
async fn a_hundred_requests_to_two_services_are_one_run() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&["hang*1@/shows?page=5"]).await;
    let arguments = ["--redis-url", &redis.url()];
    let services = [Service::start(&env, &arguments).await, Service::start(&env, &arguments).await];
    let requests: Vec<_> = (0..100)
        .map(|n: usize| tokio::spawn(services[n % 2].post("/pipeline/update?mode=full").send()))
        .collect();
    let mut runs = BTreeSet::new();
    for request in requests {
        let response = request.await.unwrap().unwrap();
        assert_eq!(response.status(), 202);
        let accepted = json_body(response).await;
        runs.insert(accepted["request_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(runs.len(), 1);
    let run = runs.first().unwrap();
    for service in &services {
        assert_eq!(service.wait_for_end(run).await["state"], "succeeded");
    }
    assert_eq!(env.run_states(), ["succeeded"]);
    assert_eq!(env.simulator.requests_for("/shows?page=0"), 1);
}

#[tokio::test]
async fn an_update_joins_or_waits_for_the_run_of_a_service() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    service.submit_and_stall("?mode=full").await;
    let same = env.tvshows(&["update", "--mode", "full"]).spawn().unwrap();
    let other = env.tvshows(&["update", "--top", "3"]).spawn().unwrap();
    let is_queued = |run: &Value| run["state"] == "queued" && run["position"] == 1;
    eventually(async || {
        let runs = service.json("/pipeline/runs").await;
        runs["runs"].as_array().unwrap().iter().any(is_queued)
    })
    .await;
    env.simulator.set_faults(&[]);
    // The hanging page is requested again after its timeout.
    for update in [same, other] {
        assert!(update.wait_with_output().await.unwrap().status.success());
    }
    assert_eq!(env.run_states(), ["succeeded", "succeeded"]);
    assert_eq!(service.json("/shows/top_shows").await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_run_is_cancelled_by_any_service() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let (one, other) = (Service::start(&env, &[]).await, Service::start(&env, &[]).await);
    let running = one.submit("?mode=full").await;
    one.wait_until(&running, |status| status["pages_done"] == 9).await;
    let waiting = one.submit("?top=3").await;
    let seen = other.json(&format!("/pipeline/status/{waiting}")).await["status"].clone();
    assert_eq!((&seen["state"], &seen["position"]), (&json!("queued"), &json!(1)));
    let cancelled = other.post(&format!("/pipeline/cancel/{waiting}")).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    let seen = other.json(&format!("/pipeline/status/{waiting}")).await["status"].clone();
    assert_eq!(seen["state"], "cancelled", "who cancels sees it at once");
    assert_eq!(one.wait_for_end(&waiting).await["state"], "cancelled");
    let cancelled = other.post(&format!("/pipeline/cancel/{running}")).send().await.unwrap();
    assert_eq!(cancelled.status(), 202, "also while the other service works on it");
    assert_eq!(one.wait_for_end(&running).await["state"], "cancelled");
    assert_eq!(env.run_states(), ["cancelled", "cancelled"]);
}

/// Takes a while: the lease expires some 15 s after its holder is paused.
#[cfg(unix)]
#[tokio::test]
async fn a_paused_holder_of_the_lease_is_overtaken_and_publishes_nothing_when_it_wakes() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[]).await;
    let expected = env.expected_content().await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    let arguments = ["--redis-url", &redis.url()];
    let paused = Service::start(&env, &arguments).await;
    let run = paused.submit("?mode=full").await;
    let before = paused.wait_until(&run, |status| status["pages_done"] == 9).await;
    let other = Service::start(&env, &arguments).await;
    signal(&paused.process, "-STOP").await;
    env.simulator.set_faults(&[]);
    let asked = env.simulator.requests_for("/shows?page=0");
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_ne!(status["instance"], before["instance"]);
    assert_eq!(env.simulator.requests_for("/shows?page=0"), asked, "what was staged is used");
    let tables = env.tables();
    assert!(env.content() == expected);

    signal(&paused.process, "-CONT").await;
    assert_eq!(paused.wait_for_end(&run).await["instance"], status["instance"], "not its own");
    assert!(env.tables() == tables);
    assert_eq!(env.run_states(), ["succeeded"]);
    let next = paused.submit("?mode=full").await;
    assert_eq!(paused.wait_for_end(&next).await["state"], "succeeded", "it works on");
}

#[cfg(unix)]
#[tokio::test]
async fn a_service_that_is_killed_is_succeeded_by_the_other_at_once() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let arguments = ["--redis-url", &redis.url()];
    let mut killed = Service::start(&env, &arguments).await;
    let run = killed.submit_and_stall("?mode=full").await;
    let other = Service::start(&env, &arguments).await;
    let events = other.get(&format!("/pipeline/status/{run}/events")).send().await.unwrap();
    env.simulator.set_faults(&[]);
    killed.process.kill().await.unwrap();
    assert_eq!(other.wait_for_end(&run).await["state"], "succeeded");
    let events = events.text().await.unwrap();
    let last = events.trim_end().rsplit("data: ").next().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&last["status"]["state"], &last["status"]["attempt"]),
        (&json!("succeeded"), &json!(2))
    );
}

#[tokio::test]
async fn a_redis_that_forgets_everything_takes_no_run_from_a_living_holder() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&["hang*1@/shows?page=5"]).await;
    let arguments = ["--redis-url", &redis.url()];
    let holder = Service::start(&env, &arguments).await;
    let other = Service::start(&env, &arguments).await;
    let run = holder.submit_and_stall("?mode=full").await;
    redis.cli(&["FLUSHALL"]).await;
    // The hanging page is requested again after ten seconds, which is long enough for a takeover.
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(1)));
}

#[tokio::test]
async fn a_run_of_other_data_is_not_cancelled_here() {
    let redis = RedisServer::start().await;
    let (env, other_env) = (TestEnv::new(&[HANGING_PAGE]).await, TestEnv::new(&[]).await);
    let arguments = ["--redis-url", &redis.url()];
    let mut service = Service::start(&env, &arguments).await;
    let other = Service::start(&other_env, &arguments).await;
    let run = service.submit_and_stall("?mode=full").await;
    #[cfg(unix)]
    service.terminate().await;
    let refused = other.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(json_body(refused).await["code"], "run_owned_elsewhere");
    assert_eq!(other.json("/pipeline/runs").await["runs"], json!([]));
}
