//! Memory under a mixed load, and after it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::fixture::{self, Fixture, SHOWS};
use crate::process::ServerProcess;
use crate::report::Report;
use crate::statistics::{Samples, Target, legend};

const LOAD: Duration = Duration::from_secs(30);
const UPDATE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the service is idle before its memory is measured.
const IDLE: Duration = Duration::from_secs(20);

const WORDS: [&str; 12] = [
    "the", "love", "night", "star", "house", "city", "girl", "king", "war", "life", "road", "game",
];
const GENRES: [&str; 4] = ["Drama", "Comedy", "Action", "Crime"];

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("memory", "Memory");
    report.paragraph(&format!(
        "Four clients download `All_Shows` as Parquet, six search, and six list up to 1,000 shows, each as fast as it can \
         and hardly ever with the same query, while a full update of {SHOWS} shows starts every {} s. Peak: the maximum \
         resident memory of the service in {} s. Idle: {} s later. {}",
        UPDATE_INTERVAL.as_secs(),
        LOAD.as_secs(),
        IDLE.as_secs(),
        legend(rounds)
    ));
    let (mut started, mut peaks, mut idle, mut requests) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for _ in 0..rounds {
        let fixture = Fixture::new()?;
        let simulator = fixture::simulator(&[])?;
        let service = fixture.service(&["--base-url", &simulator.base_url])?;
        fixture::get_json(&service, "/shows?limit=1")?;
        started.push(service.memory()? / 1e6);
        requests.push(load(&service)?);
        peaks.push(service.peak_memory()? / 1e6);
        thread::sleep(IDLE);
        idle.push(service.memory()? / 1e6);
    }
    let row = |name: &str, samples: Samples, target: Option<Target>| {
        let verdict = target.map_or_else(String::new, |target| target.verdict(&samples));
        [name.to_owned(), samples.to_string(), verdict]
    };
    report.table(
        ["figure", "measured", "target"],
        [
            row("before, MB", Samples::new(started), None),
            row("peak, MB", Samples::new(peaks), Some(Target::Below(160.0))),
            row("idle, MB", Samples::new(idle), Some(Target::Below(80.0))),
            row("responses", Samples::new(requests), None),
        ],
    );
    Ok(report)
}

/// Applies the load, and returns the number of complete responses.
fn load(service: &ServerProcess) -> anyhow::Result<f64> {
    let (is_over, responses) = (AtomicBool::new(false), AtomicU32::new(0));
    let repeat = |path: &dyn Fn(usize) -> String| -> anyhow::Result<()> {
        for number in 0.. {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            read(service.address(), &path(number))?;
            responses.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for client in 0..6 {
            clients.push(scope.spawn(move || repeat(&|number| search(client, number))));
            clients.push(scope.spawn(move || repeat(&|number| list(client, number))));
        }
        for _ in 0..4 {
            clients.push(scope.spawn(|| repeat(&|_| "/export/all_shows.parquet".to_owned())));
        }
        while start.elapsed() < LOAD {
            fixture::start_run(service, "?mode=full")?;
            thread::sleep(UPDATE_INTERVAL);
        }
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().try_for_each(|client| client.join().expect("a client does not panic"))
    })?;
    Ok(f64::from(responses.load(Ordering::Relaxed)))
}

fn search(client: usize, number: usize) -> String {
    let (first, second) =
        (WORDS[number % WORDS.len()], WORDS[(number / WORDS.len() + client) % WORDS.len()]);
    format!("/shows?q={first}+{second}&limit={}", 10 + number % 240)
}

fn list(client: usize, number: usize) -> String {
    let (genre, rating) = (GENRES[number % GENRES.len()], number % 100);
    format!(
        "/shows?genre={genre}&min_rating={}.{}&limit={}",
        rating / 10,
        rating % 10,
        1000 - client
    )
}

/// Reads a response without keeping it.
fn read(address: &str, path: &str) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 64 * 1024];
    let size = connection.read(&mut buffer)?;
    ensure!(
        buffer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&buffer[..size])
    );
    while connection.read(&mut buffer)? > 0 {}
    Ok(())
}
