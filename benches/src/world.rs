use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{self, Program};

/// As many shows as TVmaze has.
pub(crate) const SHOWS: u32 = 84_670;
/// The last one is not full.
pub(crate) const PAGES: u64 = 361;

/// A folder with the database of a full run.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> anyhow::Result<World> {
        let world = World { folder: tempfile::tempdir()? };
        let simulator = simulator(&[])?;
        let arguments = ["update", "--base-url", &simulator.base_url, "--database-path"];
        let mut update = program::tvshows(&arguments)?;
        update.arg(world.path("tvshows.db"));
        program::run(&update)?;
        Ok(world)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> String {
        self.path("tvshows.db").display().to_string()
    }

    /// A service on the database.
    pub(crate) fn service(&self, arguments: &[&str]) -> anyhow::Result<Program> {
        program::service(&self.database(), arguments)
    }

    /// A Lua script for wrk: each request asks for one of these paths, in turn.
    pub(crate) fn script(&self, name: &str, paths: &[String]) -> anyhow::Result<PathBuf> {
        let quoted: Vec<_> = paths.iter().map(|path| format!("{path:?}")).collect();
        let script = format!(
            "local paths = {{ {} }}\nlocal next = 0\n\
             request = function() next = next % #paths + 1; return wrk.format('GET', paths[next]) end\n",
            quoted.join(", ")
        );
        let file = self.path(name);
        std::fs::write(&file, script)?;
        Ok(file)
    }
}

/// The stand-in of TVmaze with the catalogue of the database.
pub(crate) fn simulator(arguments: &[&str]) -> anyhow::Result<Program> {
    program::simulator(&[&["--shows", &SHOWS.to_string()], arguments].concat())
}

/// The same, with a page that never comes: a run of it stays under way.
pub(crate) fn hanging_simulator() -> anyhow::Result<Program> {
    simulator(&["--fault", "hang@/shows?page=200"])
}

/// Whether such a run has come to where it stays.
pub(crate) fn hangs(status: &Value) -> bool {
    status["state"] == "running" && status["pages_done"] == PAGES - 1
}

/// Asks for a run. Gives the path of its status.
pub(crate) fn submit(service: &Program, query: &str) -> anyhow::Result<String> {
    let accepted = ask(service.address(), "POST", &format!("/pipeline/update{query}"))?;
    let accepted: Value = serde_json::from_slice(&accepted)?;
    Ok(format!("/pipeline/status/{}", accepted["request_id"].as_str().context("no request_id")?))
}

/// The path of the status of the last run that is over.
pub(crate) fn newest_ended(service: &Program) -> anyhow::Result<String> {
    let runs: Value = serde_json::from_slice(&ask(service.address(), "GET", "/pipeline/runs")?)?;
    let mut runs = runs["runs"].as_array().into_iter().flatten();
    let ended = runs.find(|run| run["state"] == "succeeded").context("no run is over")?;
    Ok(format!("/pipeline/status/{}", ended["request_id"].as_str().context("no request_id")?))
}

/// Waits until a run's status is as wanted. Gives the body that says so.
pub(crate) fn until(
    service: &Program,
    path: &str,
    is_reached: impl Fn(&Value) -> bool,
) -> anyhow::Result<Vec<u8>> {
    loop {
        let body = ask(service.address(), "GET", path)?;
        if is_reached(&serde_json::from_slice::<Value>(&body)?["status"]) {
            return Ok(body);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The body of an answer, which must be a good one of a known length.
pub(crate) fn ask(address: &str, method: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "{method} {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 20"), "{path}: {}", String::from_utf8_lossy(&answer));
    let body =
        answer.windows(4).position(|end| end == b"\r\n\r\n").context("an answer without end")? + 4;
    Ok(answer.split_off(body))
}

/// A `redis-server` on a free port.
pub(crate) struct Redis {
    process: std::process::Child,
    pub(crate) url: String,
}

impl Redis {
    pub(crate) fn start() -> anyhow::Result<Redis> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).spawn();
        let process = process.context("redis-server is not installed; `make bench` installs it")?;
        let redis = Redis { process, url: format!("redis://127.0.0.1:{port}") };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
