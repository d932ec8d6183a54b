//! Malformed and hostile requests: none of them causes a server error, or uses resources permanently.

use std::fs::File;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, json_body};

use super::raw::resident;

/// Longer than any response takes; only a hang lasts longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends bytes and returns all that comes back, which is nothing if the server closes the connection early.
async fn exchange(address: &str, bytes: &[u8]) -> String {
    let sent_and_received = async {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut response = Vec::new();
        // The server may close the connection early, which any of these may notice.
        let _ = connection.write_all(bytes).await;
        let _ = connection.shutdown().await;
        let _ = connection.read_to_end(&mut response).await;
        String::from_utf8_lossy(&response).into_owned()
    };
    let response = tokio::time::timeout(TIMEOUT, sent_and_received).await;
    response.unwrap_or_else(|_| panic!("no end of {:?}", String::from_utf8_lossy(bytes)))
}

fn status(response: &str) -> Option<u16> {
    response.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_body_is_read_or_refused_and_never_waited_for() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let head = |rest: &str| format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{rest}\r\n\r\n");
    let chunks = |bytes: usize| format!("{:x}\r\n{}\r\n0\r\n\r\n", bytes, "x".repeat(bytes));
    let chunked = head("transfer-encoding: chunked");
    let cases = [
        (head("content-length: 5") + "hello", 200, "ok"),
        (chunked.clone() + &chunks(5), 200, "ok"),
        (head("connection: upgrade\r\nupgrade: h2c"), 200, "ok"),
        (head("content-length: 5\r\nexpect: 100-continue") + "hello", 100, "ok"),
        // The body is never sent.
        (head("content-length: 70000"), 413, "body_too_large"),
        (head("content-length: 18446744073709551615"), 413, "body_too_large"),
        (chunked.clone() + &chunks(70_000), 413, "body_too_large"),
        (chunked.clone() + "zz\r\n", 400, "unreadable_body"),
        (head("content-length: 5") + "hell", 400, "unreadable_body"),
    ];
    for (request, expected, word) in cases {
        let response = exchange(service.address(), request.as_bytes()).await;
        let start = &request[..request.len().min(120)];
        assert_eq!(status(&response), Some(expected), "{start}: {response}");
        assert!(response.contains(word), "{start}: {response}");
    }
    let twice = head("content-length: 5") + "hello" + &head("connection: close");
    let both = exchange(service.address(), twice.as_bytes()).await;
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2, "the connection goes on: {both}");
}

#[tokio::test]
async fn a_request_without_bounds_is_refused() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let long = "x".repeat(200_000);
    let many = "a: b\r\n".repeat(200);
    for (request, expected) in [
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", &long[..100_000]), 400),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nhost: x\r\na: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431),
        ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n".to_owned(), 400),
    ] {
        let response = exchange(service.address(), request.as_bytes()).await;
        assert_eq!(status(&response), Some(expected), "{response}");
    }
}

/// Whether an empty parameter matches its schema.
fn allows_empty(schema: &Value) -> bool {
    if let Some(alternatives) = schema["anyOf"].as_array() {
        return alternatives.iter().any(allows_empty);
    }
    let is_text = schema["type"] == "string" && schema["enum"].is_null();
    let optional = |pattern: &str| pattern.ends_with(")?$") || pattern.ends_with("]*$");
    schema["type"] == "array" || is_text && schema["pattern"].as_str().is_none_or(optional)
}

