//! `tvshows healthcheck`.

use super::{stderr_of_failure, stdout_of};
use tvshows_testkit::{Service, TestEnv, free_port};

#[tokio::test]
async fn a_service_is_healthy_or_not_there() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let port = service.base_url.rsplit(':').next().unwrap().to_owned();
    stdout_of(&env, &["healthcheck", "--port", &port]).await;
    let nobody = free_port().to_string();
    assert!(stderr_of_failure(&env, &["healthcheck", "--port", &nobody]).await.contains(&nobody));
    stdout_of(&env, &["healthcheck", "--port", &port, "--path", "/health/live"]).await;
    let missing = ["healthcheck", "--port", &port, "--path", "/health/lively"];
    assert!(stderr_of_failure(&env, &missing).await.contains("404"));
    let error =
        stderr_of_failure(&env, &["status", "--service", &format!("http://127.0.0.1:{nobody}")])
            .await;
    assert!(error.contains(&nobody), "{error}");
}
