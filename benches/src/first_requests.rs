//! The latency of requests that nobody has sent before, compared with the same requests sent again.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context;

use crate::fixture::{self, Fixture, SHOWS};
use crate::http_throughput::percent_encode;
use crate::process::ServerProcess;
use crate::report::Report;
use crate::statistics::{Samples, Target, legend, percentile};

/// How many letters of a name a search has.
const LENGTHS: [usize; 5] = [1, 2, 3, 6, 12];
const MAX_SEARCHES: usize = 250;

/// Latencies in milliseconds.
#[derive(Default)]
struct Latencies {
    first: Vec<f64>,
    again: Vec<f64>,
}

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let fixture = Fixture::new()?;
    let (mut list, mut text, mut stats) =
        (Latencies::default(), Latencies::default(), Latencies::default());
    let mut searches: Vec<[Latencies; 2]> = LENGTHS.map(|_| Default::default()).into();
    for _ in 0..rounds {
        let service = fixture.service(&["--base-url", "http://127.0.0.1:9"])?;
        list.add(&service, "/shows?limit=1")?;
        text.add(&service, "/shows?limit=1&q=a")?;
        stats.add(&service, "/shows/stats")?;
        let names = names(&service)?;
        for (length, [p50, p99]) in LENGTHS.into_iter().zip(&mut searches) {
            let mut round = Latencies::default();
            for path in searches_for(&names, length) {
                round.add(&service, &path)?;
            }
            round.sort();
            for (percent, latencies) in [(50, p50), (99, p99)] {
                latencies.first.push(percentile(&round.first, percent)?);
                latencies.again.push(percentile(&round.again, percent)?);
            }
        }
    }
    let mut report = Report::new("first-requests", "First requests");
    report.paragraph(&format!(
        "Requests that nobody has sent since the start of the service, one at a time, with a database of {SHOWS} shows, in \
         this order. The first list waits until the facets and orders are in memory, and the first search until the words \
         are. Then: up to {MAX_SEARCHES} searches for the first letters of names, each once. Baseline: the same request \
         sent again, which is answered from the cache. {}",
        legend(rounds)
    ));
    let mut rows = vec![
        list.row("list right after the start, ms", None),
        text.row("search right after it, ms", None),
        stats.row("statistics, ms", Some(5.0)),
    ];
    for (length, [p50, p99]) in LENGTHS.into_iter().zip(&searches) {
        let letters = if length == 1 { "1 letter".into() } else { format!("{length} letters") };
        rows.push(p50.row(&format!("search for {letters}, p50, ms"), Some(4.0)));
        rows.push(p99.row(&format!("search for {letters}, p99, ms"), Some(15.0)));
    }
    report.table(["request", "first", "again", "target"], rows);
    Ok(report)
}

impl Latencies {
    /// Sends a request twice.
    fn add(&mut self, service: &ServerProcess, path: &str) -> anyhow::Result<()> {
        for latencies in [&mut self.first, &mut self.again] {
            let start = Instant::now();
            fixture::request(service.address(), "GET", path)?;
            latencies.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.first.sort_by(f64::total_cmp);
        self.again.sort_by(f64::total_cmp);
    }

    fn row(&self, name: &str, target: Option<f64>) -> [String; 4] {
        let [first, again] =
            [&self.first, &self.again].map(|all| Samples::new(all.iter().copied()));
        let verdict = target.map(|target| Target::Below(target).verdict(&first));
        [name.to_owned(), first.to_string(), again.to_string(), verdict.unwrap_or_default()]
    }
}

/// The names of the most and the least recently changed shows.
fn names(service: &ServerProcess) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for sort in ["updated", "-updated"] {
        let path = format!("/shows?limit=1000&sort={sort}&fields=name");
        let body = fixture::get_json(service, &path)?;
        let shows = body["shows"].as_array().context("no shows")?;
        names.extend(shows.iter().filter_map(|show| show["name"].as_str().map(str::to_owned)));
    }
    Ok(names)
}

/// The paths of searches for the first letters of names.
fn searches_for(names: &[String], length: usize) -> impl Iterator<Item = String> {
    let texts: BTreeSet<String> =
        names.iter().map(|name| name.chars().take(length).collect()).collect();
    let step = texts.len().div_ceil(MAX_SEARCHES);
    texts.into_iter().step_by(step).map(|text| format!("/shows?q={}", percent_encode(&text)))
}
