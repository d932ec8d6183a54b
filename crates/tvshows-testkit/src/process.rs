use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

/// The variables that the binary gets from the environment of the tests; none of them is a setting.
const INHERITED: [&str; 4] = ["PATH", "SystemRoot", "TMPDIR", "LLVM_PROFILE_FILE"];

/// The `tvshows` binary that Cargo built for the running tests, without any settings from the environment.
pub fn tvshows(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.env_clear();
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) fn binary() -> PathBuf {
    let variable = std::env::var_os("CARGO_BIN_EXE_tvshows");
    variable.map(PathBuf::from).expect("`cargo test` of the package `tvshows` names its binary")
}

/// The path of a program that may be where only root's `PATH` has it.
pub(crate) fn daemon(name: &str) -> PathBuf {
    let in_sbin = Path::new("/usr/sbin").join(name);
    if in_sbin.exists() { in_sbin } else { PathBuf::from(name) }
}

/// Sends SIGTERM, as `docker stop` does.
pub async fn terminate(process: &Child) {
    signal(process, "-TERM").await;
}

/// Sends a signal, such as `-STOP`.
pub async fn signal(process: &Child, signal: &str) {
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
}
