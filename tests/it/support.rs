//! The binary, a database of a test's own, and TVmaze's stand-in.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tvmaze_sim::{Dataset, Fault, SimConfig, Simulator};

/// Ten pages of shows.
pub(crate) fn catalogue() -> Dataset {
    Dataset::synthetic(2300, 1)
}

pub(crate) fn behaviour(faults: &[&str]) -> SimConfig {
    let faults = faults.iter().map(|fault| fault.parse::<Fault>().unwrap()).collect();
    SimConfig { faults, ..SimConfig::default() }
}

/// A folder with a database, and a TVmaze.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new(faults: &[&str]) -> World {
        World::of(catalogue(), behaviour(faults)).await
    }

    pub(crate) async fn of(catalogue: Dataset, behaviour: SimConfig) -> World {
        let simulator = Simulator::start("127.0.0.1:0", catalogue, behaviour).await;
        World { simulator: simulator.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("tvshows.db")
    }

    /// The binary with this world's settings and no others.
    pub(crate) fn tvshows(&self, arguments: &[&str]) -> Command {
        let mut command = tvshows(arguments);
        command.current_dir(self.folder.path());
        command.env("TVMAZE_BASE_URL", self.simulator.base_url());
        command
    }

    /// Does an update of everything in a process of its own.
    pub(crate) async fn update(&self) -> Output {
        self.tvshows(&["update", "--mode", "full"]).output().await.unwrap()
    }

    pub(crate) fn tables(&self) -> String {
        crate::tables::dump(&self.database())
    }

    pub(crate) fn content(&self) -> String {
        crate::content::content(&self.database())
    }

    /// What an undisturbed update makes of the upstream, in a database of its own.
    pub(crate) async fn truth(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("truth.db");
        let arguments = ["update", "--database-path", database.to_str().unwrap()];
        assert!(self.tvshows(&arguments).output().await.unwrap().status.success());
        crate::content::content(&database)
    }

    /// Waits until the newest run has staged so many pages.
    pub(crate) async fn staged(&self, pages: u32) {
        let staged = || -> rusqlite::Result<u32> {
            let newest = "SELECT pages_done FROM Runs ORDER BY sequence DESC LIMIT 1";
            rusqlite::Connection::open(self.database())?.query_row(newest, [], |row| row.get(0))
        };
        // The database may not be there yet.
        eventually(async || staged().is_ok_and(|staged| staged == pages)).await;
    }

    /// The state of each run in the history, oldest first.
    pub(crate) fn states(&self) -> Vec<String> {
        let history = rusqlite::Connection::open(self.database()).unwrap();
        let mut select = history.prepare("SELECT state FROM Runs ORDER BY sequence").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// The binary, with none of the settings of whoever runs the tests.
pub(crate) fn tvshows(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tvshows"));
    for setting in [
        "DATABASE_PATH",
        "REDIS_URL",
        "SCHEDULE",
        "MAX_AGE",
        "TVMAZE_BASE_URL",
        "HOST",
        "PORT",
        "CORS_ORIGINS",
        "API_TOKEN",
        "POST_RATE_LIMIT",
        "LOG_FORMAT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TVSHOWS_CONFIG",
        "RUST_LOG",
    ] {
        command.env_remove(setting);
    }
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A service that runs.
pub(crate) struct Service {
    pub(crate) process: Child,
    pub(crate) base_url: String,
    http: reqwest::Client,
}

impl Service {
    pub(crate) async fn start(world: &World, arguments: &[&str]) -> Service {
        let mut all = vec!["serve", "--port", "0"];
        all.extend_from_slice(arguments);
        Service::spawn(world.tvshows(&all)).await
    }

    /// Starts a `serve` and waits until it says where it listens.
    pub(crate) async fn spawn(command: Command) -> Service {
        Service::spawn_with_log(command, Stdio::null()).await
    }

    /// The same, with a place for its log.
    pub(crate) async fn spawn_with_log(mut command: Command, log: Stdio) -> Service {
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the service starts");
        let base_url = line.split_whitespace().nth(1).unwrap().to_owned();
        // A connection each: the server closes one that is idle when it likes.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Service { process, base_url, http }
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.base_url))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base_url))
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        json(self.get(path).send().await.unwrap()).await
    }

    /// Asks for a run. Gives its id.
    pub(crate) async fn submit(&self, query: &str) -> String {
        let answer = self.post(&format!("/pipeline/update{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        json(answer).await["request_id"].as_str().unwrap().to_owned()
    }

    /// Follows a run by long polls until `is_reached`. Gives the status.
    pub(crate) async fn until(&self, run: &str, is_reached: impl Fn(&Value) -> bool) -> Value {
        let mut signature = String::new();
        loop {
            let poll = self.get(&format!("/pipeline/status/{run}?wait=30"));
            let answer = poll.header("previous_signature", &signature).send().await.unwrap();
            if answer.status() == 204 {
                continue;
            }
            assert_eq!(answer.status(), 200);
            let body = json(answer).await;
            if is_reached(&body["status"]) {
                return body["status"].clone();
            }
            body["signature"].as_str().unwrap().clone_into(&mut signature);
        }
    }

    pub(crate) async fn end_of(&self, run: &str) -> Value {
        let ends = ["succeeded", "failed", "cancelled"];
        self.until(run, |status| ends.iter().any(|end| status["state"] == *end)).await
    }

    /// SIGTERM, as `docker stop` sends it.
    #[cfg(unix)]
    pub(crate) async fn terminate(&mut self) -> std::process::ExitStatus {
        terminate(&self.process).await;
        self.process.wait().await.unwrap()
    }
}

#[cfg(unix)]
pub(crate) async fn terminate(process: &Child) {
    signal(process, "-TERM").await;
}

#[cfg(unix)]
pub(crate) async fn signal(process: &Child, signal: &str) {
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
}

pub(crate) async fn json(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Asks again and again until the answer is yes; half a minute is a hang.
pub(crate) async fn eventually(mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    };
    let answered = tokio::time::timeout(std::time::Duration::from_secs(30), asking).await;
    answered.expect("it never came to be");
}
