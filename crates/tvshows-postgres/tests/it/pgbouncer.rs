//! The store behind pgbouncer in transaction mode, which gives each transaction any session of the server.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tvshows_core::conformance::fixtures::show;
use tvshows_core::{RunQueue, SnapshotSource};
use tvshows_testkit::{PostgresServer, eventually, free_port};

use crate::support::{Copy, TestStore, publish};

struct PgBouncer {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    async fn start(server: &PostgresServer) -> PgBouncer {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let configuration = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = any\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\n",
            server.port
        );
        // It has to name the user of the server with this type of authentication.
        let settings = settings.replace("port=", "user=postgres port=");
        std::fs::write(&configuration, settings).unwrap();
        let process = command()
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("pgbouncer is not installed; `make test` installs it");
        eventually(async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok())
            .await;
        PgBouncer { port, _process: process, _folder: folder }
    }
}

/// It refuses to run as root, unless it can change to another user.
fn command() -> Command {
    let daemon = Path::new("/usr/sbin/pgbouncer");
    let mut command = Command::new(if daemon.exists() { daemon } else { Path::new("pgbouncer") });
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() == b"0" {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        command.arg(daemon);
    }
    command
}

#[tokio::test]
async fn works_through_a_pooler_in_transaction_mode() {
    let server = PostgresServer::shared().await;
    let direct = TestStore::new().await;
    let pooler = PgBouncer::start(server).await;
    let url = direct.url.replace(&format!(":{}/", server.port), &format!(":{}/", pooler.port));
    assert_ne!(url, direct.url);
    let store = TestStore::at(url);
    store.migrate().await.unwrap();
    for weight in 0..5 {
        let shows = (1..1500).map(|id| tvshows_core::Show { weight: Some(weight), ..show(id) });
        publish(&store, shows.collect(), &[1, 2]).await;
        // More connections than the pooler has sessions.
        let reads = (0..8).map(|_| store.list(9));
        for runs in futures::future::join_all(reads).await {
            assert!(!runs.unwrap().is_empty());
        }
        let (one, other) = tokio::join!(Copy::full(&store), Copy::full(&direct));
        assert_eq!(one, other);
    }
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}
