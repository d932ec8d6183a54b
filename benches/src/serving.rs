//! Requests a second, beside an actix handler that answers with a constant body of the same size.

use std::path::Path;

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
    Ok(report)
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
