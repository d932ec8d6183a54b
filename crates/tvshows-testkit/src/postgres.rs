use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::wait::TIMEOUT;
use crate::{eventually, free_port};

/// Reads nothing, and stops the server and deletes the folder `$0` when the test process ends, even by a signal.
const REAPER: &str = "trap '' HUP INT TERM; cat >/dev/null; \
    [ ! -e \"$0/data/postmaster.pid\" ] || kill -9 $(head -n 1 \"$0/data/postmaster.pid\") 2>/dev/null; \
    until rm -rf \"$0\" 2>/dev/null; do sleep 0.1; done";

/// A PostgreSQL server with a folder of its own; dropping it kills it.
///
/// It trusts every connection from this machine, whatever the password.
pub struct PostgresServer {
    /// The port it listens on.
    pub port: u16,
    process: Mutex<Option<Child>>,
    folder: Folder,
}

impl PostgresServer {
    /// Starts a server and waits until it is ready.
    pub async fn start() -> PostgresServer {
        static TEMPLATE: OnceCell<Folder> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(Folder::initialized).await;
        let folder = Folder::new();
        run(as_server("cp").arg("-R").arg(template.data()).arg(&folder.path)).await;
        PostgresServer::start_in(folder).await
    }

    /// Starts a standby that copies and then follows the server at a port of this machine, which may be that of a
    /// [`FaultProxy`](crate::FaultProxy) in front of it. It answers queries.
    pub async fn start_standby(primary: u16) -> PostgresServer {
        let folder = Folder::new();
        let mut copy = as_server(binary("pg_basebackup"));
        copy.args(["-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1", "-U", "postgres"]);
        run(copy.args(["-p", &primary.to_string(), "-D"]).arg(folder.data())).await;
        PostgresServer::start_in(folder).await
    }

    async fn start_in(folder: Folder) -> PostgresServer {
        loop {
            let process = spawn(&folder, free_port());
            if let Some((process, port)) = wait_until_ready(process, &folder).await {
                return PostgresServer { port, process: Mutex::new(Some(process)), folder };
            }
        }
    }

    /// Makes a standby the primary.
    pub async fn promote(&self) {
        assert_eq!(self.psql(&self.url("postgres"), "SELECT pg_promote()").await, "t");
    }

    /// Waits until a standby of this server has everything that was committed.
    pub async fn wait_for_standby(&self) {
        let url = self.url("postgres");
        let sql =
            "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
        eventually(async || self.psql(&url, sql).await == "1").await;
    }

    /// The server that all tests of this process share, each with a database of its own. It ends with the process.
    pub async fn shared() -> &'static PostgresServer {
        static SHARED: OnceCell<PostgresServer> = OnceCell::const_new();
        SHARED.get_or_init(PostgresServer::start).await
    }

    /// Creates an empty database and returns its URL.
    pub async fn create_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Relaxed));
        // Of the strategies, this copies the template's files instead of logging each page.
        let sql = format!("CREATE DATABASE {name} STRATEGY file_copy");
        self.psql(&self.url("postgres"), &sql).await;
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL with `psql` and returns the rows, a line each, with `|` between the columns.
    pub async fn psql(&self, url: &str, sql: &str) -> String {
        let mut psql = tokio::process::Command::new(binary("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
        let output = psql.output().await.unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The folder with the server's data and configuration.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.data()
    }

    /// Makes the server offer TLS on its next start, and returns the path of its certificate, which is for `localhost` and
    /// signed by itself.
    pub async fn enable_tls(&self) -> PathBuf {
        let mut openssl = as_server("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-keyout").arg(self.data_folder().join("server.key"));
        run(openssl.arg("-out").arg(self.data_folder().join("server.crt"))).await;
        let settings = self.data_folder().join("postgresql.auto.conf");
        fs::write(settings, "ssl = on\n").unwrap();
        self.data_folder().join("server.crt")
    }

    /// Stops the server, which closes all connections first.
    pub async fn stop(&self) {
        let Some(mut process) = self.process().take() else { return };
        kill("-INT", &[process.id().to_string()]).await;
        wait(&mut process).await;
    }

    /// Kills all processes of the server with SIGKILL, as the system does when it runs out of memory.
    pub async fn kill(&self) {
        let Some(mut process) = self.process().take() else { return };
        let parent = process.id().to_string();
        let children = Command::new("pgrep").args(["-P", &parent]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        kill("-KILL", &[parent]).await;
        wait(&mut process).await;
        let children: Vec<_> = children.lines().map(str::to_owned).collect();
        while kill("-KILL", &children).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Its process id may soon be another one's.
        fs::remove_file(self.folder.data().join("postmaster.pid")).unwrap();
    }

    /// Starts the server again, on the same port, after [`stop`](Self::stop) or [`kill`](Self::kill).
    pub async fn restart(&self) {
        assert!(self.process().is_none(), "it is running");
        let started = wait_until_ready(spawn(&self.folder, self.port), &self.folder).await;
        let (process, _) = started.expect("its port is still free");
        *self.process() = Some(process);
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.folder.remove();
        if let Some(mut process) = self.process().take() {
            let _ = process.wait();
        }
    }
}

/// A folder that is deleted when this process ends.
struct Folder {
    path: PathBuf,
    reaper: Child,
}

impl Folder {
    fn new() -> Folder {
        let path = tempfile::Builder::new().prefix("postgres-").tempdir().unwrap().keep();
        let mut reaper = Command::new("sh");
        reaper.args(["-c", REAPER]).arg(&path).stdin(Stdio::piped());
        let reaper = reaper.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(&path).status().unwrap().success());
        }
        Folder { path, reaper }
    }

    /// A folder with an empty cluster, which takes a second to make.
    async fn initialized() -> Folder {
        let folder = Folder::new();
        let mut initdb = as_server(binary("initdb"));
        initdb.args(["-N", "--locale=C.UTF-8", "--encoding=UTF8", "-A", "trust", "-U", "postgres"]);
        run(initdb.arg("-D").arg(folder.data())).await;
        folder
    }

    fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    fn remove(&mut self) {
        drop(self.reaper.stdin.take());
        let _ = self.reaper.wait();
    }
}

