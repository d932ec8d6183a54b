//! HEAD, which `curl --head`, proxies, and readers such as polars use before GET.

use tvshows_testkit::{HANGING_PAGE, Service, TestEnv};

/// Every route that GET has, with parameters that exist.
pub(crate) async fn routes(service: &Service) -> Vec<String> {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let paths = paths.iter().filter(|(_, path)| path.get("get").is_some());
    let run = service.json("/pipeline/runs").await["runs"][0]["request_id"].clone();
    let show = service.json("/shows/top_shows").await[0]["id"].to_string();
    let mut routes =
        vec!["/export/{table}.ndjson".to_owned(), "/export/{table}.parquet".to_owned()];
    routes.extend(paths.map(|(path, _)| path.clone()));
    for path in &mut routes {
        *path = path
            .replace("{request_id}", run.as_str().unwrap())
            .replace("{id}", &show)
            .replace("{table}.{format}", "{table}.csv")
            .replace("{table}", "all_shows");
        assert!(!path.contains('{'), "{path}");
    }
    for path in
        ["/", "/dashboard/main.js", "/docs", "/docs/", "/docs/swagger-ui.css", "/openapi.json"]
    {
        routes.push(path.to_owned());
    }
    routes.extend(["/nowhere", "/shows?limit=0", "/pipeline/update"].map(str::to_owned));
    routes
}

#[tokio::test]
async fn a_response_to_head_has_the_header_of_the_response_to_get() {
    let (_env, service) = TestEnv::published_and_served().await;
    let redirect = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().no_gzip().redirect(redirect).build().unwrap();
    for path in routes(&service).await {
        for encoding in ["identity", "gzip"] {
            let url = format!("{}{path}", service.base_url);
            let request = |method| client.request(method, &url).header("accept-encoding", encoding);
            let head = request(reqwest::Method::HEAD).send().await.unwrap();
            let get = request(reqwest::Method::GET).send().await.unwrap();
            assert_eq!(head.status(), get.status(), "{path}");
            // Everything that does not differ between any two responses.
            let fields = |response: &reqwest::Response| {
                let mut fields = response.headers().clone();
                for varies in ["date", "x-request-id", "content-length"] {
                    fields.remove(varies);
                }
                fields
            };
            assert_eq!(fields(&head), fields(&get), "{path}");
            let length = |response: &reqwest::Response| {
                let length = response.headers().get("content-length")?.to_str().unwrap();
                Some(length.parse::<usize>().unwrap())
            };
            let (head_length, get_length) = (length(&head), length(&get));
            assert_eq!(head_length.is_some(), get_length.is_some(), "{path} {encoding}");
            let body = get.bytes().await.unwrap();
            let varies = ["/metrics", "/health/ready"].contains(&path.as_str());
            if let Some(length) = head_length.filter(|_| !varies) {
                assert_eq!(length, body.len(), "{path} {encoding}");
            }
            assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
        }
    }
}

#[tokio::test]
async fn a_response_to_head_does_not_wait_for_a_stream() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit_and_stall("").await;
    let url = format!("{}/pipeline/status/{run}/events", service.base_url);
    // On the same connection, the next response can only follow the end of this one.
    let client = reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap();
    let head = client.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    drop(head);
    let metrics = client.get(format!("{}/metrics", service.base_url)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("\ntvshows_http_event_streams 0\n"), "{metrics}");
}
