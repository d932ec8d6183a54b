//! The dashboard's assets. `tests/browser` tests how they behave in a browser.

use std::path::Path;

use tvshows_testkit::{Service, TestEnv};

/// The compressed size of all assets together.
const MAX_BYTES: usize = 150_000;

fn asset_names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/tvshows-api/dashboard");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "index.html").collect()
}

#[tokio::test]
async fn the_document_allows_nothing_inline_and_nothing_cross_origin_but_images() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let page = service.get("/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let external: Vec<_> = policy.split(' ').filter(|word| word.contains("//")).collect();
    assert_eq!(external, ["https://static.tvmaze.com;"]);
    let html = page.text().await.unwrap();
    assert!(!html.contains("style=") && !html.contains("<script>"));
    assert!(html.contains("https://www.tvmaze.com"), "names the source of the data");
}

#[tokio::test]
async fn every_asset_of_the_dashboard_is_served_and_they_are_small_together() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let mut bytes = 0;
    let assets = asset_names();
    for path in assets.iter().map(|name| format!("/dashboard/{name}")).chain(["/".to_owned()]) {
        let compressed = service.get(&path).header("accept-encoding", "br");
        let response = compressed.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path} is missing from ASSETS");
        let script = path.rsplit('.').next() == Some("js");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind.starts_with("text/javascript"), script, "{path}: {kind}");
        bytes += response.bytes().await.unwrap().len();
    }
    assert!(bytes < MAX_BYTES, "{bytes}");
    assert_eq!(service.get("/dashboard/index.html").send().await.unwrap().status(), 404);
    assert_eq!(service.get("/dashboard/..%2fCargo.toml").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    for path in ["/", "/dashboard/main.js"] {
        let response = service.get(path).send().await.unwrap();
        let tag = response.headers()["etag"].to_str().unwrap().to_owned();
        let cached = service.get(path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(cached.status(), 304, "{path}");
    }
}
