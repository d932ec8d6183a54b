//! Requests a second, beside an actix handler that answers with a constant body of the same size.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use crate::constant;
use crate::program::Program;
use crate::report::Report;
use crate::spread::{Spread, Target};
use crate::world::{self, Redis, SHOWS, World};
use crate::wrk::{self, Load};

const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 2;
/// So many texts are searched for at most.
const SEARCHES: usize = 500;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("serving", "Requests a second");
    report.paragraph(&format!(
        "`wrk` on one thread with {CONNECTIONS} connections for {SECONDS} s at a time, on the same machine as the \
         service, on a database of {SHOWS} shows. Beside each: an actix application without any middleware that \
         answers with a constant body of the same size, in alternating rounds. Medians of {rounds} rounds, least and \
         greatest in brackets."
    ));
    let head = [
        "answer",
        "service, requests/s",
        "constant, requests/s",
        "ratio",
        "target",
        "CPU a request, µs",
        "constant, µs",
    ];
    report.table(head, rates(rounds)?);
    report.paragraph(&format!(
        "Within how many milliseconds 99 of 100 answers come. Searches: {SEARCHES} texts, each the beginning of a name \
         in the catalogue of one to twelve letters, one after the other on one connection before and after the same \
         was asked since the last update; then in turn on {CONNECTIONS} connections. Polls: of the status of a full \
         run, on {CONNECTIONS} connections as fast as they go, from its begin to its end."
    ));
    report.table(["answers", "p50, ms", "p99, ms", "target"], delays(rounds)?);
    Ok(report)
}

fn delays(rounds: usize) -> anyhow::Result<Vec<[String; 4]>> {
    let world = World::new()?;
    let simulator = world::simulator(&[])?;
    let (mut first, mut again, mut loaded, mut polls) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let service = world.service(&["--base-url", &simulator.base_url])?;
        let searches = searches(&service)?;
        first.push(one_by_one(&service, &searches)?);
        again.push(one_by_one(&service, &searches)?);
        let script = world.script("searches.lua", &searches)?;
        let url = format!("{}/shows", service.base_url);
        let load = wrk::load(&url, CONNECTIONS, SECONDS, Some(&script))?;
        loaded.push((load.p50_milliseconds, load.p99_milliseconds));
        let run = world::submit(&service, "?mode=full")?;
        let url = format!("{}{run}", service.base_url);
        let load = wrk::load(&url, CONNECTIONS, SECONDS, None)?;
        polls.push((load.p50_milliseconds, load.p99_milliseconds));
        world::until(&service, &run, |status| status["state"] == "succeeded")?;
    }
    let row = |what: &str, rounds: &[(f64, f64)]| {
        let p50 = Spread::of(rounds.iter().map(|(p50, _)| *p50));
        let p99 = Spread::of(rounds.iter().map(|(_, p99)| *p99));
        let judged = Target::Below(20.0).judge(&p99);
        [what.to_owned(), p50.to_string(), p99.to_string(), judged]
    };
    Ok(vec![
        row("search, for the first time", &first),
        row("search, again", &again),
        row(&format!("search, again, {CONNECTIONS} connections"), &loaded),
        row("status while a full run works", &polls),
    ])
}

/// Paths of searches for beginnings of names.
fn searches(service: &Program) -> anyhow::Result<Vec<String>> {
    let shows = shows(service)?;
    let names = shows.iter().filter_map(|show| show["name"].as_str());
    let letters = names.enumerate().map(|(at, name)| {
        let begin: String = name.chars().take(1 + at % 12).collect();
        begin.to_lowercase()
    });
    let mut texts: Vec<_> = letters.collect();
    texts.sort();
    texts.dedup();
    texts.truncate(SEARCHES);
    Ok(texts.iter().map(|text| format!("/shows?q={}", encoded(text))).collect())
}

/// A text as a part of a query: every byte of it by its number.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    })
}