#[tokio::test]
async fn an_empty_parameter_is_accepted_only_if_that_is_documented() {
    let (_env, service) = TestEnv::published_and_served().await;
    let document = service.json("/openapi.json").await;
    let run = service.json("/pipeline/runs").await["runs"][0]["request_id"].clone();
    let mut refused = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{table}.{format}", "all_shows.csv").replace("{id}", "1");
        let path = path.replace("{request_id}", run.as_str().unwrap());
        for (method, operation) in operations.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] == "query" && !allows_empty(&parameter["schema"]) {
                    let url = format!("{path}?{}=", parameter["name"].as_str().unwrap());
                    let request = match method.as_str() {
                        "get" => service.get(&url),
                        "head" => service.head(&url),
                        "post" => service.post(&url),
                        other => panic!("{other} {url}"),
                    };
                    // Not 404, which would mean that the value was ignored.
                    let status = request.send().await.unwrap().status().as_u16();
                    assert!([400, 422].contains(&status), "{method} {url}: {status}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn every_route_rejects_unknown_parameters() {
    let (_env, service) = TestEnv::published_and_served().await;
    let document = service.json("/openapi.json").await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if path.starts_with("/tvmaze/") {
            continue;
        }
        let url = path.replace("{table}.{format}", "all_shows.csv").replace("{id}", "1");
        let url = format!("{url}?limt=1");
        let is_post = operations.get("post").is_some();
        let request = if is_post { service.post(&url) } else { service.get(&url) };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400, "{url}");
        let problem = json_body(response).await;
        assert_eq!(problem["code"], "invalid_query", "{url}");
        let detail = problem["detail"].as_str().unwrap();
        let advice = ["expected", "this endpoint has no parameters"];
        assert!(detail.contains("`limt`"), "{url}: {detail}");
        assert!(advice.iter().any(|advice| detail.contains(advice)), "{url}: {detail}");
    }
}

#[tokio::test]
async fn a_request_that_accepts_no_encoding_gets_a_problem() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    for encodings in ["identity;q=0", "*;q=0"] {
        let request = service.get("/shows/stats").header("accept-encoding", encodings);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 406, "{encodings}");
        for (name, value) in
            [("content-type", "application/problem+json"), ("cache-control", "no-store")]
        {
            assert_eq!(response.headers()[name], value, "{encodings}");
        }
        assert_eq!(json_body(response).await["code"], "no_acceptable_encoding");
    }
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--api-token", "a-token-of-this-test"]).await;
    for (path, expected) in [
        ("/", 200),
        ("/dashboard/main.js", 200),
        ("/docs/", 200),
        ("/openapi.json", 200),
        ("/shows", 200),
        ("/export/all_shows.csv", 200),
        ("/shows?x=1", 400),
        ("/nowhere", 404),
        ("/pipeline/update", 405),
        ("/shows/x", 422),
    ] {
        let response = service.get(path).send().await.unwrap();
        assert_eq!(response.status(), expected, "{path}");
        assert_headers(path, response.headers());
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let Some(tag) = response.headers().get("etag") else { continue };
        let known = service.get(path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(known.status(), 304, "{path}");
        let policy = known.headers().get("content-security-policy");
        assert_eq!(policy, None, "{path}: the one that was sent holds");
    }
    let refused = service.post("/pipeline/update").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_headers("401", refused.headers());
}

fn assert_headers(path: &str, headers: &reqwest::header::HeaderMap) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(
            headers.get(name).map(reqwest::header::HeaderValue::as_bytes),
            Some(value.as_bytes()),
            "{path}: {name}"
        );
    }
    assert!(!headers.contains_key("server"), "{path}");
}

#[tokio::test]
async fn idle_and_incomplete_clients_block_nobody_and_are_disconnected() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut connection = TcpStream::connect(service.address()).await.unwrap();
        let said: &[u8] = if number % 2 == 0 { b"" } else { b"GET /health/live HTTP/1.1\r\nhost:" };
        connection.write_all(said).await.unwrap();
        slow.push(connection);
    }
    for _ in 0..10 {
        assert_eq!(service.get("/pipeline/runs").send().await.unwrap().status(), 200);
    }
    let closed = async {
        for mut connection in slow {
            let mut last = String::new();
            let _ = connection.read_to_string(&mut last).await;
            assert!(matches!(status(&last), Some(408) | None), "{last}");
        }
    };
    tokio::time::timeout(TIMEOUT, closed).await.expect("each is closed");
}

