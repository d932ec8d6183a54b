//! Many subscribers to the events of one run, compared with an actix stream of constant events.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::baseline_server;
use crate::fixture::{self, Fixture};
use crate::process::ServerProcess;
use crate::report::Report;
use crate::statistics::{Samples, Target, legend, percentile};

const SUBSCRIBERS: usize = 5000;
const SECONDS: f64 = 8.0;
/// The latency of the simulator in milliseconds: with eight concurrent requests, the run changes about ten
/// times per second.
const LATENCY_MS: &str = "500";
/// What precedes the time of the change in an event.
const TIMESTAMP_KEY: &[u8] = b"\"updated_at\":\"";

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let (mut service, mut baseline) = (Vec::new(), Vec::new());
    let fixture = Fixture::new()?;
    let simulator = fixture::simulator(&["--latency", LATENCY_MS])?;
    for _ in 0..rounds {
        let server = fixture.service(&["--base-url", &simulator.base_url])?;
        let run = fixture::start_run(&server, "?mode=full")?;
        fixture::wait_until(&server, &run, |status: &Value| {
            status["pages_done"].as_u64() > Some(0)
        })?;
        service.push(subscribe(&server, &format!("{run}/events"))?);
        baseline.push(subscribe(&baseline_server::start(700)?, "/events")?);
    }
    let mut report = Report::new("events", "Server-sent events");
    report.paragraph(&format!(
        "{SUBSCRIBERS} connections read `/pipeline/status/{{request_id}}/events` of one run for {SECONDS} s. Baseline: \
         an actix application that sends events of the same size to as many connections, ten times per second. The \
         subscribers run on the same machine, in one thread of the benchmark. {}",
        legend(rounds)
    ));
    let row = |name: &str, figure: fn(&StreamStats) -> f64, target: Option<Target>| {
        let samples = |rounds: &[StreamStats]| Samples::new(rounds.iter().map(figure));
        let (service, baseline) = (samples(&service), samples(&baseline));
        let verdict = target.map(|target| target.verdict(&service)).unwrap_or_default();
        [name.to_owned(), service.to_string(), baseline.to_string(), verdict]
    };
    report.table(
        ["", "service", "baseline", "target"],
        [
            row("changes per second", |stats| stats.changes_per_second, None),
            row("events per second, all subscribers", |stats| stats.events_per_second, None),
            row("CPU cores in use", |stats| stats.cpu_cores, Some(Target::Below(1.0))),
            row("delay, p50, ms", |stats| stats.p50_ms, None),
            row("delay, p99, ms", |stats| stats.p99_ms, Some(Target::Below(250.0))),
            row(
                "memory per subscriber, kB",
                |stats| stats.memory_bytes / 1000.0,
                Some(Target::Below(20.0)),
            ),
        ],
    );
    Ok(report)
}

/// What the subscribers of one round measured, and the resources that the server used.
struct StreamStats {
    changes_per_second: f64,
    events_per_second: f64,
    cpu_cores: f64,
    /// The time from a change to its event at a subscriber.
    p50_ms: f64,
    p99_ms: f64,
    /// Per subscriber.
    memory_bytes: f64,
}

fn subscribe(server: &ServerProcess, path: &str) -> anyhow::Result<StreamStats> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, collect(server, path))
}

async fn collect(server: &ServerProcess, path: &str) -> anyhow::Result<StreamStats> {
    let memory = server.memory()?;
    let received = Rc::new(RefCell::new(Received::default()));
    let mut subscribers = Vec::with_capacity(SUBSCRIBERS);
    for _ in 0..SUBSCRIBERS {
        let mut connection = TcpStream::connect(server.address()).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        subscribers.push(tokio::task::spawn_local(read(connection, Rc::clone(&received))));
    }
    while received.borrow().subscribers < SUBSCRIBERS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let memory = server.memory()? - memory;
    *received.borrow_mut() = Received::default();
    let (cpu, start) = (server.cpu_seconds()?, Instant::now());
    tokio::time::sleep(Duration::from_secs_f64(SECONDS)).await;
    let (cpu, seconds) = (server.cpu_seconds()? - cpu, start.elapsed().as_secs_f64());
    for subscriber in subscribers {
        subscriber.abort();
    }
    let mut received = received.borrow_mut();
    received.delays_ms.sort_by(f64::total_cmp);
    let events = to_f64(received.delays_ms.len());
    Ok(StreamStats {
        changes_per_second: events / to_f64(SUBSCRIBERS) / seconds,
        events_per_second: events / seconds,
        cpu_cores: cpu / seconds,
        p50_ms: percentile(&received.delays_ms, 50)?,
        p99_ms: percentile(&received.delays_ms, 99)?,
        memory_bytes: memory / to_f64(SUBSCRIBERS),
    })
}

fn to_f64(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

#[derive(Default)]
struct Received {
    /// The number of subscribers that have received an event.
    subscribers: usize,
    /// The time from each change to its event at each subscriber.
    delays_ms: Vec<f64>,
    /// The last timestamp and its text, since all subscribers receive the same.
    last_timestamp: (Vec<u8>, Timestamp),
}

async fn read(mut connection: TcpStream, received: Rc<RefCell<Received>>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 4096];
    let mut is_first = true;
    loop {
        let length = connection.read(&mut buffer).await?;
        anyhow::ensure!(length > 0, "the stream ended");
        let mut rest = &buffer[..length];
        while let Some(at) =
            rest.windows(TIMESTAMP_KEY.len()).position(|window| window == TIMESTAMP_KEY)
        {
            rest = &rest[at + TIMESTAMP_KEY.len()..];
            let timestamp = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
            let mut received = received.borrow_mut();
            received.record(timestamp)?;
            received.subscribers += usize::from(std::mem::take(&mut is_first));
        }
    }
}

impl Received {
    fn record(&mut self, timestamp: &[u8]) -> anyhow::Result<()> {
        if self.last_timestamp.0 != timestamp {
            self.last_timestamp = (timestamp.to_vec(), std::str::from_utf8(timestamp)?.parse()?);
        }
        let delay = Timestamp::now().duration_since(self.last_timestamp.1);
        self.delays_ms.push(delay.as_secs_f64() * 1000.0);
        Ok(())
    }
}
