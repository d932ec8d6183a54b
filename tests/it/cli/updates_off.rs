//! `UPDATES=off`: a service that only serves.

use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, json_body};

#[tokio::test]
async fn a_service_without_updates_serves_those_of_others() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &["--updates", "off"]).await;
    let refused = service.post("/pipeline/update").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let problem = json_body(refused).await;
    assert_eq!(problem["code"], "updates_off");
    assert!(problem["detail"].as_str().unwrap().contains("UPDATES=off"), "{problem}");
    assert_eq!(service.json("/health/ready").await["status"], "ready");

    let update = env.tvshows(&["update", "--top", "3"]).output().await.unwrap();
    assert!(update.status.success());
    assert_eq!(service.json("/shows/top_shows").await.as_array().unwrap().len(), 3);
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_service_without_updates_cancels_but_does_not_resume() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut worker = Service::start(&env, &[]).await;
    let run = worker.submit_and_stall("?mode=full").await;
    worker.process.kill().await.unwrap();
    let requests = env.simulator.request_count();
    let service = Service::start(&env, &["--updates", "off"]).await;
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["state"], "interrupted");
    let cancelled = service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    assert_eq!(service.wait_for_end(&run).await["state"], "cancelled");
    assert_eq!(env.simulator.request_count(), requests, "it did not resume the run");
}
