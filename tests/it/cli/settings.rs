//! Settings from flags, the environment and a file.

use tvshows_testkit::{Service, TestEnv, tvshows};

use super::text;

#[tokio::test]
async fn settings_come_from_flags_then_environment_then_file() {
    let env = TestEnv::new(&[]).await;
    let path = |name: &str| env.path(name);
    std::fs::write(path("settings.toml"), "database_path = \"file.db\"\n").unwrap();
    let mut command = env.tvshows(&["update", "--config", "settings.toml"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("file.db").exists());
    command.env("DATABASE_PATH", "environment.db");
    assert!(command.output().await.unwrap().status.success());
    assert!(path("environment.db").exists());
    command.args(["--database-path", "flag.db"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("flag.db").exists() && !path("tvshows.db").exists());
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_sentence() {
    let env = TestEnv::new(&[]).await;
    std::fs::write(env.path("wrong.toml"), "databse_path = \"x.db\"").unwrap();
    std::fs::write(env.path("text.db"), "no database at all".repeat(100)).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["update", "--years", "201"], 2, "--years"),
        (&["update", "--top", "0"], 2, "--top"),
        (&["update", "--mode", "some"], 2, "--mode"),
        (&["update", "--config", "wrong.toml"], 2, "databse_path"),
        (&["update", "--config", "none.toml"], 2, "none.toml"),
        (&["update", "--base-url", "tvmaze.com"], 2, "--tvmaze-base-url: base URL \"tvmaze.com\""),
        (&["update", "--redis-url", "http://x"], 2, "--redis-url: must be"),
        (&["update", "--database-path", "text.db"], 1, "DATABASE_PATH"),
        (&["update", "--database-path", "no/folder.db"], 1, "no/folder.db"),
        (&["update", "--database-url", "mysql://x"], 2, "--database-url: must be postgres://"),
        (&["top", "--database-url", "tvshows.db"], 2, "--database-url: must be postgres://"),
        (&["copy"], 2, "--from: give --from, --to, or both"),
        (
            &["copy", "--from", "mysql://x", "--to", "x.db"],
            2,
            "--from: must be a file, or postgres",
        ),
        (&["serve", "--max-staleness", "0"], 2, "must be at least 1s"),
        (
            &["serve", "--max-staleness", "1h"],
            2,
            "--max-staleness: applies to the copy of a shared",
        ),
        (&["serve", "--updates", "off", "--update"], 2, "--updates: off contradicts --update"),
        (&["serve", "--updates", "off", "--schedule", "every 1h"], 2, "off contradicts SCHEDULE"),
        (&["serve", "--port", "70000"], 2, "70000"),
        (&["serve", "--connections", "0"], 2, "--connections"),
        (&["serve", "--health-port", "8000"], 2, "--health-port: must not be 8000, which is PORT"),
        (&["serve", "--trusted-proxies", "::1,10.0.0.0/33"], 2, "\"10.0.0.0/33\" is neither"),
        (&["sim", "--fault", "explode@/shows"], 2, "explode"),
    ];
    for (arguments, code, expected) in cases {
        let output = env.tvshows(arguments).output().await.unwrap();
        let err = text(output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {err}");
        assert!(err.contains(expected) && !err.contains("panicked"), "{arguments:?}: {err}");
    }
}

/// The environment variables that the help of a command lists.
async fn variables(command: &str) -> Vec<String> {
    let help = text(tvshows(&[command, "--help"]).output().await.unwrap().stdout);
    let names = help.split("[env: ").skip(1);
    names.map(|rest| rest.split(['=', ']']).next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_empty_variable_counts_as_unset() {
    let env = TestEnv::published().await;
    for command in [
        "serve",
        "update",
        "status",
        "runs",
        "top",
        "show",
        "search",
        "export",
        "verify",
        "healthcheck",
    ] {
        let variables = variables(command).await;
        assert!(variables.contains(&"TVSHOWS_CONFIG".to_owned()), "{variables:?}");
        let arguments: &[&str] = match command {
            // Flags replace those that would lead to TVmaze or to a port in use.
            "serve" => continue,
            "update" | "verify" => &["--base-url", &env.simulator.base_url()],
            "show" => &["1"],
            "export" => &["top_shows"],
            "healthcheck" => &["--path", "/no/such/path"],
            _ => &[],
        };
        let mut run = env.tvshows(&[&[command], arguments].concat());
        run.envs(variables.iter().map(|name| (name, "")));
        let output = run.output().await.unwrap();
        let error = text(output.stderr);
        if command == "healthcheck" {
            assert!(error.contains(":8000/no/such/path"), "{error}");
        } else {
            assert!(output.status.success(), "{command}: {error}");
        }
    }
    let variables = variables("serve").await;
    assert!(variables.len() > 12, "{variables:?}");
    let mut serve = env.tvshows(&["serve", "--port", "0"]);
    serve.envs(variables.iter().map(|name| (name, "")));
    let service = Service::spawn(serve).await;
    assert!(service.base_url.starts_with("http://127.0.0.1:"), "the default HOST");
    assert_eq!(service.post("/pipeline/cancel/x").send().await.unwrap().status(), 404, "no token");
}

#[tokio::test]
async fn an_empty_variable_does_not_hide_the_file() {
    let env = TestEnv::new(&[]).await;
    std::fs::write(env.path("settings.toml"), "database_path = \"file.db\"\nhost = \"\"\n")
        .unwrap();
    let mut update = env.tvshows(&["update"]);
    update.envs([("TVSHOWS_CONFIG", "settings.toml"), ("DATABASE_PATH", "")]);
    assert!(update.output().await.unwrap().status.success());
    assert!(env.path("file.db").exists() && !env.database().exists());
}

#[tokio::test]
async fn an_invalid_setting_is_blamed_on_its_source() {
    let env = TestEnv::new(&[]).await;
    let cases: &[(&str, &str, &str)] = &[
        ("PORT", "abc", "invalid value 'abc' for 'PORT (environment variable)': invalid digit"),
        (
            "HOST",
            "localhst",
            "for 'HOST (environment variable)': must be localhost or an IP address",
        ),
        ("LOG_FORMAT", "jsno", "for 'LOG_FORMAT (environment variable)'"),
        ("LOG_FORMAT", "jsno", "a similar value exists: 'json'"),
        ("SCHEDULE", "at four", "for 'SCHEDULE (environment variable)'"),
        ("POST_RATE_LIMIT", "-1", "for 'POST_RATE_LIMIT (environment variable)'"),
        ("REDIS_URL", "http://x", "error: REDIS_URL (environment variable): must be redis://"),
        ("DATABASE_URL", "x.db", "error: DATABASE_URL (environment variable): must be postgres://"),
        ("UPDATES", "maybe", "invalid value 'maybe' for 'UPDATES (environment variable)'"),
        ("MAX_STALENESS", "10", "for 'MAX_STALENESS (environment variable)': must be a duration"),
        ("API_TOKEN", "short", "error: API_TOKEN (environment variable): must"),
        ("WEBHOOK_URL", "example.org", "error: WEBHOOK_URL (environment variable): must be a URL"),
        ("WEBHOOK_SECRET", "x", "error: WEBHOOK_SECRET (environment variable): must be whsec_"),
        (
            "SCHEDULE_TIMEZONE",
            "Berlin",
            "for 'SCHEDULE_TIMEZONE (environment variable)': must be the IANA name of a time zone; \
             did you mean Europe/Berlin?",
        ),
        (
            "API_TOKEN_FILE",
            "none.txt",
            "error: API_TOKEN_FILE (environment variable): cannot use none.txt: No such file",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "x",
            "error: OTEL_EXPORTER_OTLP_ENDPOINT (environment variable): must",
        ),
        ("RUST_LOG", "a=b=c", "error: RUST_LOG: must be a level, or directives"),
        (
            "TVMAZE_BASE_URL",
            "tvmaze.com",
            "error: TVMAZE_BASE_URL (environment variable): base URL",
        ),
    ];
    let refused = async |mut command: tokio::process::Command, expected: &str| {
        let output = command.output().await.unwrap();
        let error = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected) && !error.contains("panicked"), "{error}");
        error
    };
    for (variable, value, expected) in cases {
        let mut serve = env.tvshows(&["serve", "--port", "0"]);
        if *variable == "PORT" {
            serve = env.tvshows(&["serve"]);
        }
        serve.env(variable, value);
        refused(serve, expected).await;
        // The same value in a file.
        if *variable != "RUST_LOG" {
            let key = variable.to_lowercase();
            let file = format!("# A comment.\n\n{key} = \"{value}\"\n");
            std::fs::write(env.path("settings.toml"), file).unwrap();
            let mut serve = env.tvshows(&["serve", "--config", "settings.toml"]);
            serve.env_remove("TVMAZE_BASE_URL");
            if *variable != "PORT" {
                serve.args(["--port", "0"]);
            }
            let in_file = format!("{key} (line 3 of settings.toml)");
            let expected =
                expected.replace(&format!("{variable} (environment variable)"), &in_file);
            refused(serve, &expected).await;
        }
    }
    let mut serve = env.tvshows(&["serve", "--port", "xyz"]);
    serve.env("PORT", "abc");
    refused(serve, "invalid value 'xyz' for '--port <PORT>'").await;
    std::fs::write(env.path("settings.toml"), "\nprot = 1\n").unwrap();
    let serve = env.tvshows(&["serve", "--config", "settings.toml"]);
    refused(serve, "settings.toml: line 2: unknown key `prot`; did you mean `port`?").await;
}

#[tokio::test]
async fn the_help_lists_variables_whatever_their_values() {
    let env = TestEnv::new(&[]).await;
    for value in ["", "abc"] {
        let mut help = env.tvshows(&["serve", "--help"]);
        help.env("PORT", value);
        let output = help.output().await.unwrap();
        assert!(output.status.success());
        let help = text(output.stdout);
        assert!(help.contains(&format!("[env: PORT={value}]")), "{help}");
    }
}

#[tokio::test]
async fn a_secret_comes_from_a_file() {
    let env = TestEnv::new(&[]).await;
    std::fs::write(env.path("token"), "the-right-api-token\r\n").unwrap();
    std::fs::write(env.path("settings.toml"), "api_token_file = \"token\"\n").unwrap();
    let from_variable = [("API_TOKEN_FILE", "token"), ("API_TOKEN", "")];
    for (flags, variables) in [
        (&[][..], &from_variable[..]),
        (&["--api-token-file", "token"], &[("API_TOKEN_FILE", "no/such/file")]),
        (&["--config", "settings.toml"], &[]),
    ] {
        let mut serve = env.tvshows(&[&["serve", "--port", "0"], flags].concat());
        serve.envs(variables.iter().copied());
        let service = Service::spawn(serve).await;
        let cancel = |token| {
            let run = "/pipeline/cancel/0190c5a8-0000-7000-8000-000000000000";
            service.post(run).bearer_auth(token).send()
        };
        assert_eq!(cancel("the-wrong-api-token").await.unwrap().status(), 401);
        assert_eq!(cancel("the-right-api-token").await.unwrap().status(), 404, "{flags:?}");
    }
}

#[tokio::test]
async fn a_secret_and_a_file_with_it_contradict_each_other() {
    let env = TestEnv::new(&[]).await;
    for (name, content) in [("token", "the-right-api-token"), ("empty", "\n"), ("short", "x\n")] {
        std::fs::write(env.path(name), content).unwrap();
    }
    std::fs::write(env.path("binary"), b"\xff\xfe").unwrap();
    let both = "API_TOKEN (environment variable) and API_TOKEN_FILE (environment variable) are both \
                set; remove one of them";
    let short = "short (API_TOKEN_FILE (environment variable)): must";
    for (token, file, expected) in [
        (Some("the-right-api-token"), "token", both),
        (None, "empty", "API_TOKEN_FILE (environment variable): cannot use empty: it is empty"),
        (None, "binary", "cannot use binary: it must be UTF-8"),
        (None, ".", "API_TOKEN_FILE (environment variable): cannot use .: "),
        (None, "short", short),
    ] {
        let mut serve = env.tvshows(&["serve", "--port", "0"]);
        serve.env("API_TOKEN_FILE", file).envs(token.map(|token| ("API_TOKEN", token)));
        let output = serve.output().await.unwrap();
        let error = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected) && !error.contains("right-api"), "{error}");
    }
    let mut serve = env.tvshows(&["serve", "--redis-url", "redis://x"]);
    let output = serve.env("REDIS_URL_FILE", "token").output().await.unwrap();
    assert!(text(output.stderr).contains("--redis-url and REDIS_URL_FILE"), "it names the flag");
    let mut runs = env.tvshows(&["top"]);
    let output = runs.env("API_TOKEN_FILE", "none").output().await.unwrap();
    assert!(!text(output.stderr).contains("API_TOKEN"), "other commands do not read it");
}

#[tokio::test]
async fn a_host_can_be_localhost_or_in_brackets() {
    let env = TestEnv::new(&[]).await;
    for (host, expected) in [("localhost", "http://127.0.0.1:"), ("[::1]", "http://[::1]:")] {
        let mut serve = env.tvshows(&["serve", "--port", "0"]);
        serve.env("HOST", host);
        let service = Service::spawn(serve).await;
        assert!(service.base_url.starts_with(expected), "{host}: {}", service.base_url);
        assert_eq!(service.get("/health/live").send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn an_empty_filter_of_the_log_is_the_default_one() {
    let env = TestEnv::new(&["status:403@/updates/shows", "status:403@/shows?page=0"]).await;
    let mut update = env.tvshows(&["update", "--log-format", "json"]);
    update.env("RUST_LOG", "");
    let log = text(update.output().await.unwrap().stderr);
    assert!(log.contains("\"INFO\""), "{log}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_that_is_not_utf_8_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::new(&[]).await;
    let mut serve = env.tvshows(&["serve"]);
    serve.env("PORT", std::ffi::OsStr::from_bytes(b"80\xff"));
    let output = serve.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = text(output.stderr);
    assert!(error.contains("'PORT (environment variable)': must be UTF-8"), "{error}");
}
