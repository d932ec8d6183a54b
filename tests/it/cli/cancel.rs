//! `tvshows cancel`.

use serde_json::{Value, json};
use tvshows_testkit::{HANGING_PAGE, RedisServer, Service, TestEnv, eventually};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{stderr_of_failure, stdout_of, text};

const OTHER: &str = "0190c5a8-0000-7000-8000-000000000000";

/// A receiver of webhooks.
async fn receiver() -> MockServer {
    let receiver = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
    receiver
}

/// The runs that a receiver was notified of, each with its state.
async fn ends(receiver: &MockServer) -> Vec<(Value, Value)> {
    let requests = receiver.received_requests().await.unwrap();
    let statuses = requests.iter().map(|request| request.body_json::<Value>().unwrap());
    statuses.map(|status| (status["request_id"].clone(), status["state"].clone())).collect()
}

#[tokio::test]
async fn a_run_of_a_service_is_cancelled_in_the_database() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let receiver = receiver().await;
    let mut serve = env.tvshows(&["serve", "--port", "0", "--redis-url", &redis.url()]);
    serve.env("WEBHOOK_URL", receiver.uri());
    let service = Service::spawn(serve).await;
    let run = service.submit_and_stall("").await;
    let waiting = service.submit("?top=3").await;
    assert!(stdout_of(&env, &["cancel", &waiting]).await.contains("Canceled"));
    let out = stdout_of(&env, &["cancel", &run]).await;
    assert!(out.contains("stops within seconds"), "{out}");
    let status = service.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["running"]), (&json!("cancelled"), &json!(false)));
    assert_eq!(env.tables(), "", "nothing is published");
    eventually(async || redis.run_field(&run, "state").await == "cancelled").await;
    env.simulator.set_faults(&[]);
    let next = service.submit("").await;
    assert_eq!(service.wait_for_end(&next).await["state"], "succeeded", "the service works on");
    eventually(async || ends(&receiver).await.len() == 2).await;
    let expected = [(json!(run), json!("cancelled")), (json!(next), json!("succeeded"))];
    assert_eq!(ends(&receiver).await, expected, "the process that worked on it reports it");

    let error = stderr_of_failure(&env, &["cancel", &run]).await;
    assert!(error.contains("has already ended"), "{error}");
    let error = stderr_of_failure(&env, &["cancel", OTHER]).await;
    assert!(error.contains("there is no update") && error.contains("tvshows runs"), "{error}");
}

#[tokio::test]
async fn a_run_that_no_process_works_on_is_reported_by_the_command() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut service = Service::start(&env, &[]).await;
    let run = service.submit_and_stall("").await;
    service.process.kill().await.unwrap();
    let receiver = receiver().await;
    let mut cancel = env.tvshows(&["cancel", &run]);
    let output = cancel.env("WEBHOOK_URL", receiver.uri()).output().await.unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    assert_eq!(env.run_states(), ["cancelled"]);
    assert_eq!(ends(&receiver).await, [(json!(run), json!("cancelled"))]);
}

#[tokio::test]
async fn a_run_is_cancelled_by_its_service() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let mut serve = env.tvshows(&["serve", "--port", "0"]);
    let token = "the-right-api-token";
    let service = Service::spawn({
        serve.env("API_TOKEN", token);
        serve
    })
    .await;
    let submit = service.post("/pipeline/update").bearer_auth(token).send().await.unwrap();
    let run: Value = serde_json::from_str(&submit.text().await.unwrap()).unwrap();
    let run = run["request_id"].as_str().unwrap();
    let url = &*service.base_url;
    let error = stderr_of_failure(&env, &["cancel", run, "--service", url]).await;
    assert!(error.contains("token"), "{error}");
    stdout_of(&env, &["cancel", run, "--service", url, "--api-token", token]).await;
    assert_eq!(service.wait_for_end(run).await["state"], "cancelled");
    for (run, expected) in [(run, "ended"), (OTHER, OTHER)] {
        let arguments = ["cancel", run, "--service", url, "--api-token", token];
        let error = stderr_of_failure(&env, &arguments).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_cancelled() {
    let env = TestEnv::new(&[]).await;
    let error = stderr_of_failure(&env, &["cancel", OTHER]).await;
    assert!(error.contains("there is no database"), "{error}");
    assert!(!env.database().exists());
    let output = env.tvshows(&["cancel", "abc"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let arguments = ["cancel", OTHER, "--service", "http://127.0.0.1:9"];
    let error = stderr_of_failure(&env, &arguments).await;
    assert!(error.contains("127.0.0.1:9"), "{error}");
}
