//! The latency of requests that nobody has sent before, compared with the same requests sent again.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use anyhow::Context;

use crate::fixture::{self, Fixture, SHOWS};
use crate::http_throughput::percent_encode;
use crate::incremental_runs::record_next_day;
use crate::process::{self, ServerProcess};
use crate::report::Report;
use crate::statistics::{Samples, Target, legend, percentile};

/// How many letters of a name a search has.
const LENGTHS: [usize; 5] = [1, 2, 3, 6, 12];
const MAX_SEARCHES: usize = 250;
const ORDERS: [&str; 5] = ["name", "rating", "premiered", "updated", "weight"];
/// How many clients ask the same new search at once.
const HERD: usize = 64;
/// The words of the search of a herd: a phrase of a frequent word, the slowest kind of search.
const HERD_PHRASE_WORDS: usize = 127;
/// How many clients ask for the statistics at once after a publish.
const CLIENTS_AFTER_PUBLISH: usize = 32;

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
    let [mut lists_p50, mut lists_max] = <[Latencies; 2]>::default();
    let (mut one, mut herd) = (Latencies::default(), Latencies::default());
    for _ in 0..rounds {
        let service = fixture.service(&["--base-url", "http://127.0.0.1:9"])?;
        list.add(&service, "/shows?limit=1")?;
        text.add(&service, "/shows?limit=1&q=a")?;
        stats.add(&service, "/shows/stats")?;
        let mut round = Latencies::default();
        for path in lists() {
            round.add(&service, &path)?;
        }
        round.sort();
        lists_p50.add_percentile(&round, 50)?;
        lists_max.add_percentile(&round, 99)?;
        let names = names(&service)?;
        for (length, [p50, p99]) in LENGTHS.into_iter().zip(&mut searches) {
            let mut round = Latencies::default();
            for path in searches_for(&names, length) {
                round.add(&service, &path)?;
            }
            round.sort();
            p50.add_percentile(&round, 50)?;
            p99.add_percentile(&round, 99)?;
        }
        // The limits differ, so that the second response is not cached either.
        let phrase = ["a"; HERD_PHRASE_WORDS].join("-");
        one.add(&service, &format!("/shows?limit=20&q={phrase}"))?;
        herd.add_at_once(&service, &format!("/shows?limit=21&q={phrase}"), HERD)?;
    }
    let mut report = Report::new("first-requests", "First requests");
    report.paragraph(&format!(
        "Requests that nobody has sent since the start of the service, one at a time, with a database of {SHOWS} shows, in \
         this order. The first list waits until the facets and orders are in memory, and the first search until the words \
         are. Then: the first page in each of {} orders, with and without a genre; up to {MAX_SEARCHES} searches for the \
         first letters of names, each once; and a slow search, first by one client and then, with another limit, by {HERD} \
         clients at once, of which the last one counts. Baseline: the same requests sent again, which are answered from \
         the cache. {}",
        2 * ORDERS.len(),
        legend(rounds)
    ));
    let mut rows = vec![
        list.row("list right after the start, ms", None),
        text.row("search right after it, ms", None),
        stats.row("statistics, ms", Some(5.0)),
        lists_p50.row("list, p50, ms", None),
        lists_max.row("list, slowest, ms", Some(5.0)),
    ];
    for (length, [p50, p99]) in LENGTHS.into_iter().zip(&searches) {
        let letters = if length == 1 { "1 letter".into() } else { format!("{length} letters") };
        rows.push(p50.row(&format!("search for {letters}, p50, ms"), Some(4.0)));
        rows.push(p99.row(&format!("search for {letters}, p99, ms"), Some(15.0)));
    }
    rows.push(one.row("slow search by one client, ms", None));
    rows.push(herd.row(&format!("slow search by {HERD} clients, the last, ms"), None));
    let ratio = |herd: &[f64], one: &[f64]| Samples::ratio(herd, one);
    let first = ratio(&herd.first, &one.first);
    let verdict = Target::Below(1.5).verdict(&first);
    let again = ratio(&herd.again, &one.again).to_string();
    rows.push([format!("{HERD} clients / one client"), first.to_string(), again, verdict]);
    report.table(["request", "first", "again", "target"], rows);
    after_publish(&mut report, &fixture, rounds)?;
    Ok(report)
}

