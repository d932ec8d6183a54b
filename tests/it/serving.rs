//! `tvshows serve`: what a client sees.

use serde_json::{Value, json};

use crate::support::{Service, World, json as body};

#[tokio::test]
async fn lists_are_empty_before_the_first_run() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
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
async fn a_database_that_cannot_be_written_is_told() {
    let world = World::new(&[]).await;
    let (data, elsewhere) =
        (world.folder.path().join("data"), world.folder.path().join("elsewhere"));
    std::fs::create_dir(&data).unwrap();
    let database = data.join("tvshows.db");
    let service = Service::start(&world, &["--database-path", database.to_str().unwrap()]).await;
    service.json("/shows/top_shows").await;
    std::fs::rename(&data, &elsewhere).unwrap();
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200, "what is open can still be read");
    let ready = body(ready).await;
    assert_eq!((&ready["status"], &ready["store"]), (&json!("degraded"), &json!("ok")));
    assert_eq!(ready["database"]["writable"], false);
    assert_eq!(service.get("/health/live").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_wants_no_body_asks_with_head() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    for path in ["/", "/shows/top_shows", "/health/ready", "/pipeline/runs"] {
        let address = format!("{}{path}", service.base_url);
        let answer = reqwest::Client::new().head(address).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.text().await.unwrap(), "", "{path}");
    }
}

#[tokio::test]
async fn a_run_is_started_followed_and_its_shows_served() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let answer = service.post("/pipeline/update?years=5&top=7&mode=full").send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let accepted = body(answer).await;
    assert_eq!(accepted["status"], "accepted");
    let run = accepted["request_id"].as_str().unwrap();
    assert_eq!(location, format!("status/{run}"), "relative to the path of the request");

    let status = service.end_of(run).await;
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
    let sent: Value =
        serde_json::from_slice(&crate::support::catalogue().show(id).unwrap()).unwrap();
    assert_eq!(show, sent);
}

#[tokio::test]
async fn a_status_that_is_known_is_not_sent_again() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let run = service.submit("").await;
    service.end_of(&run).await;
    let path = format!("/pipeline/status/{run}");
    let first = service.get(&path).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let signature = body(first).await["signature"].as_str().unwrap().to_owned();
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
async fn wrong_requests_get_a_problem_that_says_what_to_do() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let unknown = "/pipeline/status/0190c5a8-0000-7000-8000-000000000000";
    let cases = [
        ("POST", "/pipeline/update?years=201", 422, "invalid_parameter", "`years`"),
        ("POST", "/pipeline/update?years=-1", 422, "invalid_parameter", "`years`"),
        ("POST", "/pipeline/update?top=0", 422, "invalid_parameter", "`top`"),
        ("POST", "/pipeline/update?top=1001", 422, "invalid_parameter", "`top`"),
        ("POST", "/pipeline/update?top=", 422, "invalid_parameter", "`top`"),
        ("POST", "/pipeline/update?mode=half", 422, "invalid_parameter", "`mode`"),
        ("POST", "/pipeline/update?yeers=1", 400, "invalid_query", "yeers"),
        ("POST", "/pipeline/update?top=1&top=2", 400, "invalid_query", "top"),
        ("GET", "/pipeline/update", 405, "method_not_allowed", "/docs"),
        ("GET", "/pipeline/runs?limit=0", 422, "invalid_parameter", "`limit`"),
        ("GET", "/shows/top_shows?limit=many", 422, "invalid_parameter", "`limit`"),
        ("GET", "/shows/x", 422, "invalid_parameter", "`id`"),
        ("GET", "/shows/99999999999999999999", 422, "invalid_parameter", "`id`"),
        ("GET", "/shows/1", 404, "show_not_found", "show 1"),
        ("GET", unknown, 404, "run_not_found", "/pipeline/runs"),
        ("GET", "/pipeline/status/%00%ff", 404, "run_not_found", "/pipeline/runs"),
        ("GET", &format!("{unknown}?wait=61"), 422, "invalid_parameter", "`wait`"),
        ("POST", "/pipeline/cancel/nonsense", 404, "run_not_found", "nonsense"),
        ("GET", "/nowhere", 404, "path_not_found", "/docs"),
    ];
    for (method, path, status, code, detail) in cases {
        let request = if method == "GET" { service.get(path) } else { service.post(path) };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(answer.headers().contains_key("allow"), status == 405, "{path}");
        let problem = body(answer).await;
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(status)),
            "{path}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{path}: {problem}");
        if code == "invalid_parameter" {
            assert!(detail.contains(problem["parameter"].as_str().unwrap()), "{path}");
        }
    }
    assert_eq!(
        service.json("/pipeline/runs").await,
        json!({"runs": [], "next_run_at": null}),
        "nothing was started"
    );
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let docs = service.get("/docs").send().await.unwrap();
    assert_eq!((docs.status().as_u16(), docs.url().path()), (200, "/docs/"));
    assert!(docs.text().await.unwrap().contains("swagger-ui"));
    let bundle = service.get("/docs/swagger-ui-bundle.js").send().await.unwrap();
    assert_eq!(bundle.status(), 200);
    assert_eq!(service.json("/openapi.json").await["info"]["title"], "tvshows-pipeline");
}
