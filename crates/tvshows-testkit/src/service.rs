use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{TestEnv, terminate};

/// A running `tvshows serve`; dropping it kills it.
pub struct Service {
    /// The process.
    pub process: Child,
    /// Where it listens, such as `http://127.0.0.1:41234`.
    pub base_url: String,
    http: reqwest::Client,
}

impl Service {
    /// Serves the database of `env` on a free port, with more arguments.
    pub async fn start(env: &TestEnv, arguments: &[&str]) -> Service {
        Service::spawn(env.tvshows(&[&["serve", "--port", "0"], arguments].concat())).await
    }

    /// Runs a `serve` command and waits until it listens.
    pub async fn spawn(command: Command) -> Service {
        Service::spawn_with_log(command, Stdio::null()).await
    }

    /// Like [`Service::spawn`], with its log written to `log`.
    pub async fn spawn_with_log(mut command: Command, log: impl Into<Stdio>) -> Service {
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the service starts");
        let base_url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let base_url = base_url.expect("it prints its URL").to_owned();
        // One connection per request, because the server closes idle ones at any time.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Service { process, base_url, http }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap()
    }

    /// Builds a GET request.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.base_url))
    }

    /// Builds a POST request.
    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base_url))
    }

    /// Builds a HEAD request.
    pub fn head(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.head(format!("{}{path}", self.base_url))
    }

    /// The JSON body of a GET.
    pub async fn json(&self, path: &str) -> Value {
        json_body(self.get(path).send().await.unwrap()).await
    }

    /// Submits a run and returns its id.
    pub async fn submit(&self, query: &str) -> String {
        let response = self.post(&format!("/pipeline/update{query}")).send().await.unwrap();
        assert_eq!(response.status(), 202);
        json_body(response).await["request_id"].as_str().unwrap().to_owned()
    }

    /// Submits a run to an upstream with a [`HANGING_PAGE`](crate::HANGING_PAGE), and waits until it has staged all
    /// other pages.
    pub async fn submit_and_stall(&self, query: &str) -> String {
        let run = self.submit(query).await;
        self.wait_until(&run, |status| status["pages_done"] == 9).await;
        run
    }

    /// Follows a run by long polls until a condition holds, and returns that status.
    pub async fn wait_until(&self, run: &str, is_reached: impl Fn(&Value) -> bool) -> Value {
        let mut signature = String::new();
        loop {
            let poll = self.get(&format!("/pipeline/status/{run}?wait=30"));
            let response = poll.header("previous_signature", &signature).send().await.unwrap();
            if response.status() == 204 {
                continue;
            }
            assert_eq!(response.status(), 200);
            let body = json_body(response).await;
            if is_reached(&body["status"]) {
                return body["status"].clone();
            }
            body["signature"].as_str().unwrap().clone_into(&mut signature);
        }
    }

    /// Follows a run to its end and returns its last status.
    pub async fn wait_for_end(&self, run: &str) -> Value {
        let ends = ["succeeded", "failed", "cancelled"];
        self.wait_until(run, |status| ends.iter().any(|end| status["state"] == *end)).await
    }

    /// Sends SIGTERM and waits for the exit.
    pub async fn terminate(&mut self) -> ExitStatus {
        terminate(&self.process).await;
        self.process.wait().await.unwrap()
    }
}

/// The body of a response as JSON.
pub async fn json_body(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}
