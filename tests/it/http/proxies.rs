//! Behind nginx, with the configurations of docs/deploy.md and with less.

use std::path::Path;

use reqwest::{StatusCode, Url};
use serde_json::Value;
use tokio::process::Command;
use tvshows_testkit::{HANGING_PAGE, Nginx, Service, TestEnv, free_port};

const NOTHING_BUT_PROXY_PASS: &str =
    "server { listen 80; location / { proxy_pass http://127.0.0.1:8000; } }";

/// A block of docs/deploy.md that contains a word.
fn documented(word: &str) -> &'static str {
    let blocks = include_str!("../../../docs/deploy.md").split("```nginx\n").skip(1);
    let mut blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks.find(|block| block.contains(word)).unwrap()
}

/// A running nginx in front of a service.
struct Proxy {
    http: Url,
    https: Url,
    client: reqwest::Client,
    _nginx: Nginx,
}

impl Proxy {
    /// Starts nginx in front of a service. The configuration is for the ports 80 and 443, and for port 8000 of the
    /// service.
    async fn start(configuration: &str, service: &Service) -> Proxy {
        loop {
            let folder = tempfile::tempdir().unwrap();
            make_certificate(folder.path()).await;
            let (http, https) = (free_port(), free_port());
            let configuration = configuration
                .replace("listen 80;", &format!("listen 127.0.0.1:{http};"))
                .replace("listen 443 ", &format!("listen 127.0.0.1:{https} "))
                .replace("http://127.0.0.1:8000", &service.base_url)
                .replace("/etc/ssl/tvshows", folder.path().to_str().unwrap());
            if let Some(nginx) = Nginx::start(&configuration, http, folder).await {
                // One connection per request, and no following of redirects.
                let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_gzip();
                let client = client.redirect(reqwest::redirect::Policy::none());
                let client = client.danger_accept_invalid_certs(true).build().unwrap();
                let url = |scheme, port| format!("{scheme}://127.0.0.1:{port}/").parse().unwrap();
                let (http, https) = (url("http", http), url("https", https));
                return Proxy { http, https, client, _nginx: nginx };
            }
        }
    }

    async fn get(&self, url: Url) -> reqwest::Response {
        self.client.get(url).send().await.unwrap()
    }

    async fn json(&self, url: Url) -> Value {
        let response = self.get(url).await;
        assert_eq!(response.status(), 200);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }
}

async fn make_certificate(folder: &Path) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-nodes", "-subj", "/CN=tvshows.example.org", "-days", "1"]);
    command.args(["-keyout", "privkey.pem", "-out", "fullchain.pem"]).current_dir(folder);
    assert!(command.output().await.unwrap().status.success());
}

/// Starts an update through a proxy, and follows it to its end by what the responses say.
async fn update(nginx: &Proxy, base: &Url) {
    let update = base.join("pipeline/update").unwrap();
    let accepted = nginx.client.post(update.clone()).send().await.unwrap();
    assert_eq!(accepted.status(), 202);
    let location = accepted.headers()["location"].to_str().unwrap();
    let status = update.join(location).unwrap();
    assert!(status.as_str().starts_with(base.as_str()), "{status}");
    let signature = nginx.json(status.clone()).await["signature"].clone();
    assert!(signature.is_string());
    let events = nginx.get(status.join(&format!("{}/events", status.path())).unwrap()).await;
    let events = events.text().await.unwrap();
    let last = events.trim_end().rsplit("\n\n").next().unwrap();
    let id = last.split_once("id: ").unwrap().1.lines().next().unwrap();
    assert!(last.contains("\"succeeded\""), "{last}");
    let mut unchanged = status;
    unchanged.set_query(Some(&format!("wait=1&previous_signature={id}")));
    assert_eq!(nginx.get(unchanged.clone()).await.status(), 204);
    unchanged.set_query(Some("wait=60&previous_signature=0"));
    assert_eq!(nginx.get(unchanged).await.status(), 200);
}

#[tokio::test]
async fn nothing_but_proxy_pass_is_sufficient() {
    let (_env, service) = TestEnv::published_and_served().await;
    let nginx = Proxy::start(NOTHING_BUT_PROXY_PASS, &service).await;
    update(&nginx, &nginx.http).await;
    for path in ["/export/all_shows.csv", "/export/top_shows.parquet", "/shows?limit=1000", "/"] {
        let direct = service.get(path).send().await.unwrap().bytes().await.unwrap();
        let url = nginx.http.join(path).unwrap();
        let head = nginx.client.head(url.clone()).send().await.unwrap();
        let proxied = nginx.get(url).await.bytes().await.unwrap();
        assert!(direct == proxied, "{path}");
        let length = head.headers().get("content-length");
        let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
        assert!(length.is_none_or(|length: usize| length == proxied.len()), "{path}: {length:?}");
    }
}

#[tokio::test]
async fn an_event_passes_at_once() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    let nginx = Proxy::start(NOTHING_BUT_PROXY_PASS, &service).await;
    let run = service.submit_and_stall("").await;
    let events = nginx.http.join(&format!("pipeline/status/{run}/events")).unwrap();
    let mut events = nginx.get(events).await;
    let event = events.chunk().await.unwrap().unwrap();
    let event = String::from_utf8(event.into()).unwrap();
    assert!(event.starts_with("retry: ") && event.contains("\nid: "), "{event}");
}

