//! `/pipeline`: submitting runs and reading their status.

use serde_json::{Value, json};
use tvshows_testkit::{Service, TestEnv, json_body, ten_pages};

#[tokio::test]
async fn a_run_is_started_followed_and_its_shows_served() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let response = service.post("/pipeline/update?years=5&top=7&mode=full").send().await.unwrap();
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let accepted = json_body(response).await;
    assert_eq!(accepted["status"], "accepted");
    let run = accepted["request_id"].as_str().unwrap();
    assert_eq!(location, format!("status/{run}"), "relative to the path of the request");

    let status = service.wait_for_end(run).await;
    assert_eq!(
        (&status["state"], &status["step"], &status["progress"], &status["running"]),
        (&json!("succeeded"), &json!("Completed"), &json!(100), &json!(false))
    );
    assert_eq!(
        (&status["years"], &status["top"], &status["mode"]),
        (&json!(5), &json!(7), &json!("full"))
    );
    let fields = [
        "request_id",
        "state",
        "running",
        "step",
        "progress",
        "error",
        "pages_done",
        "pages_total",
        "shows_seen",
        "casts_done",
        "casts_total",
        "requests",
        "retries",
        "rate_limited",
        "started_at",
        "updated_at",
        "finished_at",
        "eta_seconds",
        "years",
        "top",
        "mode",
        "instance",
        "revision",
    ];
    for field in fields {
        assert!(status.get(field).is_some(), "{field}");
    }
    let runs = service.json("/pipeline/runs?limit=1").await;
    assert_eq!(runs["runs"][0]["request_id"], run);

    let top = service.json("/shows/top_shows?limit=1000").await;
    assert_eq!(top.as_array().unwrap().len(), 7);
    assert_eq!(service.json("/shows/top_shows?limit=2").await, json!([top[0], top[1]]));
    let show = service.json(&format!("/shows/{}", top[0]["id"])).await;
    assert_eq!((&show["name"], &show["rating"]["average"]), (&top[0]["name"], &top[0]["rating"]));
    let id = u32::try_from(top[0]["id"].as_u64().unwrap()).unwrap();
    let sent: Value = serde_json::from_slice(&ten_pages().show(id).unwrap()).unwrap();
    assert_eq!(show, sent);
}

#[tokio::test]
async fn a_status_that_is_known_is_not_sent_again() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("").await;
    service.wait_for_end(&run).await;
    let path = format!("/pipeline/status/{run}");
    let first = service.get(&path).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let signature = json_body(first).await["signature"].as_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{signature}\""));
    let status =
        |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status() };
    assert_eq!(status(service.get(&path).header("if-none-match", &tag)).await, 304);
    assert_eq!(
        status(service.get(&path).header("if-none-match", format!("\"x\", W/{tag}"))).await,
        304
    );
    assert_eq!(status(service.get(&path).header("if-none-match", "\"0\"")).await, 200);
    assert_eq!(status(service.get(&path).header("previous_signature", &signature)).await, 204);
    assert_eq!(status(service.get(&path).header("previous_signature", "0")).await, 200);
    let wait = format!("{path}?wait=60");
    assert_eq!(
        status(service.get(&wait).header("if-none-match", &tag)).await,
        304,
        "an ended run is not waited for"
    );
}
