//! The local copies.

use std::fs;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tvshows_testkit::{Service, TestEnv, eventually, terminate};

use super::{Replicas, read_all, top_shows, update, wait_for_copies};

fn delete_copy(env: &TestEnv, name: &str) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(env.path(&format!("{name}.db{suffix}")));
    }
}

#[tokio::test]
async fn a_copy_can_be_deleted() {
    let replicas = Replicas::new(&[]).await;
    let mut a = replicas.start("a").await;
    let b = replicas.start("b").await;
    update(&a, 3).await;
    wait_for_copies(&[&a, &b], 3).await;
    let content = replicas.content("a");
    assert!(a.terminate().await.success());
    delete_copy(&replicas.env, "a");
    let a = replicas.start("a").await;
    eventually(async || a.json("/health/ready").await["status"] == "ready").await;
    assert_eq!(top_shows(&a).await, 3);
    assert!(replicas.content("a") == content);

    // Also while it is used.
    delete_copy(&replicas.env, "a");
    update(&b, 4).await;
    wait_for_copies(&[&a, &b], 4).await;
    let services = [a, b];
    assert_eq!(read_all(&services).await, [200; 12]);
    assert_eq!(replicas.run_states().await, ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn a_copy_of_another_database_is_filled_again() {
    let (one, other) = (Replicas::new(&[]).await, Replicas::new(&[]).await);
    let mut service = one.start("a").await;
    update(&service, 3).await;
    wait_for_copies(&[&service], 3).await;
    assert!(service.terminate().await.success());
    let mut command = one.command("a");
    command.env("DATABASE_URL", &other.url);
    let service = Service::spawn(command).await;
    update(&service, 4).await;
    wait_for_copies(&[&service], 4).await;
    assert_eq!((one.snapshots().await, other.snapshots().await), (1, 1));
}

#[tokio::test]
async fn a_database_that_is_not_a_copy_is_not_overwritten_by_one() {
    let replicas = Replicas::new(&[]).await;
    assert!(replicas.env.update().await.status.success());
    let content = replicas.env.content();
    let mut command = replicas.command("tvshows");
    let refused = command.output().await.unwrap();
    assert!(!refused.status.success());
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("tvshows.db"), "{error}");
    assert!(replicas.env.content() == content);
}

#[tokio::test]
async fn a_copy_follows_until_the_last_response_of_its_service() {
    let replicas = Replicas::new(&[]).await;
    let log = replicas.env.path("log");
    let file = fs::File::create(&log).unwrap();
    let mut service = Service::spawn_with_log(replicas.command("a"), file).await;
    update(&service, 3).await;
    // Its body is missing, so its response is as well.
    let mut unfinished = TcpStream::connect(service.address()).await.unwrap();
    let request = "POST /pipeline/update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
    unfinished.write_all(request.as_bytes()).await.unwrap();
    terminate(&service.process).await;
    let is_draining = async || fs::read_to_string(&log).unwrap().contains("shutting down");
    eventually(is_draining).await;

    let publish =
        "INSERT INTO _snapshots SELECT number + 1, clock_timestamp(), run FROM _snapshots";
    replicas.sql(publish).await;
    eventually(async || replicas.sql("SELECT number FROM _replicas").await == "2").await;
    drop(unfinished);
    assert!(service.process.wait().await.unwrap().success());
}