/// Starts the server without waiting for anything to reach the disk.
fn spawn(folder: &Folder, port: u16) -> (Child, u16) {
    let log = File::options().create(true).append(true).open(folder.path.join("log")).unwrap();
    let mut server = as_server(binary("postgres"));
    server.arg("-D").arg(folder.data()).args(["-p", &port.to_string()]);
    server.arg("-k").arg(&folder.path);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=32MB"] {
        server.args(["-c", setting]);
    }
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    (server.spawn().unwrap(), port)
}

/// Returns the server when it accepts connections; `None` if its port is in use.
async fn wait_until_ready(
    (mut process, port): (Child, u16),
    folder: &Folder,
) -> Option<(Child, u16)> {
    let is_ready = || {
        let state = fs::read_to_string(folder.data().join("postmaster.pid")).unwrap_or_default();
        state.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    };
    let started = async {
        while !is_ready() {
            if process.try_wait().unwrap().is_some() {
                let log = fs::read_to_string(folder.path.join("log")).unwrap();
                assert!(log.contains("could not bind"), "the server ended: {log}");
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    };
    let is_started = tokio::time::timeout(TIMEOUT, started).await.expect("the server starts");
    is_started.then_some((process, port))
}

async fn wait(process: &mut Child) {
    let ended = async {
        while process.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, ended).await.expect("the server ends");
}

/// Sends a signal, and returns whether at least one of the processes existed.
async fn kill(signal: &str, processes: &[String]) -> bool {
    let mut kill = tokio::process::Command::new("kill");
    let kill = kill.arg(signal).args(processes).stderr(Stdio::null());
    !processes.is_empty() && kill.status().await.unwrap().success()
}

async fn run(command: &mut Command) {
    let mut command = tokio::process::Command::from(std::mem::replace(command, Command::new("")));
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A command with the rights of the server, which refuses to run as root.
pub(crate) fn as_server(program: impl AsRef<Path>) -> Command {
    let program = program.as_ref();
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    // The current folder may be one that the server's user cannot read.
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// The path of a program of PostgreSQL. Debian has those of the server in a folder that is not in the `PATH`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = versions
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&in_path).map(|folder| folder.join(name));
    let found = found.pop().or_else(|| in_path.into_iter().find(|path| path.exists()));
    found.expect("PostgreSQL is not installed; `make test` installs it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_server_has_what_was_committed() {
        let server = PostgresServer::start().await;
        let url = server.create_database().await;
        server.psql(&url, "CREATE TABLE t AS SELECT 1").await;
        server.kill().await;
        server.restart().await;
        assert_eq!(server.psql(&url, "SELECT * FROM t").await, "1");
        server.stop().await;
        server.restart().await;
        assert_eq!(server.psql(&url, "SELECT * FROM t").await, "1");
        let folder = server.folder.path.clone();
        drop(server);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_standby_follows_its_primary_and_is_promoted() {
        let primary = PostgresServer::start().await;
        let standby = PostgresServer::start_standby(primary.port).await;
        let url = primary.create_database().await;
        primary.psql(&url, "CREATE TABLE t AS SELECT 1 n").await;
        primary.wait_for_standby().await;
        primary.kill().await;
        let database = url.rsplit('/').next().unwrap();
        standby.promote().await;
        standby.psql(&standby.url(database), "INSERT INTO t VALUES (2)").await;
        assert_eq!(standby.psql(&standby.url(database), "SELECT sum(n) FROM t").await, "3");
    }
}
