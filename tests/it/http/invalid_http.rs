//! What is not HTTP at all, or not complete: rejected like any other request, and never without a trace.

use std::fs::File;

use tokio::io::AsyncWriteExt;

use super::raw::{Response, connect, exchange, read_to_end};
use tvshows_testkit::{Service, TestEnv};

fn assert_is_problem(response: &Response, status: u16, code: &str) {
    assert_eq!(response.status(), status, "{}", response.header);
    assert_eq!(response.field("content-type"), Some("application/problem+json"), "{code}");
    assert_eq!(response.field("connection"), Some("close"), "{code}");
    assert_eq!(response.field("x-content-type-options"), Some("nosniff"), "{code}");
    let problem = response.json();
    assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()));
    let id = response.field("x-request-id").unwrap();
    assert_eq!(problem["instance"], format!("urn:request:{id}"), "{code}");
    assert!(response.is_closed, "{code}");
}

#[tokio::test]
async fn an_invalid_request_gets_a_problem_a_log_line_and_a_metric() {
    let env = TestEnv::new(&[]).await;
    let path = env.path("log");
    let command = env.tvshows(&["serve", "--port", "0"]);
    let service = Service::spawn_with_log(command, File::create(&path).unwrap()).await;
    let filler = "x".repeat(200_000);
    let many = "a: b\r\n".repeat(200);
    let cases = [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "malformed_request", "`Host` is missing"),
        ("GET /\r\n\r\n".to_owned(), 400, "malformed_request", "its first line"),
        ("GET / HTTP/2.0\r\nhost: x\r\n\r\n".to_owned(), 400, "malformed_request", "its version"),
        (
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", &filler[..100_000]),
            400,
            "malformed_request",
            "its path",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"
                .to_owned(),
            400,
            "malformed_request",
            "a header field",
        ),
        ("\x16\x03\x01\x02\x00\x01".to_owned(), 400, "malformed_request", "a TLS handshake"),
        (format!("GET / HTTP/1.1\r\nhost: x\r\na: {filler}"), 431, "header_too_large", "128 kB"),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431, "header_too_large", "96 fields"),
        ("GET / HTTP/1.1\r\nhost: x\r\na: ".to_owned(), 408, "header_too_slow", "5 seconds"),
    ];
    for (request, status, code, detail) in &cases {
        let response = exchange(&service, request).await;
        assert_is_problem(&response, *status, code);
        let problem = response.json();
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        let log = std::fs::read_to_string(&path).unwrap();
        let id = response.field("x-request-id").unwrap();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        for part in ["INFO", "client=127.0.0.1", &format!("status_code={status}"), detail] {
            assert!(lines[0].contains(part), "{part}: {}", lines[0]);
        }
    }
    let metrics = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    for (status, count) in [(400, 6), (408, 1), (431, 2)] {
        let labels = format!(r#"route="none",method="other",status="{status}""#);
        let line = format!("tvshows_http_requests_total{{{labels}}} {count}\n");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn requests_before_an_invalid_one_are_served() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let valid = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let response = exchange(&service, valid.repeat(2) + "nonsense\r\n\r\n" + valid).await;
    let responses = format!("{}\r\n\r\n{}", response.header, response.text());
    let statuses: Vec<_> = responses.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{responses}");
}

#[tokio::test]
async fn an_invalid_body_is_rejected_once() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let request = "GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    let response = exchange(&service, request).await;
    assert_eq!(response.status(), 400, "{}", response.header);
    assert_eq!(response.json()["code"], "unreadable_body");
}

#[tokio::test]
async fn a_response_arrives_though_the_client_is_still_sending() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let mut connection = connect(&service).await;
    let start = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}", "x".repeat(140_000));
    connection.write_all(start.as_bytes()).await.unwrap();
    connection.write_all("x".repeat(300_000).as_bytes()).await.unwrap();
    assert_is_problem(&read_to_end(connection).await, 431, "header_too_large");
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_disconnected_without_a_response() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let response = read_to_end(connect(&service).await).await;
    assert_eq!((response.header.as_str(), response.is_closed), ("", true));
}
