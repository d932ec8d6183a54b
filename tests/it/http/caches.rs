//! Headers for the caches between the service and its clients.

use reqwest::header::{HeaderMap, VARY};
use tvshows_testkit::{Service, TestEnv};

use super::head::routes;

fn varies_by_encoding(headers: &HeaderMap) -> usize {
    let values = headers.get_all(VARY).iter().map(|value| value.to_str().unwrap());
    values
        .flat_map(|value| value.split(','))
        .filter(|name| name.trim() == "accept-encoding")
        .count()
}

#[tokio::test]
async fn every_response_says_what_caches_may_store() {
    let (_env, service) = TestEnv::published_and_served().await;
    for path in routes(&service).await {
        for encoding in ["identity", "gzip"] {
            let request = service.get(&path).header("accept-encoding", encoding);
            let response = request.send().await.unwrap();
            let headers = response.headers();
            let policy = headers["cache-control"].to_str().unwrap();
            let is_live = ["/health", "/metrics"].iter().any(|live| path.starts_with(live))
                || path.ends_with("/events");
            let expected =
                if is_live || !response.status().is_success() { "no-store" } else { "no-cache" };
            assert_eq!(policy, expected, "{path}");
            assert_eq!(varies_by_encoding(headers), 1, "{path} {encoding}: {headers:?}");
            assert!(!headers.contains_key("cdn-cache-control"), "{path}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_update_leaves_caches_valid() {
    let (env, service) = TestEnv::published_and_served().await;
    let first = service.get("/shows?limit=5").send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    assert!(env.update().await.status.success());
    let again = service.get("/shows?limit=5").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(service.json("/pipeline/runs").await["runs"][0]["state"], "succeeded");
}

#[tokio::test]
async fn a_cdn_may_store_data_and_learns_what_to_purge() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &["--cdn-max-age", "300"]).await;
    let header = async |path: &str, name: &str| {
        let response = service.get(path).send().await.unwrap();
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for path in ["/shows?limit=1", "/shows/top_shows", "/shows/stats", "/export/top_shows.csv"] {
        assert_eq!(
            header(path, "cache-control").await.unwrap(),
            "no-cache",
            "{path}: browsers ask"
        );
        let policy = header(path, "cdn-cache-control").await.unwrap();
        assert!(policy.starts_with("public, max-age=300, stale-while-revalidate="), "{policy}");
        assert_eq!(header(path, "surrogate-key").await.unwrap(), "snapshot-1");
    }
    for path in ["/shows/999999999", "/health/ready", "/metrics", "/pipeline/runs", "/"] {
        assert_eq!(header(path, "cdn-cache-control").await, None, "{path}");
    }
    let update = env.tvshows(&["update", "--top", "3"]).output().await.unwrap();
    assert!(update.status.success());
    assert_eq!(header("/shows?limit=1", "surrogate-key").await.unwrap(), "snapshot-2");
}
