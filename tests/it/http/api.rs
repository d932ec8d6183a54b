//! The common behavior of all routes.

use serde_json::json;
use tvshows_testkit::{Service, TestEnv, json_body};

#[tokio::test]
async fn lists_are_empty_before_the_first_run() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    assert_eq!(service.json("/shows/top_shows").await, json!([]));
    assert_eq!(service.json("/shows/top_shows_multi_char_actors").await, json!([]));
    assert_eq!(service.json("/pipeline/runs").await, json!({"runs": [], "next_run_at": null}));
    assert_eq!(service.json("/health/live").await, json!({"status": "ok"}));
    let ready = service.json("/health/ready").await;
    assert_eq!(
        (&ready["status"], &ready["store"], &ready["tracker"]),
        (&json!("ready"), &json!("ok"), &json!("ok"))
    );
    let database = &ready["database"];
    assert_eq!(database["writable"], true);
    for size in ["schema", "bytes", "free_bytes"] {
        assert!(database[size].as_u64().unwrap() > 0, "{size}");
    }
}

#[tokio::test]
async fn head_returns_no_body() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    for path in ["/", "/shows/top_shows", "/health/ready", "/pipeline/runs"] {
        let response = service.head(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.text().await.unwrap(), "", "{path}");
    }
}

#[tokio::test]
async fn wrong_requests_get_a_problem_that_says_what_to_do() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let unknown = "/pipeline/status/0190c5a8-0000-7000-8000-000000000000";
    let cases = [
        ("POST", "/pipeline/update?years=201", 422, "invalid_parameter", "years"),
        ("POST", "/pipeline/update?years=-1", 422, "invalid_parameter", "years"),
        ("POST", "/pipeline/update?top=0", 422, "invalid_parameter", "top"),
        ("POST", "/pipeline/update?top=1001", 422, "invalid_parameter", "top"),
        ("POST", "/pipeline/update?top=", 422, "invalid_parameter", "top"),
        ("POST", "/pipeline/update?mode=half", 422, "invalid_parameter", "mode"),
        ("POST", "/pipeline/update?yeers=1", 400, "invalid_query", "yeers"),
        ("POST", "/pipeline/update?top=1&top=2", 400, "invalid_query", "top"),
        ("GET", "/pipeline/update", 405, "method_not_allowed", ""),
        ("GET", "/pipeline/runs?limit=0", 422, "invalid_parameter", "limit"),
        ("GET", "/shows/top_shows?limit=many", 422, "invalid_parameter", "limit"),
        ("GET", "/shows/x", 422, "invalid_parameter", "id"),
        ("GET", "/shows/99999999999999999999", 422, "invalid_parameter", "id"),
        ("GET", "/shows/1", 404, "show_not_found", ""),
        ("GET", unknown, 404, "run_not_found", ""),
        ("GET", "/pipeline/status/%00%ff", 404, "run_not_found", ""),
        ("GET", &format!("{unknown}?wait=61"), 422, "invalid_parameter", "wait"),
        ("POST", "/pipeline/cancel/nonsense", 404, "run_not_found", ""),
        ("GET", "/shows/1/cast", 404, "cast_not_found", ""),
        ("GET", "/export/x.csv", 404, "export_not_found", ""),
        ("GET", "/export/top_shows.csv?dialect=word", 422, "invalid_parameter", "dialect"),
        ("GET", "/export/top_shows.ndjson?dialect=excel", 422, "invalid_parameter", "dialect"),
        ("GET", "/export/top_shows.parquet?dialect=standard", 422, "invalid_parameter", "dialect"),
        ("GET", "/export/top_shows.csv?dialects=excel", 400, "invalid_query", "dialects"),
        ("GET", "/nowhere", 404, "path_not_found", ""),
    ];
    for (method, path, status, code, parameter) in cases {
        let request = if method == "GET" { service.get(path) } else { service.post(path) };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(response.headers().contains_key("allow"), status == 405, "{path}");
        let problem = json_body(response).await;
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(status)),
            "{path}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(parameter), "{path}: {problem}");
        if code == "invalid_parameter" {
            assert_eq!(problem["parameter"], parameter, "{path}");
        }
    }
    assert_eq!(
        service.json("/pipeline/runs").await,
        json!({"runs": [], "next_run_at": null}),
        "nothing was started"
    );
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_other_origins() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let docs = service.get("/docs").send().await.unwrap();
    assert_eq!((docs.status().as_u16(), docs.url().path()), (200, "/docs/"));
    assert!(docs.text().await.unwrap().contains("swagger-ui"));
    let bundle = service.get("/docs/swagger-ui-bundle.js").send().await.unwrap();
    assert_eq!(bundle.status(), 200);
    assert_eq!(service.json("/openapi.json").await["info"]["title"], "tvshows-pipeline");
}
