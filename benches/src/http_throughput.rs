//! HTTP throughput and latency, compared with an actix handler that returns a constant body of the same size.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use crate::baseline_server;
use crate::fixture::{self, Fixture, Redis, SHOWS};
use crate::process::ServerProcess;
use crate::report::Report;
use crate::statistics::{Samples, Target, legend, percentile};
use crate::wrk::{self, WrkResult};

const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 2;
const MAX_SEARCHES: usize = 500;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("serving", "HTTP throughput and latency");
    report.paragraph(&format!(
        "`wrk` with one thread and {CONNECTIONS} connections for {SECONDS} s, on the same machine as the service, with a \
         database of {SHOWS} shows. Baseline, in alternating rounds: an actix application without middleware that \
         responds with a constant body of the same size. {}",
        legend(rounds)
    ));
    let head = [
        "endpoint",
        "service, requests/s",
        "baseline, requests/s",
        "ratio",
        "target",
        "service, CPU µs/request",
        "baseline, CPU µs/request",
    ];
    report.table(head, throughput(rounds)?);
    report.paragraph(&format!(
        "Latency. Searches: up to {MAX_SEARCHES} texts, each the first one to twelve letters of a show's name; one at a \
         time, first uncached and then cached, and in turn on {CONNECTIONS} connections. \
         Status: requested during a full run on {CONNECTIONS} connections, as fast as they allow."
    ));
    report.table(["request", "p50, ms", "p99, ms", "target"], latencies(rounds)?);
    Ok(report)
}

fn latencies(rounds: usize) -> anyhow::Result<Vec<[String; 4]>> {
    let fixture = Fixture::new()?;
    let simulator = fixture::simulator(&[])?;
    let (mut uncached, mut cached, mut concurrent, mut status) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let service = fixture.service(&["--base-url", &simulator.base_url])?;
        let searches = searches(&service)?;
        uncached.push(sequential_latency(&service, &searches)?);
        cached.push(sequential_latency(&service, &searches)?);
        let script = fixture.wrk_script("searches.lua", &searches)?;
        let url = format!("{}/shows", service.base_url);
        let result = wrk::run(&url, CONNECTIONS, SECONDS, Some(&script))?;
        concurrent.push((result.p50_ms, result.p99_ms));
        let run = fixture::start_run(&service, "?mode=full")?;
        let url = format!("{}{run}", service.base_url);
        let result = wrk::run(&url, CONNECTIONS, SECONDS, None)?;
        status.push((result.p50_ms, result.p99_ms));
        fixture::wait_until(&service, &run, |status| status["state"] == "succeeded")?;
    }
    let row = |name: &str, rounds: &[(f64, f64)]| {
        let p50 = Samples::new(rounds.iter().map(|(p50, _)| *p50));
        let p99 = Samples::new(rounds.iter().map(|(_, p99)| *p99));
        let verdict = Target::Below(20.0).verdict(&p99);
        [name.to_owned(), p50.to_string(), p99.to_string(), verdict]
    };
    Ok(vec![
        row("search, uncached", &uncached),
        row("search, cached", &cached),
        row(&format!("search, cached, {CONNECTIONS} connections"), &concurrent),
        row("status during a full run", &status),
    ])
}

/// The paths of searches for prefixes of names.
fn searches(service: &ServerProcess) -> anyhow::Result<Vec<String>> {
    let shows = shows(service)?;
    let names = shows.iter().filter_map(|show| show["name"].as_str());
    let prefixes = names.enumerate().map(|(index, name)| {
        let prefix: String = name.chars().take(1 + index % 12).collect();
        prefix.to_lowercase()
    });
    let mut texts: Vec<_> = prefixes.collect();
    texts.sort();
    texts.dedup();
    texts.truncate(MAX_SEARCHES);
    Ok(texts.iter().map(|text| format!("/shows?q={}", percent_encode(text))).collect())
}

/// Percent-encodes every byte, so that no character needs special treatment.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    })
}

