//! The shell that runs the commands of documents.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tvmaze_sim::Dataset;
use tvshows_testkit::{ScriptedSimulator, Service, TestEnv, ten_pages};

/// An environment with a service and a home folder.
pub(crate) struct Shell {
    pub(crate) env: TestEnv,
    pub(crate) service: Option<Service>,
    /// A finished run.
    pub(crate) run: String,
    /// The stdout of the last block.
    pub(crate) printed: String,
    home: TempDir,
}

impl Shell {
    pub(crate) async fn new() -> Shell {
        let simulator = ScriptedSimulator::start_with(game_of_thrones(), Duration::ZERO).await;
        let env = TestEnv::with_simulator(simulator);
        let service = Service::start(&env, &[]).await;
        let run = service.submit("").await;
        assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
        let home = tempfile::tempdir().unwrap();
        // curl fails on statuses from 400, and uses no proxy.
        let settings = "fail-with-body\nsilent\nshow-error\nmax-time = 60\nnoproxy = \"*\"\n";
        std::fs::write(home.path().join(".curlrc"), settings).unwrap();
        for folder in [".config/fish/completions", ".local/share/bash-completion/completions"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        Shell { env, service: Some(service), run, printed: String::new(), home }
    }

    /// A shell command with the binary on its path and no settings from the environment.
    pub(crate) fn command(&self, commands: &str) -> Command {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_tvshows")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", commands]).current_dir(self.env.folder()).kill_on_drop(true);
        shell.env_clear().env("PATH", path).env("HOME", self.home.path());
        shell.env("TVMAZE_BASE_URL", self.env.simulator.base_url());
        shell
    }

    /// Replaces the addresses and ids of the documents with those of this environment.
    pub(crate) fn substitute(&self, commands: &str, run: &str) -> String {
        let service = self.service.as_ref().map_or("", |service| &service.base_url);
        let simulator = self.env.simulator.base_url();
        let port = |url: &str| format!("--port {}", url.rsplit(':').next().unwrap());
        commands
            .replace("http://localhost:8000", service)
            .replace("--port 8000", &port(service))
            .replace("--port 8080", &port(&simulator))
            // Nothing listens there.
            .replace("redis://localhost", "redis://127.0.0.1:1")
            .replace("REQUEST_ID", run)
    }
}

/// A synthetic data set where show 82 is Game of Thrones, and a top show.
fn game_of_thrones() -> Dataset {
    let synthetic = ten_pages();
    let folder = tempfile::tempdir().unwrap();
    for kind in ["pages", "cast"] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
    }
    let this_year = jiff::Zoned::now().year();
    for page in 0.. {
        let Some(body) = synthetic.page(page) else { break };
        let mut shows: Vec<Value> = serde_json::from_slice(&body).unwrap();
        if let Some(show) = shows.iter_mut().find(|show| show["id"] == 82) {
            show["name"] = json!("Game of Thrones");
            show["language"] = json!("English");
            show["genres"] = json!(["Drama", "Action", "Fantasy"]);
            show["premiered"] = json!(format!("{this_year}-01-01"));
            show["rating"] = json!({"average": 10});
            show["externals"] = json!({"tvrage": 24493, "thetvdb": 121_361, "imdb": "tt0944947"});
        }
        let file = folder.path().join(format!("pages/{page}.json"));
        std::fs::write(file, serde_json::to_vec(&shows).unwrap()).unwrap();
        for id in shows.iter().filter_map(|show| u32::try_from(show["id"].as_u64()?).ok()) {
            if let Some(cast) = synthetic.cast(id) {
                std::fs::write(folder.path().join(format!("cast/{id}.json")), cast).unwrap();
            }
        }
    }
    Dataset::recorded(folder.path()).unwrap()
}
