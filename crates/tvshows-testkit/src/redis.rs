use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::free_port;

/// A `redis-server` with an empty database; dropping it kills it.
pub struct RedisServer {
    /// The port it listens on.
    pub port: u16,
    process: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it is ready.
    pub async fn start() -> RedisServer {
        loop {
            if let Some(server) = RedisServer::start_on(free_port()).await {
                return server;
            }
        }
    }

    /// Starts a server on a given port; `None` if the port is in use.
    pub async fn start_on(port: u16) -> Option<RedisServer> {
        RedisServer::start_with(port, &["--port", &port.to_string()]).await
    }

    /// Starts a server with options that make it listen on `port`; `None` if the port is in use.
    pub async fn start_with(port: u16, options: &[&str]) -> Option<RedisServer> {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(folder.path())
            .args(options)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is not installed; `make test` installs it");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ready to accept connections") {
                // Keep reading, so that the server never blocks on a full pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(RedisServer { port, process, _folder: folder });
            }
        }
        None
    }

    /// The URL without TLS or a password.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sends a command with `redis-cli` and returns what it prints.
    pub async fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        let output = cli.args(["-p", &self.port.to_string()]).args(command).output().await.unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Reads a field of a run's hash.
    pub async fn run_field(&self, run: &str, field: &str) -> String {
        self.cli(&["HGET", &format!("pipeline:{run}"), field]).await
    }

    /// Kills the server and returns its port, which another server can take.
    pub async fn kill(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.port
    }
}
