//! Several services on one PostgreSQL database.

mod balancer;
mod clocks;
mod commits;
mod copies;
mod failover;
mod outages;
mod partitions;
mod sharing;
mod takeover;
mod upgrades;

use futures::future::join_all;
use serde_json::Value;
use tokio::process::Command;
use tvshows_testkit::{PostgresServer, Service, TestEnv, dump_content, eventually};

/// The settings of services that share a database.
struct Replicas<'a> {
    env: TestEnv,
    server: &'a PostgresServer,
    url: String,
}

impl Replicas<'static> {
    /// With a database on the server of all tests.
    async fn new(faults: &[&str]) -> Replicas<'static> {
        Replicas::on(PostgresServer::shared().await, faults).await
    }
}

impl<'a> Replicas<'a> {
    /// With a database on a server of the test's own.
    async fn on(server: &'a PostgresServer, faults: &[&str]) -> Replicas<'a> {
        let url = server.create_database().await;
        Replicas { env: TestEnv::new(faults).await, server, url }
    }

    /// The command that starts a replica with a name. Its copy has that name.
    fn command(&self, name: &str) -> Command {
        let mut command = self.env.tvshows(&["serve", "--port", "0"]);
        command.env("DATABASE_URL", &self.url).env("DATABASE_PATH", format!("{name}.db"));
        command
    }

    async fn start(&self, name: &str) -> Service {
        Service::spawn(self.command(name)).await
    }

    /// Starts a replica that connects to the server through a port.
    async fn start_through(&self, port: u16, name: &str) -> Service {
        let mut command = self.command(name);
        command.env("DATABASE_URL", self.url_through(port));
        Service::spawn(command).await
    }

    /// Starts a replica that runs no updates.
    async fn start_serving(&self, name: &str) -> Service {
        let mut command = self.command(name);
        command.env("UPDATES", "off");
        Service::spawn(command).await
    }

    fn url_through(&self, port: u16) -> String {
        self.url.replace(&format!(":{}/", self.server.port), &format!(":{port}/"))
    }

    async fn start_three(&self) -> [Service; 3] {
        [self.start("a").await, self.start("b").await, self.start("c").await]
    }

    async fn sql(&self, sql: &str) -> String {
        self.server.psql(&self.url, sql).await
    }

    /// The state of each run in the history, oldest first.
    async fn run_states(&self) -> Vec<String> {
        let states = self.sql("SELECT state FROM runs ORDER BY sequence").await;
        states.lines().map(str::to_owned).collect()
    }

    /// How many snapshots were published.
    async fn snapshots(&self) -> usize {
        self.sql("SELECT count(*) FROM _snapshots").await.parse().unwrap()
    }

    /// The content of the copy with a name.
    fn content(&self, name: &str) -> String {
        dump_content(&self.env.path(&format!("{name}.db")))
    }
}

/// Runs an update with `top` top shows.
async fn update(service: &Service, top: usize) {
    let run = service.submit(&format!("?mode=full&top={top}")).await;
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], "succeeded", "{status}");
}

/// How many top shows a service returns.
async fn top_shows(service: &Service) -> usize {
    service.json("/shows/top_shows?limit=100").await.as_array().map_or(0, Vec::len)
}

/// Waits until each service has a snapshot with `top` top shows. After the end of an update, this is only necessary because
/// a replica may take longer than a second, as when it fills its copy on a slow machine.
async fn wait_for_copies(services: &[&Service], top: usize) {
    for service in services {
        eventually(async || top_shows(service).await == top).await;
    }
}

/// The value of a metric of a service.
async fn metric(service: &Service, name: &str) -> String {
    let text = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("there is no {name}")).to_owned()
}

/// The metrics that only replicas have, as documented.
fn replica_metrics() -> impl Iterator<Item = &'static str> {
    let rows = include_str!("../../docs/operations.md").lines();
    let names = rows.filter_map(|line| line.strip_prefix("| `tvshows_replica_"));
    names.map(|name| name.split('`').next().unwrap())
}

/// The last event of the stream of a run, which ends with it.
async fn last_event(service: &Service, run: &str) -> Value {
    let events = service.get(&format!("/pipeline/status/{run}/events")).send().await.unwrap();
    let events = events.text().await.unwrap();
    let last = events.trim_end().rsplit("data: ").next().unwrap();
    serde_json::from_str(last.lines().next().unwrap()).unwrap()
}

/// The status codes of requests that read, at each service.
async fn read_all(services: &[Service]) -> Vec<u16> {
    let paths = [
        "/shows?q=the&limit=3",
        "/shows/1",
        "/shows/top_shows",
        "/shows/stats",
        "/export/top_shows.csv",
        "/tvmaze/updates/shows",
    ];
    let requests = services.iter().flat_map(|service| paths.map(|path| service.get(path).send()));
    join_all(requests)
        .await
        .into_iter()
        .map(|response| response.unwrap().status().as_u16())
        .collect()
}
