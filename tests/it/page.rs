//! The files of the page at `/`. What they do in a browser, `tests/browser` tries.

use std::path::Path;

use crate::support::{Service, World};

/// As much as all files may have together, compressed.
const MOST_BYTES: usize = 150_000;

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/tvshows-api/page");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "page.html").collect()
}

#[tokio::test]
async fn the_document_allows_nothing_inline_and_nothing_from_elsewhere_but_pictures() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let page = service.get("/").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let elsewhere: Vec<_> = policy.split(' ').filter(|word| word.contains("//")).collect();
    assert_eq!(elsewhere, ["https://static.tvmaze.com;"]);
    let html = page.text().await.unwrap();
    assert!(!html.contains("style=") && !html.contains("<script>"));
    assert!(html.contains("https://www.tvmaze.com"), "names the source of the data");
}

#[tokio::test]
async fn every_file_of_the_page_is_served_and_they_are_small_together() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let mut bytes = 0;
    for path in names().iter().map(|name| format!("/page/{name}")).chain(["/".to_owned()]) {
        let compressed = service.get(&path).header("accept-encoding", "br");
        let answer = compressed.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} is in the list of files");
        let script = path.rsplit('.').next() == Some("js");
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind.starts_with("text/javascript"), script, "{path}: {kind}");
        bytes += answer.bytes().await.unwrap().len();
    }
    assert!(bytes < MOST_BYTES, "{bytes}");
    assert_eq!(service.get("/page/page.html").send().await.unwrap().status(), 404);
    assert_eq!(service.get("/page/..%2fCargo.toml").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    for path in ["/", "/page/main.js"] {
        let answer = service.get(path).send().await.unwrap();
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let again = service.get(path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
    }
}
