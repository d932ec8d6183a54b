//! Whatever somebody sends: an answer that is no fault of the server's, and nothing that stays.

use std::fs::File;
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Service, World};

/// As soon as this long an answer did not come, something hangs.
const HANG: Duration = Duration::from_secs(30);

fn address(service: &Service) -> &str {
    service.base_url.strip_prefix("http://").unwrap()
}

/// Sends bytes and gives all that comes back; nothing where the server hung up before.
async fn answer(address: &str, bytes: &[u8]) -> String {
    let exchange = async {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut answer = Vec::new();
        // A server that has read enough closes, which the client may notice at any of these.
        let _ = connection.write_all(bytes).await;
        let _ = connection.shutdown().await;
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(HANG, exchange).await;
    answer.unwrap_or_else(|_| panic!("no end of {:?}", String::from_utf8_lossy(bytes)))
}

fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_body_is_read_or_refused_and_never_waited_for() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let head = |rest: &str| format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{rest}\r\n\r\n");
    let chunks = |bytes: usize| format!("{:x}\r\n{}\r\n0\r\n\r\n", bytes, "x".repeat(bytes));
    let chunked = head("transfer-encoding: chunked");
    let cases = [
        (head("content-length: 5") + "hello", 200, "ok"),
        (chunked.clone() + &chunks(5), 200, "ok"),
        (head("connection: upgrade\r\nupgrade: h2c"), 200, "ok"),
        (head("content-length: 5\r\nexpect: 100-continue") + "hello", 100, "ok"),
        // Nothing of it is sent.
        (head("content-length: 70000"), 413, "body_too_large"),
        (head("content-length: 18446744073709551615"), 413, "body_too_large"),
        (chunked.clone() + &chunks(70_000), 413, "body_too_large"),
        (chunked.clone() + "zz\r\n", 400, "unreadable_body"),
        (head("content-length: 5") + "hell", 400, "unreadable_body"),
    ];
    for (request, expected, word) in cases {
        let answer = answer(address(&service), request.as_bytes()).await;
        let start = &request[..request.len().min(120)];
        assert_eq!(status(&answer), Some(expected), "{start}: {answer}");
        assert!(answer.contains(word), "{start}: {answer}");
    }
    let twice = head("content-length: 5") + "hello" + &head("connection: close");
    let both = answer(address(&service), twice.as_bytes()).await;
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2, "the connection goes on: {both}");
}

#[tokio::test]
async fn a_request_without_bounds_is_refused() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let long = "x".repeat(200_000);
    let many = "a: b\r\n".repeat(200);
    for (request, expected) in [
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", &long[..100_000]), 400),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nhost: x\r\na: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431),
        ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n".to_owned(), 400),
    ] {
        let answer = answer(address(&service), request.as_bytes()).await;
        // The server may close while it still receives, and then its answer is lost.
        assert!([Some(expected), None].contains(&status(&answer)), "{expected}: {answer}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_not_do() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &["--api-token", "a-token-of-this-test"]).await;
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
        let answer = service.get(path).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{path}");
        assert_headers(path, answer.headers());
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let Some(tag) = answer.headers().get("etag") else { continue };
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
async fn clients_that_say_nothing_or_half_of_it_are_in_nobodys_way_and_are_closed() {
    let world = World::new(&[]).await;
    let service = Service::start(&world, &[]).await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut connection = TcpStream::connect(address(&service)).await.unwrap();
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
    tokio::time::timeout(HANG, closed).await.expect("each is closed");
}

/// A request of which something is often wrong.
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

/// Sends so many requests, some at a time.
async fn send_garbage(address: &str, seed: u64, requests: usize) {
    let senders = (0..16).map(|sender| {
        let (address, mut random) = (address.to_owned(), Rng::with_seed(seed + sender));
        tokio::spawn(async move {
            for _ in 0..requests / 16 {
                let request = garbage(&mut random);
                let answer = answer(&address, &request).await;
                let is_full = answer.contains("\"queue_full\"");
                assert!(
                    status(&answer).is_none_or(|status| status < 500 || is_full),
                    "{:?}: {answer}",
                    String::from_utf8_lossy(&request)
                );
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
}

/// What the process has in memory, in kB, where the system tells.
fn resident(service: &Service) -> Option<u64> {
    let path = format!("/proc/{}/status", service.process.id()?);
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_of_garbage_do_no_harm() {
    let world = World::new(&["hang@/shows?page=5"]).await;
    let log = world.folder.path().join("log");
    let command = world.tvshows(&["serve", "--port", "0", "--post-rate-limit", "0"]);
    let mut service = Service::spawn_with_log(command, File::create(&log).unwrap().into()).await;
    send_garbage(address(&service), 1, 2_000).await;
    let before = resident(&service);
    send_garbage(address(&service), 1_000, 8_000).await;
    if let (Some(before), Some(after)) = (before, resident(&service)) {
        assert!(after < before + 20_000, "{before} kB became {after} kB");
    }
    assert_eq!(service.json("/health/live").await["status"], "ok");
    assert_eq!(service.process.try_wait().unwrap(), None, "it runs on");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
