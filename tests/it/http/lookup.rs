//! `/lookup/shows`.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde_json::json;
use tvmaze_sim::Dataset;
use tvshows_testkit::{ScriptedSimulator, Service, TestEnv, json_body};

async fn published() -> (TestEnv, Service) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    let show = |id: u32, externals| json!({"id": id, "name": format!("Show {id}"), "updated": 5, "externals": externals});
    let page = json!([
        show(82, json!({"imdb": "tt0944947", "thetvdb": 121_361, "tvrage": 24_493})),
        show(83, json!({"imdb": "tt0944947", "thetvdb": null, "tvrage": 121_361})),
        show(84, json!([])),
    ]);
    std::fs::write(folder.path().join("pages/0.json"), page.to_string()).unwrap();
    let dataset = Dataset::recorded(folder.path()).unwrap();
    let env = TestEnv::with_simulator(ScriptedSimulator::start_with(dataset, Duration::ZERO).await);
    assert!(env.update().await.status.success());
    let service = Service::start(&env, &[]).await;
    (env, service)
}

#[tokio::test]
async fn an_external_id_redirects_to_its_show() {
    let (_env, service) = published().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let cases = [
        ("imdb=tt0944947", "../shows/82"),
        ("thetvdb=121361", "../shows/82"),
        ("tvrage=24493", "../shows/82"),
        ("tvrage=121361", "../shows/83"),
    ];
    for (query, location) in cases {
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let url = format!("{}/lookup/shows?{query}", service.base_url);
            let response = client.request(method, url).send().await.unwrap();
            assert_eq!(response.status(), 302, "{query}");
            assert_eq!(response.headers()["location"], location, "{query}");
        }
    }
    let followed = service.json("/lookup/shows?imdb=tt0944947").await;
    assert_eq!(followed, service.json("/shows/82").await);
}

#[tokio::test]
async fn an_unknown_id_is_not_found_and_an_invalid_query_is_explained() {
    let (_env, service) = published().await;
    let cases = [
        ("imdb=tt0944948", 404, "show_not_found", "imdb:tt0944948"),
        ("thetvdb=24493", 404, "show_not_found", "thetvdb:24493"),
        ("", 400, "invalid_query", "exactly one"),
        ("imdb=tt0944947&tvrage=24493", 400, "invalid_query", "exactly one"),
        ("imdb=tt0944947&imdb=tt0944947", 400, "invalid_query", "imdb"),
        ("tmdb=1399", 400, "invalid_query", "tmdb"),
        ("imdb=tt0944947&x=1", 400, "invalid_query", "`x`"),
        ("imdb=", 400, "invalid_query", "`imdb`"),
        ("imdb=944947", 400, "invalid_query", "`imdb`"),
        ("imdb=%00", 400, "invalid_query", "`imdb`"),
        ("imdb=tt0944947%27--", 400, "invalid_query", "`imdb`"),
        ("thetvdb=x", 400, "invalid_query", "`thetvdb`"),
        ("thetvdb=-1", 400, "invalid_query", "`thetvdb`"),
        ("tvrage=99999999999", 400, "invalid_query", "`tvrage`"),
    ];
    for (query, status, code, detail) in cases {
        let response = service.get(&format!("/lookup/shows?{query}")).send().await.unwrap();
        assert_eq!(response.status(), status, "{query}");
        let problem = json_body(response).await;
        assert_eq!(problem["code"], code, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{query}: {problem}");
    }
    let posted = service.post("/lookup/shows?imdb=tt0944947").send().await.unwrap();
    assert_eq!(posted.status(), 405);
}
