//! Replicas behind nginx, with docker/nginx.conf.

use tvshows_testkit::{Nginx, Service, free_port, json_body};

use super::{Replicas, last_event, wait_for_copies};

/// The shipped `http` block, with addresses of this machine in place of the names and folders of containers.
fn configuration(services: &[Service], port: u16) -> String {
    let shipped = include_str!("../../../docker/nginx.conf");
    let (_, http) = shipped.split_once("http {").unwrap();
    let (http, _) = http.rsplit_once('}').unwrap();
    let servers: Vec<_> = services.iter().map(Service::address).collect();
    let upstream = format!("upstream replicas {{ server {}; }}", servers.join("; server "));
    let http = http.replace("resolver 127.0.0.11 valid=1s ipv6=off;", &upstream);
    let http = http.replace("http://tvshows:8000", "http://replicas");
    let http = http.replace("listen 8080;", &format!("listen 127.0.0.1:{port};"));
    // Paths that the test sets itself.
    let lines = http.lines();
    let lines = lines.filter(|line| !line.contains("access_log") && !line.contains("/tmp/"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_balancer_hides_that_a_replica_ends() {
    let replicas = Replicas::new(&[]).await;
    let mut services = replicas.start_three().await;
    let (port, _nginx) = loop {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        if let Some(nginx) = Nginx::start(&configuration(&services, port), port, folder).await {
            break (port, nginx);
        }
    };
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let accepted = client.post(format!("{base}/pipeline/update")).send().await.unwrap();
    assert_eq!(accepted.status(), 202);
    let run = json_body(accepted).await["request_id"].as_str().unwrap().to_owned();
    let events = client.get(format!("{base}/pipeline/status/{run}/events")).send().await.unwrap();
    assert!(events.text().await.unwrap().contains("\"succeeded\""));
    wait_for_copies(&services.each_ref(), 10).await;
    services[1].process.kill().await.unwrap();
    for _ in 0..20 {
        let response = client.get(format!("{base}/shows/top_shows")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(json_body(response).await.as_array().unwrap().len(), 10);
    }
    assert_eq!(last_event(&services[2], &run).await["status"]["state"], "succeeded");
}
