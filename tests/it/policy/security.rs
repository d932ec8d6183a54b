//! Who can start and cancel runs: the API token, other origins, the rate limit.

use serde_json::json;
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, json_body};

const TOKEN: &str = "a-token-of-this-test";

async fn guarded(env: &TestEnv) -> Service {
    let mut command = env.tvshows(&["serve", "--port", "0"]);
    command.env("API_TOKEN", TOKEN);
    Service::spawn(command).await
}

#[tokio::test]
async fn a_service_with_a_token_lets_only_those_change_something_who_know_it() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = guarded(&env).await;
    let right = format!("Bearer {TOKEN}");
    let accepted = service.post("/pipeline/update").header("authorization", &right).send().await;
    let accepted = accepted.unwrap();
    assert_eq!(accepted.status(), 202);
    let run = json_body(accepted).await["request_id"].as_str().unwrap().to_owned();
    service.wait_until(&run, |status| status["pages_done"] == 9).await;

    let cancel = format!("/pipeline/cancel/{run}");
    for path in ["/pipeline/update?top=3", &cancel, "/pipeline/of-tomorrow", "/shows"] {
        for (given, code, challenge) in [
            (None, "token_required", "Bearer"),
            (
                Some("Bearer not-the-token-of-this"),
                "invalid_token",
                "Bearer error=\"invalid_token\"",
            ),
            (Some("Bearer a-token-of-this-tes"), "invalid_token", "Bearer error=\"invalid_token\""),
            (
                Some("Basic YS10b2tlbi1vZi10aGlzLXRlc3Q="),
                "invalid_token",
                "Bearer error=\"invalid_token\"",
            ),
            (Some(TOKEN), "invalid_token", "Bearer error=\"invalid_token\""),
        ] {
            let mut post = service.post(path);
            if let Some(given) = given {
                post = post.header("authorization", given);
            }
            let refused = post.send().await.unwrap();
            assert_eq!(refused.status(), 401, "{path} {given:?}");
            assert_eq!(refused.headers()["www-authenticate"], challenge);
            assert_eq!(refused.headers()["content-type"], "application/problem+json");
            assert_eq!(json_body(refused).await["code"], code, "{path} {given:?}");
        }
    }
    let runs = service.json("/pipeline/runs").await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "nothing was started");
    assert_eq!(service.json(&format!("/pipeline/status/{run}")).await["status"]["running"], true);

    let cancelled = service.post(&cancel).header("authorization", &right).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    assert_eq!(service.wait_for_end(&run).await["state"], "cancelled");
}

#[tokio::test]
async fn what_cannot_be_a_token_stops_the_start_and_is_not_shown() {
    let env = TestEnv::new(&[]).await;
    for wrong in ["hunter2", "a token with blanks in it", "ein-zu-schönes-Geheimnis"] {
        let output = env.tvshows(&["serve", "--api-token", wrong]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("--api-token"), "{error}");
        assert!(!error.contains(wrong), "{error}");
    }
    let mut command = env.tvshows(&["serve", "--port", "0"]);
    command.env("API_TOKEN", "");
    let service = Service::spawn(command).await;
    service.submit("").await;
}

#[tokio::test]
async fn cross_origin_pages_change_nothing_unless_they_are_allowed() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &["--cors-origins", "https://friend.example"]).await;
    let post = async |headers: &[(&str, &str)]| {
        let mut post = service.post("/pipeline/update");
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        let response = post.send().await.unwrap();
        let status = response.status().as_u16();
        (status, json_body(response).await["code"].as_str().unwrap_or_default().to_owned())
    };
    let foreign = (403, "foreign_origin".to_owned());
    assert_eq!(post(&[("origin", "https://foe.example")]).await, foreign);
    assert_eq!(post(&[("origin", "null")]).await, foreign);
    assert_eq!(post(&[("origin", "é")]).await, foreign);
    let from_foe = [("origin", "https://foe.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(post(&from_foe).await, foreign);
    // Another service on the same machine.
    let neighbour = [("origin", "http://127.0.0.1:1"), ("sec-fetch-site", "same-site")];
    assert_eq!(post(&neighbour).await, foreign);
    assert_eq!(service.json("/pipeline/runs").await["runs"], json!([]));

    let own = service.base_url.clone();
    assert_eq!(post(&[("origin", &own)]).await.0, 202);
    // Behind a proxy that terminates TLS or does not forward the host.
    let proxied = [("origin", "https://own.example"), ("host", "own.example")];
    assert_eq!(post(&proxied).await.0, 202);
    let unnamed = [("origin", "https://own.example"), ("sec-fetch-site", "same-origin")];
    assert_eq!(post(&unnamed).await.0, 202);
    assert_eq!(post(&[("origin", "https://friend.example")]).await.0, 202);
    env.simulator.wait_for_faults().await;
}

#[tokio::test]
async fn a_page_that_is_named_may_send_the_token() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--cors-origins", "*", "--api-token", TOKEN]).await;
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, format!("{}/pipeline/update", service.base_url))
        .header("origin", "https://friend.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.to_lowercase().contains("authorization"), "{allowed}");
    let refused = service.post("/pipeline/update").header("origin", "https://friend.example");
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*", "the page can read why");
}

#[tokio::test]
async fn a_preflight_request_that_is_rejected_gets_a_problem() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--cors-origins", "https://friend.example"]).await;
    for (origin, method) in [("https://foe.example", "POST"), ("https://friend.example", "PUT")] {
        let preflight = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, format!("{}/pipeline/update", service.base_url))
            .header("origin", origin)
            .header("access-control-request-method", method);
        let rejected = preflight.send().await.unwrap();
        assert_eq!(rejected.status(), 400);
        assert_eq!(rejected.headers()["content-type"], "application/problem+json");
        assert_eq!(rejected.headers()["x-content-type-options"], "nosniff");
        assert!(!rejected.headers().contains_key("access-control-allow-origin"), "{origin}");
        assert_eq!(json_body(rejected).await["code"], "preflight_rejected", "{origin}");
    }
}

#[tokio::test]
async fn a_client_that_posts_too_often_gets_retry_after() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--post-rate-limit", "3", "--api-token", TOKEN]).await;
    let post = async || service.post("/pipeline/update").send().await.unwrap();
    for _ in 0..3 {
        assert_eq!(post().await.status(), 401, "a guess counts");
    }
    let refused =
        service.post("/pipeline/update").header("authorization", format!("Bearer {TOKEN}"));
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(json_body(refused).await["code"], "too_many_requests");
    for _ in 0..10 {
        assert_eq!(service.get("/pipeline/runs").send().await.unwrap().status(), 200);
    }
}
