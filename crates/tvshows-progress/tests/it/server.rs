//! A `redis-server` for one test. The end-to-end tests use this file too.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct RedisServer {
    pub(crate) port: u16,
    process: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it is ready.
    pub(crate) async fn start() -> RedisServer {
        loop {
            if let Some(server) = RedisServer::start_on(free_port()).await {
                return server;
            }
        }
    }

    /// Starts a server on a port. Returns `None` if the port is in use.
    pub(crate) async fn start_on(port: u16) -> Option<RedisServer> {
        RedisServer::start_with(port, &["--port", &port.to_string()]).await
    }

    /// Starts a server with options that make it listen on `port`.
    pub(crate) async fn start_with(port: u16, options: &[&str]) -> Option<RedisServer> {
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

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, and returns the port for another server.
    pub(crate) async fn kill(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.port
    }
}

/// Returns a free port, a different one for each call. It is below the ephemeral ports, so that no outgoing
/// connection takes it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
