//! The commands, each run as a process.

mod cancel;
mod copy;
mod export;
mod healthcheck;
mod help;
mod migrate;
mod postgres;
mod proxy;
mod queries;
mod read_only;
mod search;
mod settings;
mod sim;
mod sqlite_tools;
mod status;
mod terminal;
mod update;
mod updates_off;
mod verify;

use serde_json::Value;
use tvshows_testkit::TestEnv;

/// Runs a command that must succeed and returns its stdout.
async fn stdout_of(env: &TestEnv, arguments: &[&str]) -> String {
    let output = env.tvshows(arguments).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    text(output.stdout)
}

/// Runs a command that must fail and returns its stderr.
async fn stderr_of_failure(env: &TestEnv, arguments: &[&str]) -> String {
    let output = env.tvshows(arguments).output().await.unwrap();
    let error = text(output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(!error.contains("panicked"), "{error}");
    error
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