/// A request, often with something wrong.
fn garbage(random: &mut Rng) -> Vec<u8> {
    if random.u8(..10) == 0 {
        return (0..random.usize(..400)).map(|_| random.u8(..)).collect();
    }
    let method = random
        .choice([
            "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G\u{e9}T",
            "",
        ])
        .unwrap();
    let mut request = format!("{method} {}", path(random)).into_bytes();
    if random.bool() {
        request.push(b'?');
        for _ in 0..random.usize(..5) {
            request.extend(format!("{}={}&", word(random), word(random)).bytes());
        }
    }
    let version = random
        .choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/9.9"])
        .unwrap();
    request.extend(format!(" {version}\r\nhost: x\r\n").bytes());
    for _ in 0..random.usize(..6) {
        let name = random
            .choice([
                "if-none-match",
                "previous_signature",
                "last-event-id",
                "accept-encoding",
                "origin",
                "content-length",
                "transfer-encoding",
                "expect",
                "range",
                "cookie",
                "x",
            ])
            .unwrap();
        request.extend(format!("{name}: {}\r\n", word(random)).bytes());
    }
    if random.u8(..100) == 0 {
        request.extend(format!("x: {}\r\n", "y".repeat(random.usize(..140_000))).bytes());
    }
    request.extend(b"\r\n");
    request.extend((0..random.usize(..50)).map(|_| random.u8(..)));
    request
}

fn path(random: &mut Rng) -> String {
    let known = [
        "/",
        "/pipeline/update",
        "/pipeline/cancel/{}",
        "/pipeline/status/{}",
        "/pipeline/runs",
        "/shows",
        "/shows/{}",
        "/shows/{}/cast",
        "/shows/stats",
        "/shows/top_shows",
        "/export/{}.{}",
        "/export/all_shows.csv",
        "/dashboard/{}",
        "/docs/{}",
        "/openapi.json",
        "/health/ready",
        "/{}/{}/{}",
    ];
    let mut path = String::new();
    for (number, piece) in random.choice(known).unwrap().split("{}").enumerate() {
        if number > 0 {
            path += &word(random);
        }
        path += piece;
    }
    path
}

fn word(random: &mut Rng) -> String {
    let known = [
        "years",
        "top",
        "mode",
        "wait",
        "limit",
        "cursor",
        "q",
        "sort",
        "fields",
        "genre",
        "min_rating",
        "premiered_from",
        "full",
        "0",
        "1",
        "-1",
        "60",
        "1000",
        "99999999999999999999",
        "1e999",
        "NaN",
        "2024-02-30",
        "AUP2Yw-tP0YyAAAAUnJAIczMzMzMzQ",
        "%00",
        "%ff%fe",
        "%",
        "%2e%2e%2f",
        "..",
        "'; DROP TABLE All_Shows; --",
        "\" OR 1=1",
        "*",
        "NEAR(",
        "name:",
        "{",
        "null",
        "chunked",
        "100-continue",
        "gzip;q=9",
        "bytes=0-",
        "\"x\"",
        "W/\"",
        "http://x",
        "\u{202e}\u{0}",
        "\u{1f4fa}",
        "0190c5a8-0000-7000-8000-000000000000",
        "",
    ];
    match random.u8(..8) {
        0 => (0..random.usize(..300)).map(|_| random.char(..)).collect(),
        1 => format!("%{:02x}", random.u8(..)).repeat(random.usize(..30)),
        _ => known[random.usize(..known.len())].to_owned(),
    }
}

/// Sends requests on 16 connections at a time.
async fn send_garbage(address: &str, seed: u64, requests: usize) {
    let senders = (0..16).map(|sender| {
        let (address, mut random) = (address.to_owned(), Rng::with_seed(seed + sender));
        tokio::spawn(async move {
            for _ in 0..requests / 16 {
                let request = garbage(&mut random);
                let response = exchange(&address, &request).await;
                let is_full = response.contains("\"queue_full\"");
                assert!(
                    status(&response).is_none_or(|status| status < 500 || is_full),
                    "{:?}: {response}",
                    String::from_utf8_lossy(&request)
                );
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_of_garbage_do_no_harm() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let log = env.path("log");
    let command = env.tvshows(&["serve", "--port", "0", "--post-rate-limit", "0"]);
    let mut service = Service::spawn_with_log(command, File::create(&log).unwrap()).await;
    service.submit_and_stall("").await;
    send_garbage(service.address(), 1, 2_000).await;
    let before = resident(&service);
    send_garbage(service.address(), 1_000, 8_000).await;
    if let (Some(before), Some(after)) = (before, resident(&service)) {
        assert!(after < before + 20_000, "{before} kB became {after} kB");
    }
    assert_eq!(service.json("/health/live").await["status"], "ok");
    assert_eq!(service.process.try_wait().unwrap(), None, "it runs on");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
