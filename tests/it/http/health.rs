//! `/health`.

use serde_json::json;
use tvshows_testkit::{Service, SmallDisk, TestEnv, json_body};

#[tokio::test]
async fn a_full_disk_is_not_ready_for_updates() {
    let Some(disk) = SmallDisk::mount("a_full_disk_is_not_ready", "4m") else { return };
    let env = TestEnv::new(&[]).await;
    let database = disk.database();
    let service = Service::start(&env, &["--database-path", database.to_str().unwrap()]).await;
    let ready = service.json("/health/ready").await;
    assert_eq!((&ready["status"], &ready["database"]["writable"]), (&json!("ready"), &json!(true)));

    disk.fill();
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "what is there can be read");
    let ready = json_body(ready).await;
    assert_eq!(ready["database"]["free_bytes"], 0, "{ready}");
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert_eq!(ready["database"]["writable"], false);
    let refused = service.post("/pipeline/update").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let problem = json_body(refused).await;
    assert_eq!(problem["code"], "disk_full");
    assert!(problem["detail"].as_str().unwrap().contains("200 MB"), "{problem}");

    disk.empty();
    assert_eq!(service.json("/health/ready").await["status"], "ready");
    service.submit("").await;
}

#[tokio::test]
async fn a_service_that_starts_on_a_full_disk_serves_what_is_there() {
    let Some(disk) = SmallDisk::mount("a_service_that_starts_on_a_full_disk", "6m") else { return };
    let env = TestEnv::published().await;
    std::fs::copy(env.database(), disk.database()).unwrap();
    disk.fill();
    let database = disk.database();
    let database = ["--database-path", database.to_str().unwrap()];
    let service = Service::start(&env, &database).await;
    assert_eq!(service.json("/health/ready").await["status"], "degraded");
    assert_ne!(service.json("/shows/top_shows").await, json!([]));
    let refused = service.post("/pipeline/update").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let top = env.tvshows(&[&["top"], &database[..]].concat()).output().await.unwrap();
    assert!(top.status.success(), "{top:?}");
}
