use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{ScriptedSimulator, Service, dump_content, dump_tables, eventually, process};

/// A temporary folder with a database, and a mock TVmaze server to update it from.
pub struct TestEnv {
    /// The mock TVmaze server.
    pub simulator: ScriptedSimulator,
    folder: TempDir,
}

impl TestEnv {
    /// An environment without a database yet; the simulator follows a script of faults.
    pub async fn new(faults: &[&str]) -> TestEnv {
        TestEnv::with_simulator(ScriptedSimulator::start(faults).await)
    }

    /// An environment with another upstream.
    pub fn with_simulator(simulator: ScriptedSimulator) -> TestEnv {
        TestEnv { simulator, folder: tempfile::tempdir().unwrap() }
    }

    /// An environment whose database has been updated once.
    pub async fn published() -> TestEnv {
        let env = TestEnv::new(&[]).await;
        assert!(env.update().await.status.success());
        env
    }

    /// An environment whose database has been updated once, and a service on it.
    pub async fn published_and_served() -> (TestEnv, Service) {
        let env = TestEnv::published().await;
        let service = Service::start(&env, &[]).await;
        (env, service)
    }

    /// The folder, in which all commands run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The default path of the database.
    pub fn database(&self) -> PathBuf {
        self.path("tvshows.db")
    }

    /// Opens the database.
    pub fn connection(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// The binary with the settings of this environment and no others.
    pub fn tvshows(&self, arguments: &[&str]) -> Command {
        let mut command = process::tvshows(arguments);
        command.current_dir(self.folder());
        command.env("TVMAZE_BASE_URL", self.simulator.base_url());
        command
    }

    /// Runs a full update in a process of its own.
    pub async fn update(&self) -> Output {
        self.tvshows(&["update", "--mode", "full"]).output().await.unwrap()
    }

    /// [`dump_tables`] of the database.
    pub fn tables(&self) -> String {
        dump_tables(&self.database())
    }

    /// [`dump_content`] of the database.
    pub fn content(&self) -> String {
        dump_content(&self.database())
    }

    /// The content that an undisturbed update produces in an empty database.
    pub async fn expected_content(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("expected.db");
        let arguments = ["update", "--database-path", database.to_str().unwrap()];
        assert!(self.tvshows(&arguments).output().await.unwrap().status.success());
        dump_content(&database)
    }

    /// Waits until the newest run has staged `pages` pages.
    pub async fn wait_until_staged(&self, pages: u32) {
        let staged = || -> rusqlite::Result<u32> {
            let newest = "SELECT pages_done FROM Runs ORDER BY sequence DESC LIMIT 1";
            Connection::open(self.database())?.query_row(newest, [], |row| row.get(0))
        };
        // Until a run creates the database, every attempt fails.
        eventually(async || staged().is_ok_and(|staged| staged == pages)).await;
    }

    /// The state of each run in the history, oldest first.
    pub fn run_states(&self) -> Vec<String> {
        let history = self.connection();
        let mut select = history.prepare("SELECT state FROM Runs ORDER BY sequence").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}
