//! A `redis-server` of a test's own. The end-to-end tests use this file too.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct RedisServer {
    pub(crate) port: u16,
    process: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) async fn start() -> RedisServer {
        loop {
            if let Some(server) = RedisServer::start_on(free_port()).await {
                return server;
            }
        }
    }

    /// Starts a server on a port; `None` where somebody else took that meanwhile.
    pub(crate) async fn start_on(port: u16) -> Option<RedisServer> {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is not installed; `make test` installs it");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("Ready to accept connections") {
                // Read on, so that the server never waits for a full pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(RedisServer { port, process, _folder: folder });
            }
        }
        None
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once. Gives the port, for another server to take its place.
    pub(crate) async fn kill(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.port
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