/// Measures the first requests after an update with the changes of a day.
fn after_publish(report: &mut Report, fixture: &Fixture, rounds: usize) -> anyhow::Result<()> {
    let directory = fixture.path("tomorrow");
    record_next_day(&fixture::simulator(&[])?, &directory)?;
    let tomorrow = process::simulator(&["--data", &directory.display().to_string()])?;
    let [mut stats, mut top, mut list, mut search] = <[Latencies; 4]>::default();
    for _ in 0..rounds {
        let copy = fixture.path("copy.db");
        std::fs::copy(fixture.database(), &copy)?;
        let service =
            process::service(&copy.display().to_string(), &["--base-url", &tomorrow.base_url])?;
        // So that the service has everything in memory.
        for path in ["/shows/stats", "/shows?q=a"] {
            fixture::request(service.address(), "GET", path)?;
        }
        let run = fixture::start_run(&service, "")?;
        fixture::wait_until(&service, &run, |status| status["state"] == "succeeded")?;
        stats.add_at_once(&service, "/shows/stats", CLIENTS_AFTER_PUBLISH)?;
        top.add(&service, "/shows/top_shows")?;
        list.add(&service, "/shows?sort=-rating&genre=Drama")?;
        search.add(&service, "/shows?q=the")?;
    }
    report.paragraph(&format!(
        "The same after the service has published an update with the changes of a day; the statistics are requested by \
         {CLIENTS_AFTER_PUBLISH} clients at once, of which the last one counts:"
    ));
    report.table(
        ["request", "first", "again", "target"],
        [
            stats.row(&format!("statistics, {CLIENTS_AFTER_PUBLISH} clients, ms"), None),
            top.row("top shows, ms", None),
            list.row("list, ms", None),
            search.row("search, ms", None),
        ],
    );
    Ok(())
}

impl Latencies {
    /// Sends a request twice.
    fn add(&mut self, service: &ServerProcess, path: &str) -> anyhow::Result<()> {
        self.add_at_once(service, path, 1)
    }

    /// Sends a request from several clients at once, twice. The slowest one counts.
    fn add_at_once(
        &mut self,
        service: &ServerProcess,
        path: &str,
        clients: usize,
    ) -> anyhow::Result<()> {
        for latencies in [&mut self.first, &mut self.again] {
            let barrier = Barrier::new(clients);
            let send = || {
                barrier.wait();
                let start = Instant::now();
                fixture::request(service.address(), "GET", path)?;
                anyhow::Ok(start.elapsed().as_secs_f64() * 1000.0)
            };
            let slowest = thread::scope(|scope| {
                let clients: Vec<_> = (0..clients).map(|_| scope.spawn(send)).collect();
                let results = clients.into_iter().map(|it| it.join().expect("no client panics"));
                results.collect::<anyhow::Result<Vec<_>>>()
            });
            latencies.push(slowest?.into_iter().fold(0.0, f64::max));
        }
        Ok(())
    }

    /// Adds a percentile of sorted latencies.
    fn add_percentile(&mut self, sorted: &Latencies, percent: usize) -> anyhow::Result<()> {
        self.first.push(percentile(&sorted.first, percent)?);
        self.again.push(percentile(&sorted.again, percent)?);
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

/// The paths of the first page in each order, in both directions, with and without a genre.
fn lists() -> impl Iterator<Item = String> {
    let orders = ORDERS.iter().flat_map(|order| [(*order).to_owned(), format!("-{order}")]);
    orders.flat_map(|order| {
        [format!("/shows?sort={order}"), format!("/shows?sort={order}&genre=Drama")]
    })
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
