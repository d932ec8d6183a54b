//! A service with a real Redis, there or not.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::redis_server::{RedisServer, free_port};
use crate::support::{Service, World, behaviour, eventually};

/// What `redis-cli` says of a field of a run's hash.
async fn field(port: u16, run: &str, field: &str) -> String {
    let mut ask = Command::new("redis-cli");
    ask.args(["-p", &port.to_string(), "HGET", &format!("pipeline:{run}"), field]);
    String::from_utf8(ask.output().await.unwrap().stdout).unwrap().trim_end().to_owned()
}

async fn serve(world: &World, redis_url: &str) -> Service {
    Service::start(world, &["--redis-url", redis_url]).await
}

#[tokio::test]
async fn the_status_of_a_run_is_a_hash() {
    let redis = RedisServer::start().await;
    let world = World::new(&[]).await;
    let service = serve(&world, &redis.url()).await;
    let run = service.submit("?mode=full").await;
    service.end_of(&run).await;
    // The end reaches Redis right after the service's own clients.
    eventually(async || field(redis.port, &run, "state").await == "succeeded").await;
    assert_eq!(field(redis.port, &run, "running").await, "false");
    assert_eq!(field(redis.port, &run, "step").await, "Completed");
    assert_eq!(field(redis.port, &run, "progress").await, "100");
    assert_eq!(field(redis.port, &run, "error").await, "");
}

#[tokio::test]
async fn another_service_on_the_same_redis_knows_the_run() {
    let redis = RedisServer::start().await;
    let (world, other_world) = (World::new(&["hang@/shows?page=5"]).await, World::new(&[]).await);
    let (service, other) =
        (serve(&world, &redis.url()).await, serve(&other_world, &redis.url()).await);
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 9).await;
    eventually(async || field(redis.port, &run, "pages_done").await == "9").await;
    let seen = other.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(
        (&seen["status"]["state"], &seen["status"]["running"]),
        (&json!("running"), &json!(true))
    );
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    let is_over = |status: &Value| status["state"] == "cancelled";
    other.until(&run, is_over).await;
}

#[tokio::test]
async fn a_redis_that_is_away_at_the_start_is_said_and_used_when_it_comes() {
    let world = World::new(&[]).await;
    let port = free_port();
    let service = serve(&world, &format!("redis://127.0.0.1:{port}")).await;
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "the service does its work");
    let ready = crate::support::json(ready).await;
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert!(ready["tracker"].as_str().unwrap().contains("does not answer"), "{ready}");
    let run = service.submit("?mode=full").await;
    assert_eq!(service.end_of(&run).await["state"], "succeeded");

    let redis = RedisServer::start_on(port).await.expect("the port is still free");
    eventually(async || service.json("/health/ready").await["status"] == "ready").await;
    eventually(async || field(redis.port, &run, "state").await == "succeeded").await;
}

#[tokio::test]
async fn a_redis_that_dies_in_the_middle_stops_nothing() {
    let redis = RedisServer::start().await;
    let world = World::new(&["hang@/shows?page=5"]).await;
    let service = serve(&world, &redis.url()).await;
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 9).await;
    let port = redis.kill().await;
    assert_eq!(service.json("/health/ready").await["status"], "degraded");
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["state"], "running", "the service knows its own runs");
    world.simulator.set_config(behaviour(&[]));
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    service.end_of(&run).await;
    let next = service.submit("?mode=full").await;
    assert_eq!(service.end_of(&next).await["state"], "succeeded");
    let back = RedisServer::start_on(port).await.expect("the port is free again");
    eventually(async || field(back.port, &next, "state").await == "succeeded").await;
}

#[tokio::test]
async fn a_killed_service_leaves_no_run_running_in_redis() {
    let redis = RedisServer::start().await;
    let world = World::new(&["hang@/shows?page=5"]).await;
    let mut service = serve(&world, &redis.url()).await;
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 9).await;
    eventually(async || field(redis.port, &run, "pages_done").await == "9").await;
    service.process.kill().await.unwrap();
    assert_eq!(field(redis.port, &run, "state").await, "running", "nobody could say more");

    world.simulator.set_config(behaviour(&[]));
    let service = serve(&world, &redis.url()).await;
    assert_eq!(service.end_of(&run).await["attempt"], 2);
    eventually(async || field(redis.port, &run, "state").await == "succeeded").await;
    assert_eq!(field(redis.port, &run, "running").await, "false");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopped_service_leaves_no_run_running_in_redis() {
    let redis = RedisServer::start().await;
    let world = World::new(&["hang@/shows?page=5"]).await;
    let mut service = serve(&world, &redis.url()).await;
    let (run, waiting) = (service.submit("?mode=full").await, service.submit("?top=5").await);
    service.until(&run, |status| status["pages_done"] == 9).await;
    assert!(service.terminate().await.success());
    assert_eq!(field(redis.port, &run, "state").await, "interrupted");
    assert_eq!(field(redis.port, &waiting, "state").await, "queued", "it still waits");
}

#[tokio::test]
async fn a_run_of_another_service_is_cancelled_there() {
    let redis = RedisServer::start().await;
    let (world, other_world) = (World::new(&["hang@/shows?page=5"]).await, World::new(&[]).await);
    let (service, other) =
        (serve(&world, &redis.url()).await, serve(&other_world, &redis.url()).await);
    let run = service.submit("?mode=full").await;
    eventually(async || field(redis.port, &run, "state").await == "running").await;
    let refused = other.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(crate::support::json(refused).await["code"], "run_owned_elsewhere");
}

/// What an administrator tells the server.
async fn tell(port: u16, words: &[&str]) {
    let mut command = Command::new("redis-cli");
    command.args(["-p", &port.to_string()]).args(words);
    assert!(command.output().await.unwrap().status.success());
}

#[tokio::test]
async fn whatever_redis_does_meanwhile_the_run_goes_on_and_its_status_recovers() {
    let redis = RedisServer::start().await;
    let world = World::new(&["hang*1@/shows?page=5"]).await;
    let truth = world.truth().await;
    world.simulator.set_config(behaviour(&[]));
    let service = serve(&world, &redis.url()).await;
    for words in [
        &["FLUSHALL"][..],
        &["CLIENT", "PAUSE", "5000", "ALL"],
        &["CONFIG", "SET", "maxmemory", "1"],
    ] {
        world.simulator.set_config(behaviour(&["hang*1@/shows?page=5"]));
        let run = service.submit("?mode=full").await;
        service.until(&run, |status| status["pages_done"] == 9).await;
        tell(redis.port, words).await;
        assert_eq!(service.end_of(&run).await["state"], "succeeded", "{words:?}");
        tell(redis.port, &["CONFIG", "SET", "maxmemory", "0"]).await;
        eventually(async || field(redis.port, &run, "state").await == "succeeded").await;
        assert_eq!(field(redis.port, &run, "progress").await, "100", "the whole of it");
        assert_eq!(world.content(), truth, "{words:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_does_not_wait_for_a_redis_that_is_away() {
    let world = World::new(&[]).await;
    let mut service = serve(&world, &format!("redis://127.0.0.1:{}", free_port())).await;
    let run = service.submit("?mode=full").await;
    service.end_of(&run).await;
    let stopped =
        tokio::time::timeout(std::time::Duration::from_secs(10), service.terminate()).await;
    assert!(stopped.expect("within ten seconds").success());
}
