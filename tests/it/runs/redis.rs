//! A service with a real Redis that may be unavailable.

use serde_json::{Value, json};
use tvshows_testkit::{
    HANGING_PAGE, RedisServer, Service, TestEnv, eventually, free_port, json_body,
};

async fn serve(env: &TestEnv, redis_url: &str) -> Service {
    Service::start(env, &["--redis-url", redis_url]).await
}

#[tokio::test]
async fn the_status_of_a_run_is_a_hash() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[]).await;
    let service = serve(&env, &redis.url()).await;
    let run = service.submit("?mode=full").await;
    service.wait_for_end(&run).await;
    // Redis sees the end just after the clients of the service do.
    eventually(async || redis.run_field(&run, "state").await == "succeeded").await;
    assert_eq!(redis.run_field(&run, "running").await, "false");
    assert_eq!(redis.run_field(&run, "step").await, "Completed");
    assert_eq!(redis.run_field(&run, "progress").await, "100");
    assert_eq!(redis.run_field(&run, "error").await, "");
}

#[tokio::test]
async fn another_service_on_the_same_redis_knows_the_run() {
    let redis = RedisServer::start().await;
    let (env, other_env) = (TestEnv::new(&[HANGING_PAGE]).await, TestEnv::new(&[]).await);
    let (service, other) = (serve(&env, &redis.url()).await, serve(&other_env, &redis.url()).await);
    let run = service.submit_and_stall("?mode=full").await;
    eventually(async || redis.run_field(&run, "pages_done").await == "9").await;
    let seen = other.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(
        (&seen["status"]["state"], &seen["status"]["running"]),
        (&json!("running"), &json!(true))
    );
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    let is_over = |status: &Value| status["state"] == "cancelled";
    other.wait_until(&run, is_over).await;
}

#[tokio::test]
async fn a_redis_that_is_unavailable_at_the_start_is_logged_and_used_later() {
    let env = TestEnv::new(&[]).await;
    let port = free_port();
    let service = serve(&env, &format!("redis://127.0.0.1:{port}")).await;
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "the service does its work");
    let ready = json_body(ready).await;
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert_ne!(ready["tracker"], "ok");
    let run = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");

    let redis = RedisServer::start_on(port).await.expect("the port is still free");
    eventually(async || service.json("/health/ready").await["status"] == "ready").await;
    eventually(async || redis.run_field(&run, "state").await == "succeeded").await;
}

#[tokio::test]
async fn a_redis_that_dies_in_the_middle_stops_nothing() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = serve(&env, &redis.url()).await;
    let run = service.submit_and_stall("?mode=full").await;
    let port = redis.kill().await;
    assert_eq!(service.json("/health/ready").await["status"], "degraded");
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["state"], "running", "the service knows its own runs");
    env.simulator.set_faults(&[]);
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    service.wait_for_end(&run).await;
    let next = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
    let back = RedisServer::start_on(port).await.expect("the port is free again");
    eventually(async || back.run_field(&next, "state").await == "succeeded").await;
}

#[tokio::test]
async fn a_run_that_cannot_renew_its_lease_stops_and_resumes_with_the_lock_alone() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[]).await;
    let expected = env.expected_content().await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    let service = serve(&env, &redis.url()).await;
    let run = service.submit_and_stall("?mode=full").await;
    redis.kill().await;
    let resumed = service.wait_until(&run, |status| status["attempt"] == 2).await;
    assert_eq!(resumed["state"], "running", "no other process has the lock");
    env.simulator.set_faults(&[]);
    // The second attempt waits for the page that hangs, and no longer for the lease.
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    service.wait_for_end(&run).await;
    let next = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded");
    assert_eq!(env.content(), expected);
}

#[tokio::test]
async fn a_killed_service_leaves_no_run_running_in_redis() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut service = serve(&env, &redis.url()).await;
    let run = service.submit_and_stall("?mode=full").await;
    eventually(async || redis.run_field(&run, "pages_done").await == "9").await;
    service.process.kill().await.unwrap();
    assert_eq!(redis.run_field(&run, "state").await, "running", "nobody could say more");

    env.simulator.set_faults(&[]);
    let service = serve(&env, &redis.url()).await;
    assert_eq!(service.wait_for_end(&run).await["attempt"], 2);
    eventually(async || redis.run_field(&run, "state").await == "succeeded").await;
    assert_eq!(redis.run_field(&run, "running").await, "false");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopped_service_leaves_no_run_running_in_redis() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut service = serve(&env, &redis.url()).await;
    let (run, waiting) = (service.submit("?mode=full").await, service.submit("?top=5").await);
    service.wait_until(&run, |status| status["pages_done"] == 9).await;
    assert!(service.terminate().await.success());
    assert_eq!(redis.run_field(&run, "state").await, "interrupted");
    assert_eq!(redis.run_field(&waiting, "state").await, "queued", "it still waits");
}

#[tokio::test]
async fn a_run_of_another_service_is_cancelled_there() {
    let redis = RedisServer::start().await;
    let (env, other_env) = (TestEnv::new(&[HANGING_PAGE]).await, TestEnv::new(&[]).await);
    let (service, other) = (serve(&env, &redis.url()).await, serve(&other_env, &redis.url()).await);
    let run = service.submit_and_stall("?mode=full").await;
    eventually(async || redis.run_field(&run, "state").await == "running").await;
    let refused = other.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(json_body(refused).await["code"], "run_owned_elsewhere");
}

#[tokio::test]
async fn a_run_continues_whatever_redis_does_and_its_status_recovers() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[]).await;
    let expected = env.expected_content().await;
    let service = serve(&env, &redis.url()).await;
    for words in [
        &["FLUSHALL"][..],
        &["CLIENT", "PAUSE", "5000", "ALL"],
        &["CONFIG", "SET", "maxmemory", "1"],
    ] {
        env.simulator.set_faults(&["hang*1@/shows?page=5"]);
        let run = service.submit_and_stall("?mode=full").await;
        redis.cli(words).await;
        assert_eq!(service.wait_for_end(&run).await["state"], "succeeded", "{words:?}");
        redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
        eventually(async || redis.run_field(&run, "state").await == "succeeded").await;
        assert_eq!(redis.run_field(&run, "progress").await, "100", "the whole of it");
        assert_eq!(env.content(), expected, "{words:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_does_not_wait_for_an_unavailable_redis() {
    let env = TestEnv::new(&[]).await;
    let mut service = serve(&env, &format!("redis://127.0.0.1:{}", free_port())).await;
    let run = service.submit("?mode=full").await;
    service.wait_for_end(&run).await;
    let stopped =
        tokio::time::timeout(std::time::Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success());
}
