//! A service with a real Redis, there or not.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Service, World, behaviour, eventually};

struct Redis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    async fn start() -> Redis {
        loop {
            if let Some(redis) = Redis::start_on(free_port()).await {
                return redis;
            }
        }
    }

    /// `None` where somebody else took the port meanwhile.
    async fn start_on(port: u16) -> Option<Redis> {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is not installed; `make test` installs it");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ready to accept connections") {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(Redis { process, port, _folder: folder });
            }
        }
        None
    }

    /// What `redis-cli` answers.
    async fn ask(&self, arguments: &[&str]) -> Vec<String> {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string()]).args(arguments).output().await;
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// A field of a run's hash.
    async fn field(&self, run: &str, field: &str) -> String {
        self.ask(&["HGET", &format!("pipeline:{run}"), field]).await.concat()
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

async fn serve(world: &World, port: u16) -> Service {
    Service::start(world, &["--redis-url", &format!("redis://127.0.0.1:{port}")]).await
}

#[tokio::test]
async fn the_status_of_a_run_is_a_hash() {
    let redis = Redis::start().await;
    let world = World::new(&[]).await;
    let service = serve(&world, redis.port).await;
    let run = service.submit("").await;
    service.end_of(&run).await;
    // The end reaches Redis right after the service's own clients.
    eventually(async || redis.field(&run, "state").await == "succeeded").await;
    assert_eq!(redis.field(&run, "running").await, "false");
    assert_eq!(redis.field(&run, "step").await, "Completed");
    assert_eq!(redis.field(&run, "progress").await, "100");
    assert_eq!(redis.field(&run, "error").await, "");
}

#[tokio::test]
async fn another_service_on_the_same_redis_knows_the_run() {
    let redis = Redis::start().await;
    let (world, other_world) = (World::new(&["hang@/shows?page=5"]).await, World::new(&[]).await);
    let (service, other) = (serve(&world, redis.port).await, serve(&other_world, redis.port).await);
    let run = service.submit("").await;
    service.until(&run, |status| status["pages_done"] == 5).await;
    eventually(async || redis.field(&run, "pages_done").await == "5").await;
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
    let service = serve(&world, port).await;
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "the service does its work");
    let ready = crate::support::json(ready).await;
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert!(ready["tracker"].as_str().unwrap().contains("does not answer"), "{ready}");
    let run = service.submit("").await;
    assert_eq!(service.end_of(&run).await["state"], "succeeded");

    let redis = Redis::start_on(port).await.expect("the port is still free");
    eventually(async || service.json("/health/ready").await["status"] == "ready").await;
    eventually(async || redis.field(&run, "state").await == "succeeded").await;
}

#[tokio::test]
async fn a_redis_that_dies_in_the_middle_stops_nothing() {
    let mut redis = Redis::start().await;
    let world = World::new(&["hang@/shows?page=5"]).await;
    let service = serve(&world, redis.port).await;
    let run = service.submit("").await;
    service.until(&run, |status| status["pages_done"] == 5).await;
    redis.process.kill().await.unwrap();
    assert_eq!(service.json("/health/ready").await["status"], "degraded");
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["state"], "running", "the service knows its own runs");
    world.simulator.set_behaviour(behaviour(&[]));
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    service.end_of(&run).await;
    let next = service.submit("").await;
    assert_eq!(service.end_of(&next).await["state"], "succeeded");
    let back = Redis::start_on(redis.port).await.expect("the port is free again");
    eventually(async || back.field(&next, "state").await == "succeeded").await;
}
