//! Clients that pipeline requests, read nothing, hold streams open, or are behind a proxy.

use std::fs::File;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, eventually, free_port, json_body};

use super::raw::{connect, exchange, resident};

/// The sum of a counter in `/metrics`, over the series that contain a label.
async fn count(service: &Service, name: &str, label: &str) -> u64 {
    let metrics = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    let series = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    series.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

/// Connects with a small receive buffer, sends as many requests as fit, and reads nothing.
async fn pipeline(service: &Service, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let connection = socket.connect(service.address().parse().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    connection.writable().await.unwrap();
    assert!(connection.try_write(request.repeat(500).as_bytes()).unwrap() > request.len());
    connection
}

#[tokio::test]
async fn two_thousand_clients_that_read_nothing_take_less_than_200_mb() {
    const CLIENTS: u64 = 2000;
    let files = rlimit::increase_nofile_limit(2 * CLIENTS).unwrap();
    if files < CLIENTS + 100 {
        println!("skipped: the limit of {files} file descriptors is too low");
        return;
    }
    let (_env, service) = TestEnv::published_and_served().await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(pipeline(&service, "/shows?limit=1000").await);
    }
    let requests =
        async || count(&service, "tvshows_http_requests_total", "route=\"/shows\"").await;
    eventually(async || requests().await >= CLIENTS).await;
    assert_eq!(service.json("/shows?limit=1").await["shows"].as_array().unwrap().len(), 1);
    assert_eq!(requests().await, CLIENTS + 1, "one request of each client");
    if let Some(kilobytes) = resident(&service) {
        println!("{CLIENTS} clients that read nothing: {kilobytes} kB");
        assert!(kilobytes < 200_000, "{kilobytes} kB");
    }
    drop(clients);
}

#[tokio::test]
async fn large_responses_that_clients_do_not_read_have_a_limit() {
    let (_env, service) = TestEnv::published_and_served().await;
    let before = resident(&service);
    let mut clients = Vec::new();
    for number in 0..80 {
        let path = format!("/shows?limit=1000&q=&min_rating=0.{number}");
        clients.push(pipeline(&service, &path).await);
    }
    let rejected = "code=\"too_many_unread_responses\"";
    eventually(async || count(&service, "tvshows_http_rejections_total", rejected).await > 0).await;
    // Compressed, it could fit.
    let request = service.get("/shows?limit=1000&min_rating=0.999");
    let response = request.header("accept-encoding", "identity").send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(json_body(response).await["code"], "too_many_unread_responses");
    assert_eq!(service.get("/shows?limit=5").send().await.unwrap().status(), 200);
    if let (Some(before), Some(after)) = (before, resident(&service)) {
        println!("80 clients of different lists that read nothing: {before} kB, {after} kB");
        assert!(after < before + 200_000, "{before} kB became {after} kB");
    }
    drop(clients);
    let path = "/shows?limit=1000&min_rating=0.999";
    eventually(async || service.get(path).send().await.unwrap().status() == 200).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_as_it_asks() {
    let (_env, service) = TestEnv::published_and_served().await;
    let mut connection = connect(&service).await;
    let requests = ["GET /shows?limit=1000", "HEAD /shows?limit=1000", "GET /health/live"];
    let mut sent: String = requests
        .iter()
        .map(|request| format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n"))
        .collect::<Vec<_>>()
        .concat();
    sent += "GET /export/top_shows.csv HTTP/1.0\r\n\r\n";
    connection.write_all(sent.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    connection.read_to_end(&mut received).await.unwrap();
    let list = service.get("/shows?limit=1000").send().await.unwrap().bytes().await.unwrap();
    let received = String::from_utf8(received).unwrap();
    let list = str::from_utf8(&list).unwrap();
    let (first, rest) = received.split_once(list).expect("the body of the first response");
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.ends_with("\r\n\r\n"), "{first}");
    let responses: Vec<_> = rest.split("\r\n\r\n").collect();
    assert!(responses[0].starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
    assert!(responses[0].contains(&format!("content-length: {}\r\n", list.len())), "{rest}");
    assert!(responses[1].starts_with("HTTP/1.1 200 OK\r\n"), "HEAD has no body: {rest}");
    assert!(responses[2].starts_with("{\"status\":\"ok\"}HTTP/1.0 200 OK\r\n"), "{rest}");
    assert!(responses[3].starts_with("id,name,"), "{rest}");
}

#[tokio::test]
async fn nothing_is_executed_after_a_request_or_response_that_closes_the_connection() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let next = "POST /pipeline/update HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3);
    let get = "GET /health/live HTTP/1.1\r\nhost: x\r\n";
    let post = "POST /pipeline/cancel/x HTTP/1.1\r\nhost: x\r\n";
    for last in [
        format!("{get}connection: close\r\n\r\n"),
        format!("{get}connection: keep-alive, Close\r\n\r\n"),
        format!("{get}connection: close, \u{e9}\r\n\r\n"),
        format!("{post}connection: close\r\ncontent-length: 3\r\n\r\nabc"),
        "GET /health/live HTTP/1.0\r\n\r\n".to_owned(),
        "GET /health/live HTTP/1.0\r\nconnection: upgrade\r\n\r\n".to_owned(),
        // The response has no length, so only the end of the connection can end it.
        "GET /export/top_shows.csv HTTP/1.0\r\nconnection: keep-alive\r\n\r\n".to_owned(),
        // The body is incomplete.
        format!("{post}content-length: 70000\r\n\r\nabc"),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let response = exchange(&service, last.clone() + &next).await;
        let text = format!("{}\r\n\r\n{}", response.header, response.text());
        assert_eq!(text.matches("HTTP/1.").count(), 1, "{last}{text}");
    }
    assert_eq!(service.json("/pipeline/runs").await["runs"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn streams_leave_a_tenth_of_the_connections_to_others() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &["--connections", "20"]).await;
    let run = service.submit_and_stall("").await;
    let events = format!("/pipeline/status/{run}/events");
    let poll = format!("/pipeline/status/{run}?wait=60");
    let mut streams = Vec::new();
    while let Ok(mut stream) = service.get(&events).send().await.unwrap().error_for_status() {
        assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"retry: "));
        streams.push(stream);
    }
    // A machine with 20 processors or more gives each a connection; otherwise they share all but the remainder.
    assert!((9..=18).contains(&streams.len()), "{}", streams.len());
    for path in [&events, &poll] {
        let rejected = service.get(path).send().await.unwrap();
        assert_eq!(rejected.status(), 503, "{path}");
        assert!(rejected.headers().contains_key("retry-after"), "{path}");
        assert_eq!(rejected.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(json_body(rejected).await["code"], "too_many_streams", "{path}");
    }
    for _ in 0..20 {
        assert_eq!(service.json("/health/live").await["status"], "ok");
        let status = service.get(&format!("/pipeline/status/{run}")).send().await.unwrap();
        assert_eq!(status.status(), 200, "it does not wait");
    }
    env.simulator.set_faults(&[]);
    let ended = join_all(streams.into_iter().map(reqwest::Response::text)).await;
    assert!(ended.iter().all(|text| text.as_ref().unwrap().contains("\"succeeded\"")));
    assert_eq!(service.get(&events).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn probes_have_a_port_that_responds_when_all_connections_are_in_use() {
    let env = TestEnv::new(&[]).await;
    let port = free_port().to_string();
    let arguments = ["--connections", "2", "--health-port", &port];
    let service = Service::start(&env, &arguments).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = connect(&service).await;
        connection.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut status = [0; 15];
        connection.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
        held.push(connection);
    }
    // The system accepts the connection, but the service does not.
    let mut waiting = connect(&service).await;
    waiting.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let get = async |path: &str| {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        client.get(format!("http://127.0.0.1:{port}{path}")).send().await.unwrap()
    };
    for (path, status) in [
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/metrics", 200),
        ("/shows", 404),
        ("/", 404),
        ("/pipeline/update", 404),
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    }
    let check = env.tvshows(&["healthcheck", "--health-port", &port]).output().await.unwrap();
    assert!(check.status.success(), "{check:?}");
    let mut byte = [0];
    assert!(waiting.try_read(&mut byte).is_err(), "it is still waiting");
    drop(held);
    waiting.read_exact(&mut byte).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_rejected_requests_leaves_a_short_log() {
    let env = TestEnv::new(&[]).await;
    let path = env.path("log");
    let command = env.tvshows(&["serve", "--port", "0", "--api-token", "a-token-of-this-test"]);
    let service = Service::spawn_with_log(command, File::create(&path).unwrap()).await;
    let text = "x".repeat(60_000);
    let request = format!("POST /{text}\u{1b}?{text} HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(exchange(&service, request).await.header.contains(" 400 "), "a control character");
    let wrong = "authorization: Bearer wrong\r\n";
    for (field, code) in [("", "token_required"), (wrong, "invalid_token")] {
        let request = format!("POST /{text} HTTP/1.1\r\nhost: x\r\n{field}\r\n");
        for _ in 0..50 {
            assert_eq!(exchange(&service, &request).await.status(), 401);
        }
        let label = format!("code=\"{code}\"");
        assert_eq!(count(&service, "tvshows_http_rejections_total", &label).await, 50);
    }
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.len() < 30_000, "{} bytes", log.len());
    let lines: Vec<_> = log.lines().filter(|line| line.contains("xxx")).collect();
    assert_eq!(lines.len(), 20, "{log}");
    for line in lines {
        assert!(line.len() < 1000 && line.contains(&format!("/{}…", "x".repeat(199))), "{line}");
        assert!(line.contains("WARN") && line.contains(" client=127.0.0.1 "), "{line}");
    }
}

#[tokio::test]
async fn what_a_client_sends_is_repeated_only_in_part() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let long = "x".repeat(50_000);
    for path in [
        format!("/pipeline/status/{long}"),
        format!("/export/{long}.csv"),
        format!("/shows?{long}=1"),
        format!("/shows?fields={long}"),
        format!("/shows?sort={long}"),
        format!("/shows?cursor={long}"),
        format!("/shows/{long}"),
    ] {
        let response = service.get(&path).send().await.unwrap();
        assert!(response.status().is_client_error(), "{}", &path[..20]);
        let text = response.text().await.unwrap();
        assert!(text.len() < 1500, "{}: {} bytes", &path[..20], text.len());
    }
    let foreign = service.post("/pipeline/update").header("origin", &long).send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert!(foreign.text().await.unwrap().len() < 1500);
}

/// Sends a POST with a header and returns the status.
async fn post(service: &Service, name: &str, value: &str) -> u16 {
    let post = service.post("/pipeline/cancel/x").header(name, value);
    post.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_clients_of_a_trusted_proxy_have_limits_of_their_own() {
    let env = TestEnv::new(&[]).await;
    let path = env.path("log");
    let mut command = env.tvshows(&["serve", "--port", "0", "--post-rate-limit", "1"]);
    command.env("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1");
    let service = Service::spawn_with_log(command, File::create(&path).unwrap()).await;
    for (name, value, expected) in [
        ("x-forwarded-for", "192.0.2.1", 404),
        ("x-forwarded-for", "203.0.113.1, 192.0.2.1, 10.1.1.1", 429),
        ("forwarded", "for=\"192.0.2.1:5000\";proto=https", 429),
        ("x-forwarded-for", "192.0.2.2", 404),
        ("forwarded", "for=\"[2001:db8::1]:80\", for=10.0.0.9", 404),
        ("x-forwarded-for", "2001:db8::2", 429),
        ("x-forwarded-for", "<garbage>", 404),
        ("x-unrelated", "", 429),
    ] {
        assert_eq!(post(&service, name, value).await, expected, "{name}: {value}");
    }
    let log = std::fs::read_to_string(&path).unwrap();
    for line in ["status_code=404", "status_code=429"] {
        let is_of_client = |text: &str| text.contains(line) && text.contains(" client=192.0.2.1 ");
        assert!(log.lines().any(is_of_client), "{line}: {log}");
    }
}

#[tokio::test]
async fn a_forged_address_is_ignored() {
    let env = TestEnv::new(&[]).await;
    for trusted in ["", "10.0.0.0/8,::1"] {
        let arguments = ["--post-rate-limit", "1", "--trusted-proxies", trusted];
        let service = Service::start(&env, &arguments).await;
        assert_eq!(post(&service, "x-forwarded-for", "192.0.2.1").await, 404);
        assert_eq!(post(&service, "x-forwarded-for", "192.0.2.2").await, 429);
        assert_eq!(post(&service, "forwarded", "for=192.0.2.3").await, 429);
    }
}
