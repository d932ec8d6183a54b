//! `/metrics`, and the Grafana dashboard, the alerts and the documents that name its metrics.

use std::collections::{BTreeMap, BTreeSet};
use tvshows_testkit::{RedisServer, Service, TestEnv, eventually};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const DASHBOARD: &str = include_str!("../../../docs/operations/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../../docs/operations/alerts.yaml");

/// A parsed response.
struct Exposition {
    types: BTreeMap<String, String>,
    /// The values by name and labels, as written.
    series: BTreeMap<String, f64>,
}

impl Exposition {
    async fn fetch(service: &Service) -> Exposition {
        let response = service.get("/metrics").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Exposition::parse(&response.text().await.unwrap())
    }

    fn parse(text: &str) -> Exposition {
        let mut read = Exposition { types: BTreeMap::new(), series: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(line) = line.strip_prefix("# TYPE ") {
                let (name, kind) = line.split_once(' ').unwrap();
                assert!(read.types.insert(name.into(), kind.into()).is_none(), "{name} twice");
            } else if !line.starts_with("# HELP ") {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(read.series.insert(series.into(), value).is_none(), "{series} twice");
            }
        }
        read
    }

    /// The sum of all series of a metric with these labels.
    fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let has = |series: &str| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            own == name && labels.iter().all(|label| rest.contains(label))
        };
        self.series
            .iter()
            .filter(|(series, _)| has(series))
            .fold(0.0, |sum, (_, value)| sum + value)
    }

    fn count(&self, name: &str, labels: &[&str]) -> u64 {
        let sum = self.sum(name, labels);
        assert!(sum >= 0.0 && sum.fract() == 0.0, "{name} {labels:?}: {sum}");
        format!("{sum:.0}").parse().unwrap()
    }
}

/// Whether a word is the name of one of our metrics.
fn is_metric(name: &str) -> bool {
    let ours = ["tvshows_", "tvmaze_client_", "process_"];
    ours.iter().any(|prefix| name.starts_with(prefix))
}

/// The metrics in an expression, without the suffixes of histograms.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    words.filter(|word| is_metric(word)).map(|word| family(word).to_owned()).collect()
}

fn family(name: &str) -> &str {
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
    part.unwrap_or(name)
}

