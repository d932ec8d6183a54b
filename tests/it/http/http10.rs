//! HTTP/1.0 clients, such as nginx by default: no chunks, and the end of the connection is the end of the response.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::head::routes;
use super::raw::{Response, connect, exchange, read_to_end};
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv};

async fn request(service: &Service, method: &str, path: &str, header: &str) -> Response {
    let response = exchange(service, format!("{method} {path} HTTP/1.0\r\n{header}\r\n")).await;
    assert!(response.header.starts_with("HTTP/1.0 "), "{method} {path}: {}", response.header);
    assert_eq!(response.field("transfer-encoding"), None, "{method} {path}");
    assert_eq!(response.field("connection"), None, "{method} {path}");
    assert!(response.is_closed, "{method} {path}");
    response
}

#[tokio::test]
async fn a_post_needs_no_length_and_no_host() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    let accepted = request(&service, "POST", "/pipeline/update", "").await;
    assert_eq!(accepted.status(), 202, "{}", accepted.header);
    let run = accepted.json()["request_id"].as_str().unwrap().to_owned();
    env.simulator.wait_for_faults().await;
    let rejected = request(&service, "POST", "/pipeline/update?years=1000", "").await;
    assert_eq!(rejected.json()["code"], "invalid_parameter");
    let with_length = "host: x\r\ncontent-length: 0\r\n";
    let joined = request(&service, "POST", "/pipeline/update", with_length).await;
    assert_eq!(joined.json()["request_id"], run.as_str());
    // Nothing says how long this body is, so it must not be taken for another request.
    let cancel = format!("POST /pipeline/cancel/{run} HTTP/1.0\r\n\r\n");
    let both = format!("POST /pipeline/update HTTP/1.0\r\n\r\n{cancel}");
    let one = exchange(&service, both).await;
    assert_eq!(one.json()["request_id"], run.as_str());
    let status = service.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(status["status"]["running"], true, "it was not canceled");
    let cancelled = request(&service, "POST", &format!("/pipeline/cancel/{run}"), "").await;
    assert_eq!(cancelled.status(), 202);
    service.wait_for_end(&run).await;
}

#[tokio::test]
async fn every_response_is_that_of_http_1_1_without_chunks() {
    let (_env, service) = TestEnv::published_and_served().await;
    for path in routes(&service).await {
        let expected = service.get(&path).send().await.unwrap();
        let is_redirect = path == "/docs";
        let (status, header) = (expected.status(), expected.headers().clone());
        let expected = expected.bytes().await.unwrap();
        for header_field in ["", "host: x\r\naccept-encoding: gzip\r\n"] {
            let response = request(&service, "GET", &path, header_field).await;
            if is_redirect {
                assert_eq!(response.status(), 307);
                continue;
            }
            assert_eq!(response.status(), status, "{path}");
            if let Some(length) = response.field("content-length") {
                assert_eq!(length, response.body.len().to_string(), "{path}");
            }
            let is_compressed = response.field("content-encoding") == Some("gzip");
            assert_eq!(response.field("etag"), header.get("etag").map(|tag| tag.to_str().unwrap()));
            // These change from one request to the next, and so do problems and the retry delay of a stream.
            let varies =
                ["/metrics", "/health/ready"].contains(&path.as_str()) || path.ends_with("/events");
            if status == 200 && !varies && !is_compressed {
                assert!(response.body == expected, "{path}");
            }
        }
        let head = request(&service, "HEAD", &path, "").await;
        assert_eq!(
            (head.status(), head.body.len()),
            (if is_redirect { 307 } else { status.as_u16() }, 0)
        );
    }
}

#[tokio::test]
async fn a_connection_can_be_kept_if_the_client_asks_for_it() {
    let (_env, service) = TestEnv::published_and_served().await;
    let mut connection = connect(&service).await;
    let request = "POST /pipeline/cancel/x HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    for _ in 0..3 {
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 4096];
        let mut length = 0;
        while !bytes[..length].ends_with(b"}") {
            length += connection.read(&mut bytes[length..]).await.unwrap();
        }
        let response = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(response.starts_with("HTTP/1.0 404 Not Found\r\n"), "{response}");
        assert!(response.contains("connection: keep-alive\r\n"), "{response}");
    }
    // Only the end of the connection can end this one.
    let export = "GET /export/top_shows.csv HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    connection.write_all(export.as_bytes()).await.unwrap();
    let response = read_to_end(connection).await;
    assert_eq!((response.field("connection"), response.is_closed), (None, true));
    assert!(response.text().starts_with("id,name,"), "{}", response.text());
}

#[tokio::test]
async fn an_event_stream_ends_with_the_connection() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("").await;
    let path = format!("/pipeline/status/{run}/events");
    let stream = request(&service, "GET", &path, "").await;
    assert_eq!(stream.field("content-length"), None);
    let last = stream.text().trim_end().rsplit("\n\n").next().unwrap().to_owned();
    assert!(last.starts_with("id: ") && last.contains("\"state\":\"succeeded\""), "{last}");
}

#[tokio::test]
async fn a_download_that_fails_is_reset_instead_of_closed() {
    let (env, service) = TestEnv::published_and_served().await;
    let break_last_row =
        "UPDATE All_Shows SET name = x'ff' WHERE id = (SELECT max(id) FROM All_Shows)";
    env.connection().execute(break_last_row, []).unwrap();
    let broken = exchange(&service, "GET /export/all_shows.csv HTTP/1.0\r\n\r\n").await;
    assert_eq!(broken.status(), 200);
    assert!(!broken.body.is_empty() && !broken.is_closed, "{} bytes", broken.body.len());
}
