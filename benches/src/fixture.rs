use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, ServerProcess};

/// The number of shows at TVmaze.
pub(crate) const SHOWS: u32 = 84_670;
/// The number of index pages of these shows.
pub(crate) const PAGES: u64 = 361;

/// A directory with the database of a full run.
pub(crate) struct Fixture {
    directory: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> anyhow::Result<Fixture> {
        let fixture = Fixture { directory: tempfile::tempdir()? };
        let simulator = simulator(&[])?;
        let arguments = ["update", "--base-url", &simulator.base_url, "--database-path"];
        let mut update = process::tvshows(&arguments)?;
        update.arg(fixture.path("tvshows.db"));
        process::run(&update)?;
        Ok(fixture)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn database(&self) -> String {
        self.path("tvshows.db").display().to_string()
    }

    /// A service with this database.
    pub(crate) fn service(&self, arguments: &[&str]) -> anyhow::Result<ServerProcess> {
        process::service(&self.database(), arguments)
    }

    /// Writes a Lua script with which `wrk` requests these paths in turn.
    pub(crate) fn wrk_script(&self, name: &str, paths: &[String]) -> anyhow::Result<PathBuf> {
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

/// A simulator with the shows of [`Fixture`].
pub(crate) fn simulator(arguments: &[&str]) -> anyhow::Result<ServerProcess> {
    let shows = SHOWS.to_string();
    // The last day of the fixed dataset, so that results do not depend on today's date.
    process::simulator(&[&["--shows", &shows, "--date", "2026-07-01"], arguments].concat())
}

/// A simulator with a page that hangs, so that a full run never finishes.
pub(crate) fn hanging_simulator() -> anyhow::Result<ServerProcess> {
    simulator(&["--fault", "hang@/shows?page=200"])
}

/// Whether a run with [`hanging_simulator`] is waiting for the hanging page only.
pub(crate) fn is_hanging(status: &Value) -> bool {
    status["state"] == "running" && status["pages_done"] == PAGES - 1
}

/// Starts a run and returns the path of its status.
pub(crate) fn start_run(service: &ServerProcess, query: &str) -> anyhow::Result<String> {
    let accepted = request(service.address(), "POST", &format!("/pipeline/update{query}"))?;
    status_path(&serde_json::from_slice(&accepted)?)
}

/// The path of the status of the latest successful run.
pub(crate) fn latest_finished_run(service: &ServerProcess) -> anyhow::Result<String> {
    let runs = get_json(service, "/pipeline/runs")?;
    let mut runs = runs["runs"].as_array().into_iter().flatten();
    status_path(runs.find(|run| run["state"] == "succeeded").context("no run has succeeded")?)
}

fn status_path(run: &Value) -> anyhow::Result<String> {
    Ok(format!("/pipeline/status/{}", run["request_id"].as_str().context("no request_id")?))
}

/// Polls the status of a run until it matches, and returns that response body.
pub(crate) fn wait_until(
    service: &ServerProcess,
    path: &str,
    matches: impl Fn(&Value) -> bool,
) -> anyhow::Result<Vec<u8>> {
    loop {
        let body = request(service.address(), "GET", path)?;
        if matches(&serde_json::from_slice::<Value>(&body)?["status"]) {
            return Ok(body);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn get_json(server: &ServerProcess, path: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&request(server.address(), "GET", path)?)?)
}

/// Sends a request and returns the body of the response, which must be a success.
pub(crate) fn request(address: &str, method: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "{method} {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut response = Vec::new();
    connection.read_to_end(&mut response)?;
    ensure!(response.starts_with(b"HTTP/1.1 20"), "{path}: {}", String::from_utf8_lossy(&response));
    let head_end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    Ok(response.split_off(head_end.context("a response without a body")? + 4))
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
        let process = process.context("cannot run redis-server; `make bench` installs it")?;
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
