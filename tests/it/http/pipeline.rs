//! `/pipeline`: submitting runs and reading their status.

use serde_json::{Value, json};
use tvshows_testkit::{Service, TestEnv, eventually, json_body, ten_pages};

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
        "steps",
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
        "trigger",
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

#[tokio::test]
async fn a_run_has_the_times_of_its_steps_and_a_log() {
    let env = TestEnv::new(&["status:500*1@/shows?page=3"]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["trigger"], "http");
    let steps = status["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let expected = [
        "Queued",
        "Planning",
        "Fetching all shows",
        "Computing top shows",
        "Fetching cast",
        "Publishing",
    ];
    assert_eq!(names, expected);
    for pair in steps.windows(2) {
        assert_eq!(pair[0]["finished_at"], pair[1]["started_at"]);
    }
    assert_eq!(steps[5]["finished_at"], status["finished_at"]);
    assert_eq!(service.json("/pipeline/runs").await["runs"][0]["steps"], status["steps"]);

    let log = async || service.json(&format!("/pipeline/status/{run}/log")).await;
    let messages = async |level: &str| {
        let log = log().await;
        let lines = log["lines"].as_array().unwrap().iter().filter(|line| line["level"] == level);
        lines.map(|line| line["message"].to_string()).collect::<Vec<_>>().join("\n")
    };
    // The last line comes shortly after the end.
    eventually(async || messages("INFO").await.contains("run ended state=succeeded")).await;
    assert!(messages("INFO").await.starts_with("\"run started"));
    let details = messages("DEBUG").await;
    assert!(details.contains("step began: Fetching cast"), "{details}");
    assert!(details.contains("retrying request"), "{details}");
    assert_eq!(log().await["omitted"], 0);

    let unknown = service.get("/pipeline/status/00000000-0000-4000-8000-000000000000/log");
    let response = unknown.send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(json_body(response).await["code"], "run_not_found");
}

#[tokio::test]
async fn a_run_tells_what_started_it() {
    let env = TestEnv::new(&[]).await;
    assert!(env.update().await.status.success());
    let mut status = env.tvshows(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.output().await.unwrap().stdout).unwrap();
    assert_eq!(status["trigger"], "command_line");
    let service = Service::start(&env, &["--update"]).await;
    let newest = async || service.json("/pipeline/runs").await["runs"][0].clone();
    eventually(async || newest().await["trigger"] == "startup").await;
}
