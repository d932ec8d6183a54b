//! Many subscribers to one run, beside an actix stream that does nothing but send as much as often.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::constant;
use crate::program::Program;
use crate::report::Report;
use crate::spread::{Spread, Target};
use crate::world::{self, World};

const SUBSCRIBERS: usize = 5000;
const SECONDS: f64 = 8.0;
/// Answers of the stand-in take so many milliseconds: eight under way at a time make ten changes a second and more.
const LATENCY: &str = "500";
/// How an event tells when the change was made.
const MARK: &[u8] = b"\"updated_at\":\"";

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let (mut service, mut constant) = (Vec::new(), Vec::new());
    let world = World::new()?;
    let simulator = world::simulator(&["--latency", LATENCY])?;
    for _ in 0..rounds {
        let program = world.service(&["--base-url", &simulator.base_url])?;
        let run = world::submit(&program, "?mode=full")?;
        world::until(&program, &run, |status: &Value| status["pages_done"].as_u64() > Some(0))?;
        service.push(subscribe(&program, &format!("{run}/events"))?);
        constant.push(subscribe(&constant::start(700)?, "/events")?);
    }
    let mut report = Report::new("events", "Subscribers to one run");
    report.paragraph(&format!(
        "{SUBSCRIBERS} connections follow one run of a service by `/pipeline/status/{{request_id}}/events` for \
         {SECONDS} s. Beside it: an actix application that sends an event of the same size to as many, ten times a \
         second. The subscribers run on the same machine, in one thread of the program that measures. Medians of \
         {rounds} rounds, least and greatest in brackets."
    ));
    let row = |what: &str, figure: fn(&Followed) -> f64, target: Option<Target>| {
        let of = |rounds: &[Followed]| Spread::of(rounds.iter().map(figure));
        let judged = target.map(|target| target.judge(&of(&service))).unwrap_or_default();
        [what.to_owned(), of(&service).to_string(), of(&constant).to_string(), judged]
    };
    report.table(
        ["", "service", "constant", "target"],
        [
            row("changes a second", |each| each.changes_a_second, None),
            row("events a second, all subscribers", |each| each.events_a_second, None),
            row("processors in use", |each| each.processors, Some(Target::Below(1.0))),
            row("from change to subscriber, p50, ms", |each| each.p50, None),
            row("from change to subscriber, p99, ms", |each| each.p99, Some(Target::Below(250.0))),
            row("memory a subscriber, kB", |each| each.memory / 1000.0, Some(Target::Below(20.0))),
        ],
    );
    Ok(report)
}

/// What the subscribers of a round saw, and what it cost the program.
struct Followed {
    changes_a_second: f64,
    events_a_second: f64,
    processors: f64,
    p50: f64,
    p99: f64,
    memory: f64,
}

fn subscribe(program: &Program, path: &str) -> anyhow::Result<Followed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, follow(program, path))
}

async fn follow(program: &Program, path: &str) -> anyhow::Result<Followed> {
    let memory = program.memory()?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut subscribers = Vec::with_capacity(SUBSCRIBERS);
    for _ in 0..SUBSCRIBERS {
        let mut connection = TcpStream::connect(program.address()).await?;
        let ask = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
        connection.write_all(ask.as_bytes()).await?;
        subscribers.push(tokio::task::spawn_local(read(connection, Rc::clone(&seen))));
    }
    while seen.borrow().subscribers < SUBSCRIBERS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let memory = program.memory()? - memory;
    *seen.borrow_mut() = Seen::default();
    let (cpu, begin) = (program.cpu_seconds()?, Instant::now());
    tokio::time::sleep(Duration::from_secs_f64(SECONDS)).await;
    let (cpu, seconds) = (program.cpu_seconds()? - cpu, begin.elapsed().as_secs_f64());
    for subscriber in subscribers {
        subscriber.abort();
    }
    let mut seen = seen.borrow_mut();
    seen.delays.sort_by(f64::total_cmp);
    let quantile = |percent: usize| {
        seen.delays.get(seen.delays.len() * percent / 100).copied().context("no event came")
    };
    let events = count(seen.delays.len());
    Ok(Followed {
        changes_a_second: events / count(SUBSCRIBERS) / seconds,
        events_a_second: events / seconds,
        processors: cpu / seconds,
        p50: quantile(50)?,
        p99: quantile(99)?,
        memory: memory / count(SUBSCRIBERS),
    })
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

#[derive(Default)]
struct Seen {
    /// Those that have got their first event.
    subscribers: usize,
    /// Milliseconds from each change to each subscriber.
    delays: Vec<f64>,
    /// The last moment that was read, which others get too.
    moment: (Vec<u8>, Timestamp),
}

async fn read(mut connection: TcpStream, seen: Rc<RefCell<Seen>>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 4096];
    let mut is_first = true;
    loop {
        let length = connection.read(&mut buffer).await?;
        anyhow::ensure!(length > 0, "the stream ended");
        let mut rest = &buffer[..length];
        while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
            rest = &rest[at + MARK.len()..];
            let moment = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
            let mut seen = seen.borrow_mut();
            seen.count(moment)?;
            seen.subscribers += usize::from(std::mem::take(&mut is_first));
        }
    }
}

impl Seen {
    fn count(&mut self, moment: &[u8]) -> anyhow::Result<()> {
        if self.moment.0 != moment {
            self.moment = (moment.to_vec(), std::str::from_utf8(moment)?.parse()?);
        }
        let delay = Timestamp::now().duration_since(self.moment.1);
        self.delays.push(delay.as_secs_f64() * 1000.0);
        Ok(())
    }
}
