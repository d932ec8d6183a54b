use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tvmaze_sim::{Fault, FaultKind, SimConfig};

use crate::support::{
    NOT_FOUND, dataset, faulty, fetch, get, json, plain_client, simulator, status,
};

#[tokio::test]
async fn status_responds_with_tvmazes_error_body() {
    let simulator = simulator(faulty(&["status:503@/shows?page=0"])).await;
    let (status, body) = fetch(&simulator, "/shows?page=0").await;
    let expected = r#"{"name":"Service Unavailable","message":"","code":0,"status":503}"#;
    assert_eq!((status, body.as_str()), (503, expected));
}

#[tokio::test]
async fn an_invalid_status_is_a_500() {
    let fault = Fault { path: "/shows/1".to_owned(), kind: FaultKind::Status(7), times: None };
    let simulator = simulator(SimConfig { faults: vec![fault], ..SimConfig::default() }).await;
    assert_eq!(status(&simulator, "/shows/1").await, 500);
}

#[tokio::test]
async fn not_found_is_a_404_for_something_that_exists() {
    let simulator = simulator(faulty(&["not-found@/shows?page=0"])).await;
    assert_eq!(fetch(&simulator, "/shows?page=0").await, (404, NOT_FOUND.to_owned()));
}

#[tokio::test]
async fn malformed_is_a_200_without_json() {
    let simulator = simulator(faulty(&["malformed@/shows?page=0"])).await;
    let (status, body) = fetch(&simulator, "/shows?page=0").await;
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&body).is_err());
}

#[tokio::test]
async fn wrong_shape_is_a_200_with_an_object() {
    let simulator = simulator(faulty(&["wrong-shape@/shows?page=0"])).await;
    let (status, body) = fetch(&simulator, "/shows?page=0").await;
    assert_eq!(status, 200);
    assert!(json(body).is_object());
}

#[tokio::test]
async fn truncate_announces_the_whole_page_and_sends_half() {
    let simulator = simulator(faulty(&["truncate@/shows?page=0"])).await;
    let page = dataset().page(0).expect("page 0");

    let response = get(&simulator, "/shows?page=0").await.expect("the head arrives");
    assert_eq!(response.status(), 200);
    assert_eq!(response.content_length(), Some(page.len() as u64));
    assert!(response.bytes().await.is_err(), "the body ends early");

    let mut stream = TcpStream::connect(simulator.address()).await.expect("a connection");
    let request = b"GET /shows?page=0 HTTP/1.1\r\nhost: tvmaze\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.expect("an orderly end");
    let end_of_head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    assert!(received.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(received[end_of_head + 4..] == page[..page.len() / 2]);
}

#[tokio::test]
async fn truncate_works_with_gzip_too() {
    let simulator = simulator(faulty(&["truncate*1@/shows?page=0"])).await;
    let url = format!("{}/shows?page=0", simulator.base_url());
    let client = reqwest::Client::new();
    let response = client.get(&url).send().await.expect("the head arrives");
    assert!(response.bytes().await.is_err(), "the body ends early");
    let whole = client.get(&url).send().await.expect("a response").bytes().await.expect("a body");
    assert_eq!(whole, dataset().page(0).expect("page 0"));
}

#[tokio::test]
async fn reset_ends_the_connection_without_a_response() {
    let simulator = simulator(faulty(&["reset@/shows?page=0"])).await;
    let error = get(&simulator, "/shows?page=0").await.expect_err("no response");
    assert!(!error.is_timeout() && !error.is_status(), "{error:?}");

    let mut stream = TcpStream::connect(simulator.address()).await.expect("a connection");
    let request = b"GET /shows?page=0 HTTP/1.1\r\nhost: tvmaze\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let error = stream.read_to_end(&mut Vec::new()).await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn hang_never_responds_and_blocks_no_other_request() {
    let simulator = simulator(faulty(&["hang@/shows/1/cast"])).await;
    let error = plain_client()
        .get(format!("{}/shows/1/cast", simulator.base_url()))
        .timeout(Duration::from_millis(100))
        .send()
        .await
        .expect_err("no response");
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(status(&simulator, "/shows/1").await, 200);
    simulator.stop().await;
}

#[tokio::test]
async fn a_fault_ends_after_its_times_and_touches_no_other_path() {
    let simulator =
        simulator(faulty(&["status:500*2@/shows?page=0", "not-found*1@/shows?page=0"])).await;
    assert_eq!(status(&simulator, "/shows?page=1").await, 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(status(&simulator, "/shows?page=0").await);
    }
    assert_eq!(statuses, [500, 500, 404, 200]);
    assert_eq!(simulator.requests_for("/shows?page=0"), 4);
}

#[tokio::test]
async fn the_config_changes_while_it_runs() {
    let simulator = simulator(SimConfig::default()).await;
    assert_eq!(status(&simulator, "/shows/1").await, 200);
    simulator.set_config(faulty(&["status:500@/shows/1"]));
    assert_eq!(status(&simulator, "/shows/1").await, 500);
    simulator.set_config(SimConfig::default());
    assert_eq!(status(&simulator, "/shows/1").await, 200);
}
