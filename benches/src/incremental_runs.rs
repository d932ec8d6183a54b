//! Runs with an existing database: without changes, and with the changes of a day.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::fixture::{self, Fixture, PAGES, SHOWS};
use crate::process::{self, ServerProcess};
use crate::report::Report;
use crate::statistics::{Samples, Target, legend};

const LATENCY_MS: u32 = 50;
/// The number of concurrent requests of the client.
const CONCURRENCY: f64 = 8.0;

/// The changes of a day, estimated from TVmaze's update maps: one in 400 shows changes, one in 2,000 is
/// deleted.
const CHANGED: usize = 400;
const DELETED: usize = 2_000;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("later-runs", "Incremental runs");
    report.paragraph(&format!(
        "`tvshows update` on the database of a full run with {SHOWS} shows. No changes: the simulator serves the same \
         data. A day later: one in {CHANGED} shows, evenly distributed, has changed and one in {DELETED} is deleted; each \
         response takes {LATENCY_MS} ms, and the baseline is the time for that many responses with {CONCURRENCY} \
         concurrent requests. {}",
        legend(rounds)
    ));
    let fixture = Fixture::new()?;
    let today = fixture::simulator(&[])?;
    let directory = fixture.path("tomorrow");
    record_next_day(&today, &directory)?;
    let directory = directory.display().to_string();
    let latency = LATENCY_MS.to_string();
    let tomorrow = process::simulator(&["--data", &directory, "--latency", &latency])?;

    let unchanged = update(&fixture, &today, rounds)?;
    let later = update(&fixture, &tomorrow, rounds)?;
    let seconds = |runs: &[Run]| runs.iter().map(|run| run.seconds).collect::<Vec<_>>();
    let requests = |runs: &[Run]| Samples::new(runs.iter().map(|run| run.requests));
    let ideal = |run: &Run| run.requests * f64::from(LATENCY_MS) / 1000.0 / CONCURRENCY;
    let ideal: Vec<f64> = later.iter().map(ideal).collect();
    let (unchanged_seconds, ratio) =
        (Samples::new(seconds(&unchanged)), Samples::ratio(&seconds(&later), &ideal));
    let (max_requests, max_seconds) = (Target::Below(1.5), Target::Below(0.3));
    report.table(
        ["figure", "measured", "target"],
        [
            [
                "no changes: requests".into(),
                requests(&unchanged).to_string(),
                max_requests.verdict(&requests(&unchanged)),
            ],
            [
                "no changes: s".into(),
                unchanged_seconds.to_string(),
                max_seconds.verdict(&unchanged_seconds),
            ],
            ["a day later: requests".into(), requests(&later).to_string(), String::new()],
            ["a day later: s".into(), Samples::new(seconds(&later)).to_string(), String::new()],
            [
                "a day later: time / (requests × latency / concurrency)".into(),
                ratio.to_string(),
                Target::Below(1.15).verdict(&ratio),
            ],
        ],
    );
    Ok(report)
}

struct Run {
    seconds: f64,
    requests: f64,
}

/// Updates a copy of the database in each round.
fn update(fixture: &Fixture, upstream: &ServerProcess, rounds: usize) -> anyhow::Result<Vec<Run>> {
    let copy = fixture.path("copy.db");
    let run = |_| {
        std::fs::copy(fixture.database(), &copy)?;
        let arguments = ["update", "--json", "--base-url", &upstream.base_url, "--database-path"];
        let usage = process::run(process::tvshows(&arguments)?.arg(&copy))?;
        let summary: Value = serde_json::from_slice(&usage.output)?;
        let requests = summary["requests"].as_f64().context("no requests")?;
        Ok(Run { seconds: usage.seconds, requests })
    };
    (0..rounds).map(run).collect()
}

/// Writes a recording of the simulator's data with the changes of a day.
pub(crate) fn record_next_day(today: &ServerProcess, directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory.join("pages"))?;
    std::fs::create_dir_all(directory.join("cast"))?;
    let mut updates = fixture::get_json(today, "/updates/shows")?;
    let updates = updates.as_object_mut().context("no update map")?;
    let mut number = 0_usize;
    for page in 0..PAGES {
        let mut shows = fixture::get_json(today, &format!("/shows?page={page}"))?;
        let shows = shows.as_array_mut().context("no shows")?;
        shows.retain_mut(|show| {
            number += 1;
            let id = show["id"].to_string();
            if number.is_multiple_of(DELETED) {
                updates.remove(&id);
                return false;
            }
            if number.is_multiple_of(CHANGED) {
                let changed = show["updated"].as_i64().unwrap_or_default() + 1;
                show["updated"] = changed.into();
                updates.insert(id, changed.into());
            }
            true
        });
        std::fs::write(directory.join(format!("pages/{page}.json")), serde_json::to_vec(shows)?)?;
    }
    Ok(std::fs::write(directory.join("updates.json"), serde_json::to_vec(&updates)?)?)
}