#[tokio::test]
async fn a_download_that_fails_does_not_look_complete() {
    let (env, service) = TestEnv::published_and_served().await;
    let break_last_row =
        "UPDATE All_Shows SET name = x'ff' WHERE id = (SELECT max(id) FROM All_Shows)";
    env.connection().execute(break_last_row, []).unwrap();
    let nginx = Proxy::start(NOTHING_BUT_PROXY_PASS, &service).await;
    let broken = nginx.get(nginx.http.join("export/all_shows.csv").unwrap()).await;
    assert_eq!(broken.status(), 200);
    broken.bytes().await.unwrap_err();
}

#[tokio::test]
async fn the_documented_plain_configuration_works() {
    let (_env, service) = TestEnv::published_and_served().await;
    let nginx = Proxy::start(documented("location / "), &service).await;
    update(&nginx, &nginx.http).await;
    // The service's own page, as a browser without `Sec-Fetch-Site` asks.
    let post = nginx.client.post(nginx.http.join("pipeline/update").unwrap());
    let origin = nginx.http.as_str().trim_end_matches('/');
    assert_eq!(post.header("origin", origin).send().await.unwrap().status(), 202);
}

/// The values of `src` and `href` that are not of another site or of the page itself.
fn links(html: &str) -> Vec<&str> {
    let values = html.split(" src=\"").chain(html.split(" href=\""));
    let values = values.filter_map(|rest| rest.split_once('"')).map(|(value, _)| value);
    values.filter(|value| !value.contains([':', '<', '\n']) && !value.starts_with('#')).collect()
}

#[tokio::test]
async fn everything_that_the_service_says_of_itself_works_below_the_documented_prefix() {
    let (_env, service) = TestEnv::published_and_served().await;
    let nginx = Proxy::start(documented("location /tv/ "), &service).await;
    let base = nginx.http.join("tv/").unwrap();
    update(&nginx, &base).await;

    let mut pages = 0;
    for page in [base.clone(), base.join("docs/").unwrap()] {
        let html = nginx.get(page.clone()).await.text().await.unwrap();
        for link in links(&html) {
            let url = page.join(link).unwrap();
            assert!(url.as_str().starts_with(base.as_str()), "{page} links to {link}");
            assert_eq!(nginx.get(url).await.status(), 200, "{page} links to {link}");
            pages += 1;
        }
    }
    assert!(pages > 5, "{pages}");
    let main = nginx.get(base.join("dashboard/main.js").unwrap()).await.text().await.unwrap();
    assert!(!main.contains("from \"/"), "imports are relative");

    let redirect = nginx.get(base.join("docs").unwrap()).await;
    assert_eq!(redirect.status(), StatusCode::TEMPORARY_REDIRECT);
    let location = redirect.headers()["location"].to_str().unwrap();
    let docs = redirect.url().join(location).unwrap();
    assert_eq!(docs, base.join("docs/").unwrap());

    let initializer = nginx.get(docs.join("swagger-initializer.js").unwrap()).await;
    let initializer = initializer.text().await.unwrap();
    let definition = initializer.split_once("\"url\": \"").unwrap().1.split('"').next().unwrap();
    let definition = docs.join(definition).unwrap();
    assert_eq!(definition, base.join("openapi.json").unwrap());
    let document = nginx.json(definition.clone()).await;
    for server in document["servers"].as_array().unwrap() {
        assert_eq!(definition.join(server["url"].as_str().unwrap()).unwrap(), base);
    }

    let problem = nginx.get(base.join("nowhere").unwrap()).await;
    let id = problem.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = serde_json::from_slice(&problem.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["instance"], format!("urn:request:{id}"), "an id, not a path");
    assert_eq!(problem["type"], "about:blank");
}

#[tokio::test]
async fn the_documented_configuration_with_tls_encrypts_and_limits() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--post-rate-limit", "0"]).await;
    let nginx = Proxy::start(documented("ssl"), &service).await;
    let redirect = nginx.client.get(nginx.http.join("shows").unwrap());
    let redirect = redirect.header("host", "tvshows.example.org").send().await.unwrap();
    assert_eq!(redirect.headers()["location"], "https://tvshows.example.org/shows");
    update(&nginx, &nginx.https).await;
    let secure = nginx.get(nginx.https.clone()).await;
    assert!(secure.headers().contains_key("strict-transport-security"));

    let post = nginx.client.post(nginx.https.join("pipeline/update").unwrap());
    let post = post.header("host", "tvshows.example.org");
    let mut refused = 0;
    for _ in 0..30 {
        let own = post.try_clone().unwrap().header("origin", "https://tvshows.example.org");
        match own.send().await.unwrap().status() {
            StatusCode::ACCEPTED => {}
            StatusCode::TOO_MANY_REQUESTS => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!((1..30).contains(&refused), "{refused}");
    assert_eq!(nginx.get(nginx.https.join("shows").unwrap()).await.status(), 200);
}
