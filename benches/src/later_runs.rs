//! Runs on a database that is there: unchanged, and a day later.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::program::{self, Program};
use crate::report::Report;
use crate::spread::{Spread, Target};
use crate::world::{self, PAGES, SHOWS, World};

const LATENCY_MS: u32 = 50;
/// Requests that the client has under way at a time.
const CONCURRENCY: f64 = 8.0;

/// What a day brings, as in TVmaze's own maps of updates: one in so many shows changes.
const CHANGED: usize = 400;
const DELETED: usize = 2_000;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("later-runs", "An unchanged run, and one a day later");
    report.paragraph(&format!(
        "`tvshows update` on the database of a full run of {SHOWS} shows. Unchanged: the simulator says what it said. A \
         day later: one in {CHANGED} shows has changed, all over the catalogue, and one in {DELETED} is gone; each answer \
         takes {LATENCY_MS} ms, and the reference is what so many answers take with {CONCURRENCY} under way at a time. \
         Medians of {rounds} rounds, least and greatest in brackets."
    ));
    let world = World::new()?;
    let today = world::simulator(&[])?;
    let folder = world.path("tomorrow");
    tomorrow(&today, &folder)?;
    let folder = folder.display().to_string();
    let latency = LATENCY_MS.to_string();
    let tomorrow = program::simulator(&["--data", &folder, "--latency", &latency])?;

    let unchanged = update(&world, &today, rounds)?;
    let later = update(&world, &tomorrow, rounds)?;
    let seconds = |runs: &[Run]| runs.iter().map(|run| run.seconds).collect::<Vec<_>>();
    let requests = |runs: &[Run]| Spread::of(runs.iter().map(|run| run.requests));
    let least = |run: &Run| run.requests * f64::from(LATENCY_MS) / 1000.0 / CONCURRENCY;
    let least: Vec<f64> = later.iter().map(least).collect();
    let (unchanged_seconds, ratio) =
        (Spread::of(seconds(&unchanged)), Spread::ratio(&seconds(&later), &least));
    let (one, soon) = (Target::Below(1.5), Target::Below(0.3));
    report.table(
        ["figure", "measured", "target"],
        [
            [
                "unchanged: requests".into(),
                requests(&unchanged).to_string(),
                one.judge(&requests(&unchanged)),
            ],
            ["unchanged: s".into(), unchanged_seconds.to_string(), soon.judge(&unchanged_seconds)],
            ["a day later: requests".into(), requests(&later).to_string(), String::new()],
            ["a day later: s".into(), Spread::of(seconds(&later)).to_string(), String::new()],
            [
                "a day later: time / (requests × latency / concurrency)".into(),
                ratio.to_string(),
                Target::Below(1.2).judge(&ratio),
            ],
        ],
    );
    Ok(report)
}

struct Run {
    seconds: f64,
    requests: f64,
}

/// Updates a copy of the database, once a round.
fn update(world: &World, upstream: &Program, rounds: usize) -> anyhow::Result<Vec<Run>> {
    let copy = world.path("copy.db");
    let run = |_| {
        std::fs::copy(world.database(), &copy)?;
        let arguments = ["update", "--json", "--base-url", &upstream.base_url, "--database-path"];
        let spent = program::run(program::tvshows(&arguments)?.arg(&copy))?;
        let outcome: Value = serde_json::from_slice(&spent.output)?;
        let requests = outcome["requests"].as_f64().context("no requests")?;
        Ok(Run { seconds: spent.seconds, requests })
    };
    (0..rounds).map(run).collect()
}

/// The simulator's catalogue a day later, as a folder of recorded answers.
fn tomorrow(today: &Program, folder: &Path) -> anyhow::Result<()> {
    let ask = |path: &str| world::ask(today.address(), "GET", path);
    std::fs::create_dir_all(folder.join("pages"))?;
    std::fs::create_dir_all(folder.join("cast"))?;
    let mut updates: Value = serde_json::from_slice(&ask("/updates/shows")?)?;
    let updates = updates.as_object_mut().context("no map of updates")?;
    let mut number = 0_usize;
    for page in 0..PAGES {
        let mut shows: Vec<Value> = serde_json::from_slice(&ask(&format!("/shows?page={page}"))?)?;
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
        std::fs::write(folder.join(format!("pages/{page}.json")), serde_json::to_vec(&shows)?)?;
    }
    Ok(std::fs::write(folder.join("updates.json"), serde_json::to_vec(&updates)?)?)
}