/// The 50th and the 99th of 100 delays of answers, in milliseconds.
fn one_by_one(service: &Program, paths: &[String]) -> anyhow::Result<(f64, f64)> {
    let mut delays = Vec::new();
    for path in paths {
        let begin = Instant::now();
        world::ask(service.address(), "GET", path)?;
        delays.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    delays.sort_by(f64::total_cmp);
    let at =
        |percent: usize| delays.get(delays.len() * percent / 100).copied().context("no search");
    Ok((at(50)?, at(99)?))
}

fn rates(rounds: usize) -> anyhow::Result<Vec<[String; 7]>> {
    let world = World::new()?;
    let simulator = world::hanging_simulator()?;
    let redis = Redis::start()?;
    let arguments = ["--base-url", &simulator.base_url, "--redis-url", &redis.url];
    let (alone, other) = (world.service(&arguments[..2])?, World::new()?);
    let run = world::submit(&alone, "?mode=full")?;
    world::until(&alone, &run, world::hangs)?;
    let shows: Vec<_> =
        shows(&alone)?.iter().map(|show| format!("/shows/{}", show["id"])).collect();
    let shows = world.script("shows.lua", &shows)?;
    // The one works, and the other is asked.
    let (works, asked) = (other.service(&arguments)?, other.service(&arguments)?);
    let shared = world::submit(&works, "?mode=full")?;
    world::until(&asked, &shared, world::hangs)?;
    let ended = world::newest_ended(&asked)?;
    let subjects = [
        Subject::new("status of a run under way", &alone, &run, Target::AtLeast(0.8)),
        Subject::new(
            "status of a run of another process, by Redis",
            &asked,
            &shared,
            Target::AtLeast(0.5),
        ),
        Subject::new("status of a run of the history", &asked, &ended, Target::AtLeast(0.8)),
        Subject::new("top list", &alone, "/shows/top_shows", Target::AtLeast(0.8)),
        Subject {
            script: Some(&shows),
            ..Subject::new("show by id, 1,000 in turn", &alone, "/shows/1", Target::AtLeast(0.6))
        },
    ];
    subjects.iter().map(|subject| subject.row(rounds)).collect()
}

/// The shows that people ask for.
fn shows(service: &Program) -> anyhow::Result<Vec<Value>> {
    let path = "/shows?limit=1000&sort=-weight&fields=id,name";
    let body: Value = serde_json::from_slice(&world::ask(service.address(), "GET", path)?)?;
    body["shows"].as_array().cloned().context("no shows")
}

/// A path of a service, or the paths of a script.
struct Subject<'a> {
    what: &'static str,
    service: &'a Program,
    path: &'a str,
    script: Option<&'a Path>,
    target: Target,
}

impl<'a> Subject<'a> {
    fn new(what: &'static str, service: &'a Program, path: &'a str, target: Target) -> Subject<'a> {
        Subject { what, service, path, script: None, target }
    }

    fn row(&self, rounds: usize) -> anyhow::Result<[String; 7]> {
        let size = world::ask(self.service.address(), "GET", self.path)?.len();
        let constant = constant::start(size)?;
        let (mut measured, mut referred) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            measured.push(Round::of(self.service, self.path, self.script)?);
            referred.push(Round::of(&constant, self.path, self.script)?);
        }
        let figures = |rounds: &[Round], figure: fn(&Round) -> f64| -> Vec<f64> {
            rounds.iter().map(figure).collect()
        };
        let rate = |round: &Round| round.load.requests_a_second;
        let cpu = |round: &Round| round.cpu_seconds / round.load.requests * 1e6;
        let (service, reference) = (figures(&measured, rate), figures(&referred, rate));
        let ratio = Spread::ratio(&service, &reference);
        Ok([
            format!("{} ({size} bytes)", self.what),
            Spread::of(service).to_string(),
            Spread::of(reference).to_string(),
            ratio.to_string(),
            self.target.judge(&ratio),
            Spread::of(figures(&measured, cpu)).to_string(),
            Spread::of(figures(&referred, cpu)).to_string(),
        ])
    }
}

struct Round {
    load: Load,
    cpu_seconds: f64,
}

impl Round {
    fn of(program: &Program, path: &str, script: Option<&Path>) -> anyhow::Result<Round> {
        let before = program.cpu_seconds()?;
        let url = format!("{}{path}", program.base_url);
        let load = wrk::load(&url, CONNECTIONS, SECONDS, script)?;
        Ok(Round { load, cpu_seconds: program.cpu_seconds()? - before })
    }
}
