//! `/health`.

use serde_json::json;
use tvshows_testkit::{Service, TestEnv, json_body};

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told() {
    let env = TestEnv::new(&[]).await;
    let (data, moved) = (env.path("data"), env.path("moved"));
    std::fs::create_dir(&data).unwrap();
    let database = data.join("tvshows.db");
    let service = Service::start(&env, &["--database-path", database.to_str().unwrap()]).await;
    service.json("/shows/top_shows").await;
    std::fs::rename(&data, &moved).unwrap();
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "what is open can still be read");
    let ready = json_body(ready).await;
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert_eq!(ready["database"]["writable"], false);
    assert_eq!(service.get("/health/live").send().await.unwrap().status(), 200);
}