#[tokio::test]
async fn a_run_is_counted_as_the_upstream_counts_it() {
    let faults = ["status:500*1@/shows?page=4", "status:429*1@/shows?page=6"];
    let env = TestEnv::new(&faults).await;
    let service = Service::start(&env, &[]).await;
    let before = Exposition::fetch(&service).await;
    assert_eq!(
        before.count("tvshows_runs_total", &[r#"state="failed""#]),
        0,
        "what grows is there"
    );
    let run = service.submit("?mode=full").await;
    let status = service.wait_for_end(&run).await;
    assert_eq!(status["state"], "succeeded");
    // The counter moves just after clients see the end of the run.
    let mut after = before;
    eventually(async || {
        after = Exposition::fetch(&service).await;
        after.count("tvshows_runs_total", &[r#"state="succeeded""#]) == 1
    })
    .await;
    let requests = |labels: &[&str]| after.count("tvmaze_client_requests_total", labels);
    assert_eq!(requests(&[]), env.simulator.request_count());
    assert_eq!(requests(&[r#"outcome="status_5xx""#, r#"endpoint="/shows""#]), 1);
    assert_eq!(requests(&[r#"outcome="rate_limited""#]), 1);
    assert_eq!(requests(&[r#"endpoint="/updates/shows""#, r#"outcome="ok""#]), 1);
    assert_eq!(requests(&[r#"endpoint="/shows/:id/cast""#, r#"outcome="ok""#]), 10);
    assert_eq!(after.count("tvmaze_client_retries_total", &[]), 2);
    let measured = after.count("tvmaze_client_request_duration_seconds_count", &[]);
    assert_eq!(measured, env.simulator.request_count());
    assert!(after.count("tvmaze_client_received_bytes_total", &[]) > 100_000);

    assert_eq!(after.count("tvshows_runs_total", &[]), 1);
    assert_eq!(Some(after.count("tvshows_shows", &[])), status["shows_seen"].as_u64());
    let transactions = "tvshows_store_transaction_duration_seconds_count";
    assert!((1..=10).contains(&after.count(transactions, &[r#"kind="stage_pages""#])));
    assert_eq!(after.count(transactions, &[r#"kind="publish""#]), 1);
    for step in ["Planning", "Fetching all shows", "Fetching cast", "Publishing"] {
        let label = format!("step=\"{step}\"");
        let ended = after.count("tvshows_run_step_duration_seconds_count", &[&label]);
        assert_eq!(ended, 1, "{step}");
    }
    // How the data is split depends on the last checkpoint of the WAL.
    let sizes = ["tvshows_store_database_bytes", "tvshows_store_wal_bytes"];
    let data: f64 = sizes.iter().map(|size| after.sum(size, &[])).sum();
    assert!(data > 100_000.0, "{data}");
    assert!(after.sum("tvshows_store_free_bytes", &[]) > 0.0);
}

#[tokio::test]
async fn a_restarted_service_knows_the_last_success() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    let runs = service.json("/pipeline/runs?limit=1").await;
    let finished = runs["runs"][0]["finished_at"].as_str().unwrap().to_owned();
    let told = Exposition::fetch(&service).await;
    let last = told.count("tvshows_last_success_timestamp_seconds", &[]);
    let finished: jiff::Timestamp = finished.parse().unwrap();
    assert_eq!(last, finished.as_second().unsigned_abs());
    assert_eq!(Some(told.count("tvshows_shows", &[])), runs["runs"][0]["shows_seen"].as_u64());
    assert_eq!(told.count("tvshows_runs_total", &[]), 0, "this process has done none");
}

#[tokio::test]
async fn clients_cannot_make_series() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let ask = async |round: u32| {
        for path in ["/nowhere", "/shows/7", "/shows/8/cast", "/pipeline/status/x", "/export/a.b"] {
            let path = format!("{path}{round}");
            for method in ["GET", "POST", "BREW", "PROPFIND"] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let address = format!("{}{path}", service.base_url);
                reqwest::Client::new().request(method, address).send().await.unwrap();
            }
        }
        Exposition::fetch(&service).await.series.into_keys().collect::<BTreeSet<_>>()
    };
    // The first scrape is counted in the second.
    ask(0).await;
    let (first, second) = (ask(1).await, ask(2).await);
    assert_eq!(first, second);
    assert!(first.iter().any(|series| series.contains(r#"route="none""#)));
    assert!(first.iter().any(|series| series.contains(r#"method="other""#)));
    assert!(!first.iter().any(|series| series.contains("nowhere")));
}

#[tokio::test]
async fn exposed_metrics_are_documented_and_dashboards_and_alerts_use_only_those() {
    let redis = RedisServer::start().await;
    let env = TestEnv::new(&["status:429*1@/shows?page=3"]).await;
    let service = Service::start(&env, &["--redis-url", &redis.url()]).await;
    let run = service.submit("").await;
    service.wait_for_end(&run).await;
    let stream = service.get(&format!("/pipeline/status/{run}/events")).send().await.unwrap();
    stream.text().await.unwrap();
    let told = Exposition::fetch(&service).await;
    for series in told.series.keys() {
        let name = series.split('{').next().unwrap();
        assert!(told.types.contains_key(name) || told.types.contains_key(family(name)), "{name}");
    }
    let told: BTreeSet<String> = told.types.into_keys().collect();

    let rows = OPERATIONS.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    // Those of replicas are absent without a shared database.
    let rows = rows.filter(|name| is_metric(name)).map(str::to_owned);
    let (of_replicas, documented): (BTreeSet<String>, BTreeSet<String>) =
        rows.partition(|name| name.starts_with("tvshows_replica_"));
    assert_eq!(documented, told, "docs/operations.md has a row for each metric");

    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let shown: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    let watched: Vec<&str> =
        ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(shown.len() > 20 && watched.len() >= 10);
    let told = &told | &of_replicas;
    for expression in shown.iter().chain(&watched) {
        let unknown: Vec<_> = metrics_of(expression).difference(&told).cloned().collect();
        assert!(unknown.is_empty(), "{unknown:?} in {expression}");
    }
}

#[test]
fn every_alert_has_a_runbook() {
    let alerts = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        assert!(OPERATIONS.contains(&format!("### {alert}\n")), "{alert}");
        let anchor = format!("runbook: docs/operations.md#{}\n", alert.to_lowercase());
        assert!(ALERTS.contains(&anchor), "{alert}");
    }
}
