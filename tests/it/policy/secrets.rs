//! Passwords and tokens appear in no output and no log; Redis with TLS.

use std::fs::File;
use std::path::Path;

use tokio::process::Command;
use tvshows_testkit::{RedisServer, Service, TestEnv, eventually, free_port, json_body};

const TOKEN: &str = "the-right-api-token";
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECRETS: &[&str] = &[
    TOKEN,
    "the-wrong-api-token",
    "hunter2-of-redis",
    "hunter2-of-postgres",
    WEBHOOK_SECRET,
    "hook-in-secret",
];

/// Runs a service at the most verbose log level through requests that involve secrets. Returns the responses and the
/// log.
async fn all_output(env: &TestEnv, redis_url: &str, log_format: &str) -> String {
    let log = env.path("log");
    let mut command = env.tvshows(&["serve", "--port", "0"]);
    command.envs([("API_TOKEN", TOKEN), ("REDIS_URL", redis_url), ("RUST_LOG", "trace")]);
    command.env("LOG_FORMAT", log_format);
    let webhook = format!("http://me:hook-in-secret@127.0.0.1:{}/hook-in-secret", free_port());
    command.envs([("WEBHOOK_URL", &*webhook), ("WEBHOOK_SECRET", WEBHOOK_SECRET)]);
    let file = File::create(&log).unwrap();
    let mut service = Service::spawn_with_log(command, file).await;
    let mut said = String::new();
    let bearer = |token: &str| format!("Bearer {token}");
    let wrong = service.post("/pipeline/update").header("authorization", bearer(SECRETS[1]));
    let wrong = wrong.send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    said += &wrong.text().await.unwrap();
    let right = service.post("/pipeline/update").header("authorization", bearer(TOKEN));
    let accepted = json_body(right.send().await.unwrap()).await;
    let run = accepted["request_id"].as_str().unwrap();
    said += &service.wait_for_end(run).await.to_string();
    let lines = service.json(&format!("/pipeline/status/{run}/log")).await.to_string();
    assert!(lines.contains("cannot publish the progress"), "{lines}");
    said += &lines;
    for path in ["/health/ready", "/pipeline/runs", "/openapi.json", "/pipeline/status/x"] {
        said += &service.get(path).send().await.unwrap().text().await.unwrap();
    }
    assert!(said.contains("\"degraded\""), "Redis cannot be used: {said}");
    service.process.kill().await.unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("TRACE"), "{log}");
    said + &log
}

fn assert_no_secret(said: &str) {
    for secret in SECRETS {
        let shown = said.lines().find(|line| line.contains(secret));
        assert_eq!(shown, None, "{secret}");
    }
}

#[tokio::test]
async fn an_unavailable_redis_does_not_reveal_the_password() {
    let url = format!("redis://me:hunter2-of-redis@127.0.0.1:{}", free_port());
    for format in ["text", "json"] {
        let env = TestEnv::new(&[]).await;
        assert_no_secret(&all_output(&env, &url, format).await);
    }
}

#[tokio::test]
async fn a_redis_that_rejects_the_password_does_not_reveal_it() {
    let port = free_port();
    let options = ["--port", &port.to_string(), "--requirepass", "another"];
    let redis = RedisServer::start_with(port, &options).await.expect("the port is free");
    let url = format!("redis://:hunter2-of-redis@127.0.0.1:{}", redis.port);
    for format in ["text", "json"] {
        let env = TestEnv::new(&[]).await;
        assert_no_secret(&all_output(&env, &url, format).await);
    }
}

#[tokio::test]
async fn wrong_settings_and_the_help_show_no_secret() {
    let env = TestEnv::new(&[]).await;
    let file = env.path("settings.toml");
    let text =
        "api_token = \"the-right-api-token\"\nredis_url = \"redis://:hunter2-of-redis@host\"\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let broken = env.path("broken.toml");
    std::fs::write(&broken, "api_token = \"the-right-api-token").unwrap();
    let broken = broken.to_str().unwrap();
    let cases: [(&[&str], i32); 8] = [
        (&["serve", "--help"], 0),
        (&["serve", "--help", "--config", file], 0),
        (&["serve", "--config", broken], 2),
        (&["serve", "--redis-url", "no-url://:hunter2-of-redis@host"], 2),
        (&["serve", "--redis-url", "redis://:hunter2-of-redis@host:port"], 2),
        (&["serve", "--database-url", "mysql://:hunter2-of-postgres@host/db"], 2),
        (&["top", "--database-url", "postgres:/:hunter2-of-postgres@host/db"], 2),
        (&["copy", "--from", "mysql://:hunter2-of-postgres@host/db", "--to", "x.db"], 2),
    ];
    for (arguments, code) in cases {
        let mut command = env.tvshows(arguments);
        command.env("API_TOKEN", TOKEN);
        if !arguments.contains(&"--redis-url") {
            command.env("REDIS_URL", "redis://:hunter2-of-redis@host");
        }
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let said = [output.stdout, output.stderr].concat();
        assert_no_secret(&String::from_utf8(said).unwrap());
    }
}

async fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).current_dir(folder).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn redis_behind_tls_is_used_where_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let authority = format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority");
    openssl(folder.path(), &authority).await;
    let certificate = format!(
        "req -x509 {key} -keyout redis.key -out redis.pem -subj /CN=redis -CA ca.pem -CAkey ca.key \
         -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1"
    );
    openssl(folder.path(), &certificate).await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = free_port();
    let options = [
        ["--port", "0"],
        ["--tls-port", &port.to_string()],
        ["--tls-auth-clients", "no"],
        ["--tls-cert-file", &path("redis.pem")],
        ["--tls-key-file", &path("redis.key")],
        ["--tls-ca-cert-file", &path("ca.pem")],
    ];
    let _redis = RedisServer::start_with(port, &options.concat()).await.expect("the port is free");

    let serve = async |env: &TestEnv, url: &str, trusted: bool| {
        let log = env.path("log");
        let mut command = env.tvshows(&["serve", "--port", "0", "--redis-url", url]);
        if trusted {
            command.env("SSL_CERT_FILE", path("ca.pem"));
        }
        let file = File::create(&log).unwrap();
        (Service::spawn_with_log(command, file).await, log)
    };
    let url = format!("rediss://127.0.0.1:{port}");
    let env = TestEnv::new(&[]).await;
    let (service, _) = serve(&env, &url, true).await;
    assert_eq!(service.json("/health/ready").await["status"], "ready");
    let run = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    let stored = async || {
        let mut ask = Command::new("redis-cli");
        ask.args(["--tls", "--cacert", &path("ca.pem"), "-p", &port.to_string()]);
        let output =
            ask.args(["HGET", &format!("pipeline:{run}"), "state"]).output().await.unwrap();
        output.stdout == b"succeeded\n"
    };
    eventually(stored).await;

    for (url, trusted, reason) in [
        (&url, false, "UnknownIssuer"),
        (&format!("rediss://localhost:{port}"), true, "not valid for name"),
    ] {
        let env = TestEnv::new(&[]).await;
        let (service, log) = serve(&env, url, trusted).await;
        assert_eq!(service.json("/health/ready").await["status"], "degraded", "{url}");
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("invalid peer certificate") && log.contains(reason), "{log}");
    }
}
