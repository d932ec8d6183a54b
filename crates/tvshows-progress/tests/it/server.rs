//! A `redis-server` of a test's own, on a Unix port that nobody else has.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct RedisServer {
    pub(crate) url: String,
    pub(crate) process: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) async fn start() -> RedisServer {
        loop {
            // The port may be taken between here and there; Redis then ends, and we try another.
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if let Some(server) = RedisServer::start_on(port).await {
                return server;
            }
        }
    }

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
                let url = format!("redis://127.0.0.1:{port}");
                return Some(RedisServer { url, process, _folder: folder });
            }
        }
        None
    }

    pub(crate) async fn stop(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }
}
