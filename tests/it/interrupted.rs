//! Processes that die or meet each other at one database.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{Service, World, behaviour};

#[tokio::test]
async fn a_killed_run_is_not_running_for_ever() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let before = world.tables();
    world.simulator.set_behaviour(behaviour(&["hang@/shows?page=5"]));
    let mut service = Service::start(&world, &[]).await;
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 5).await;
    service.process.kill().await.unwrap();
    assert!(world.tables() == before);

    world.simulator.set_behaviour(behaviour(&[]));
    let service = Service::start(&world, &[]).await;
    let status = service.json(&format!("/pipeline/status/{run}")).await["status"].clone();
    assert_eq!((&status["state"], &status["running"]), (&json!("interrupted"), &json!(false)));
    assert!(status["error"].as_str().unwrap().contains("start another update"), "{status}");
    let next = service.submit("?mode=full").await;
    assert_eq!(service.end_of(&next).await["state"], "succeeded");
}

#[tokio::test]
async fn a_killed_update_is_noticed_by_a_service_that_goes_on() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let service = Service::start(&world, &[]).await;
    let mut update =
        world.tvshows(&["update", "--mode", "full"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(update.stderr.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().expect("it goes on").contains("5/10 pages") {}
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "running");
    update.kill().await.unwrap();
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "interrupted", "{runs}");
}

/// A file system of a few MB, where this user may make one.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    async fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = tokio::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder.path());
        let mounted = mount.stderr(Stdio::null()).status().await;
        mounted.is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }

    async fn grow(&self) {
        let mut mount = tokio::process::Command::new("mount");
        mount.args(["-o", "remount,size=100m"]).arg(self.0.path());
        assert!(mount.status().await.unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the service may still have the database open.
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_fails_the_run_says_so_and_is_recovered_from() {
    let Some(disk) = SmallDisk::mount().await else {
        println!(
            "skipped: a_full_disk_fails_the_run_says_so_and_is_recovered_from needs the right to mount"
        );
        return;
    };
    let world = World::new(&[]).await;
    let database = disk.0.path().join("tvshows.db");
    let arguments = ["--database-path", database.to_str().unwrap()];
    let service = Service::start(&world, &arguments).await;
    let run = service.submit("?mode=full").await;
    let status = service.end_of(&run).await;
    assert_eq!(status["state"], "failed", "{status}");
    assert!(status["error"].as_str().unwrap().contains("the disk is full; make room"), "{status}");
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"][0]["state"], "failed", "{runs}");
    assert_eq!(service.json("/shows/top_shows").await, json!([]), "it still reads");

    disk.grow().await;
    let next = service.submit("?mode=full").await;
    assert_eq!(service.end_of(&next).await["state"], "succeeded");
}

#[tokio::test]
async fn two_processes_do_not_update_one_database_at_a_time() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let service = Service::start(&world, &[]).await;
    let run = service.submit("?mode=full").await;
    service.until(&run, |status| status["pages_done"] == 5).await;
    let output = world.update().await;
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("another process is running an update"), "{error}");
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["state"], "running", "the first is left alone");
}

#[cfg(unix)]
#[tokio::test]
async fn an_update_that_is_stopped_says_so() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let mut update =
        world.tvshows(&["update", "--mode", "full"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(update.stderr.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().expect("it goes on").contains("5/10 pages") {}
    crate::support::terminate(&update).await;
    let last = lines.next_line().await.unwrap().unwrap_or_default();
    assert!(last.contains("changed nothing: the service was stopped"), "{last}");
    assert_eq!(update.wait().await.unwrap().code(), Some(130));
}