/// The 50th and the 99th percentile of the latency in milliseconds.
fn sequential_latency(service: &ServerProcess, paths: &[String]) -> anyhow::Result<(f64, f64)> {
    let mut latencies = Vec::new();
    for path in paths {
        let start = Instant::now();
        fixture::request(service.address(), "GET", path)?;
        latencies.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    latencies.sort_by(f64::total_cmp);
    Ok((percentile(&latencies, 50)?, percentile(&latencies, 99)?))
}

fn throughput(rounds: usize) -> anyhow::Result<Vec<[String; 7]>> {
    let fixture = Fixture::new()?;
    let simulator = fixture::hanging_simulator()?;
    let redis = Redis::start()?;
    let arguments = ["--base-url", &simulator.base_url, "--redis-url", &redis.url];
    let local = fixture.service(&arguments[..2])?;
    let run = fixture::start_run(&local, "?mode=full")?;
    fixture::wait_until(&local, &run, fixture::is_hanging)?;
    let shows: Vec<_> =
        shows(&local)?.iter().map(|show| format!("/shows/{}", show["id"])).collect();
    let shows = fixture.wrk_script("shows.lua", &shows)?;
    // Two instances with one database: the first one runs the update, the second one gets the requests.
    let shared = Fixture::new()?;
    let (first, second) = (shared.service(&arguments)?, shared.service(&arguments)?);
    let remote_run = fixture::start_run(&first, "?mode=full")?;
    fixture::wait_until(&second, &remote_run, fixture::is_hanging)?;
    let finished_run = fixture::latest_finished_run(&second)?;
    let scenarios = [
        Scenario::new("status of a local run", &local, &run, Target::AtLeast(0.8)),
        Scenario::new(
            "status of a run in another process, through Redis",
            &second,
            &remote_run,
            Target::AtLeast(0.5),
        ),
        Scenario::new("status of a finished run", &second, &finished_run, Target::AtLeast(0.8)),
        Scenario::new("top shows", &local, "/shows/top_shows", Target::AtLeast(0.8)),
        Scenario {
            script: Some(&shows),
            ..Scenario::new("show by id, 1,000 in turn", &local, "/shows/1", Target::AtLeast(0.6))
        },
    ];
    scenarios.iter().map(|scenario| scenario.row(rounds)).collect()
}

/// The most popular shows.
fn shows(service: &ServerProcess) -> anyhow::Result<Vec<Value>> {
    let path = "/shows?limit=1000&sort=-weight&fields=id,name";
    let body = fixture::get_json(service, path)?;
    body["shows"].as_array().cloned().context("no shows")
}

/// A path of a service, or the paths of a `wrk` script, to measure.
struct Scenario<'a> {
    name: &'static str,
    service: &'a ServerProcess,
    path: &'a str,
    script: Option<&'a Path>,
    target: Target,
}

impl<'a> Scenario<'a> {
    fn new(
        name: &'static str,
        service: &'a ServerProcess,
        path: &'a str,
        target: Target,
    ) -> Scenario<'a> {
        Scenario { name, service, path, script: None, target }
    }

    fn row(&self, rounds: usize) -> anyhow::Result<[String; 7]> {
        let size = fixture::request(self.service.address(), "GET", self.path)?.len();
        let baseline_server = baseline_server::start(size)?;
        let (mut service, mut baseline) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            service.push(Round::run(self.service, self.path, self.script)?);
            baseline.push(Round::run(&baseline_server, self.path, self.script)?);
        }
        let figures = |rounds: &[Round], figure: fn(&Round) -> f64| -> Vec<f64> {
            rounds.iter().map(figure).collect()
        };
        let rate = |round: &Round| round.wrk.requests_per_second;
        let cpu = |round: &Round| round.cpu_seconds / round.wrk.requests * 1e6;
        let (service_rate, baseline_rate) = (figures(&service, rate), figures(&baseline, rate));
        let ratio = Samples::ratio(&service_rate, &baseline_rate);
        Ok([
            format!("{} ({size} bytes)", self.name),
            Samples::new(service_rate).to_string(),
            Samples::new(baseline_rate).to_string(),
            ratio.to_string(),
            self.target.verdict(&ratio),
            Samples::new(figures(&service, cpu)).to_string(),
            Samples::new(figures(&baseline, cpu)).to_string(),
        ])
    }
}

struct Round {
    wrk: WrkResult,
    cpu_seconds: f64,
}

impl Round {
    fn run(server: &ServerProcess, path: &str, script: Option<&Path>) -> anyhow::Result<Round> {
        let before = server.cpu_seconds()?;
        let url = format!("{}{path}", server.base_url);
        let wrk = wrk::run(&url, CONNECTIONS, SECONDS, script)?;
        Ok(Round { wrk, cpu_seconds: server.cpu_seconds()? - before })
    }
}
