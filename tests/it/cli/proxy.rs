//! The proxy of the environment, which is never used for this machine.

use tokio::process::Command;
use tvshows_testkit::{Service, TestEnv};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::text;

/// A proxy that refuses every request.
async fn proxy() -> MockServer {
    let proxy = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(502)).mount(&proxy).await;
    proxy
}

fn with_proxy(mut command: Command, proxy: &MockServer) -> Command {
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, proxy.uri());
    }
    command
}

async fn request_count(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[cfg(unix)]
#[tokio::test]
async fn no_command_uses_a_proxy_for_this_machine() {
    let (proxy, collector) = (proxy().await, MockServer::start().await);
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    let env = TestEnv::new(&[]).await;
    let serve = env.tvshows(&["serve", "--port", "0", "--otlp-endpoint", &collector.uri()]);
    let mut service = Service::spawn(with_proxy(serve, &proxy)).await;
    let run = service.submit("").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    let port = service.base_url.rsplit(':').next().unwrap().to_owned();
    let localhost = format!("http://localhost:{port}");
    let commands: [&[&str]; 5] = [
        &["update"],
        &["verify"],
        &["healthcheck", "--port", &port],
        &["status", "--service", &service.base_url],
        &["status", "--service", &localhost],
    ];
    for command in commands {
        let output = with_proxy(env.tvshows(command), &proxy).output().await.unwrap();
        assert!(output.status.success(), "{command:?}: {}", text(output.stderr));
    }
    assert!(service.terminate().await.success());
    assert!(request_count(&collector).await > 0);
    assert_eq!(request_count(&proxy).await, 0);
}

#[tokio::test]
async fn other_machines_are_behind_the_proxy_unless_no_proxy_names_them() {
    let proxy = proxy().await;
    let env = TestEnv::new(&[]).await;
    let service = "http://tvshows.invalid:8000";
    let mut status = with_proxy(env.tvshows(&["status", "--service", service]), &proxy);
    let error = text(status.output().await.unwrap().stderr);
    assert!(error.contains("502"), "{error}");
    assert_eq!(request_count(&proxy).await, 1);
    status.env("NO_PROXY", "example.org,.invalid");
    let error = text(status.output().await.unwrap().stderr);
    assert!(!error.contains("502"), "{error}");
    assert_eq!(request_count(&proxy).await, 1);
}
