use std::fs;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::port::{free_port, wait_until_listening};
use crate::postgres::{PostgresServer, as_server};
use crate::process::daemon;

/// A `pgbouncer` in transaction mode in front of a [`PostgresServer`]; dropping it kills it.
///
/// It shares few connections, so that one client rarely gets the same one twice.
pub struct PgBouncer {
    /// The port it listens on.
    pub port: u16,
    _process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts it, and waits until it accepts connections.
    pub async fn start(server: &PostgresServer) -> PgBouncer {
        let folder = tempfile::tempdir().unwrap();
        // Its user may be another one.
        let chmod = Command::new("chmod").arg("755").arg(folder.path()).status().await;
        assert!(chmod.unwrap().success());
        let file = folder.path().join("pgbouncer.ini");
        loop {
            let port = free_port();
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={} user=postgres\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
                 server_login_retry = 1\n",
                server.port
            );
            fs::write(&file, settings).unwrap();
            let mut command = Command::from(as_server(daemon("pgbouncer")));
            command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let process = command.kill_on_drop(true).spawn();
            let mut process = process.expect("pgbouncer is not installed; `make test` installs it");
            if wait_until_listening(&mut process, port).await {
                return PgBouncer { port, _process: process, _folder: folder };
            }
        }
    }

    /// The URL of a database, like [`PostgresServer::url`].
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/{database}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;
    use crate::postgres::binary;

    #[tokio::test]
    async fn idle_sessions_have_no_connection_to_the_server() {
        let server = PostgresServer::start().await;
        let pgbouncer = PgBouncer::start(&server).await;
        let url = pgbouncer.url("postgres");
        // More than there are connections.
        let mut sessions = Vec::new();
        for _ in 0..4 {
            let mut psql = Command::new(binary("psql"));
            psql.args(["-XqAt", "-d", &url]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut session = psql.kill_on_drop(true).spawn().unwrap();
            session.stdin.as_mut().unwrap().write_all(b"SELECT 1;\n").await.unwrap();
            let mut lines = BufReader::new(session.stdout.take().unwrap()).lines();
            assert_eq!(lines.next_line().await.unwrap().unwrap(), "1");
            sessions.push(session);
        }
    }
}
