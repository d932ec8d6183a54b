//! A full run beside the sum of its parts, each alone; and how it grows with the catalogue.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::program::{self, Program, Spent};
use crate::report::Report;
use crate::spread::{Spread, Target};
use crate::world::{self, PAGES, SHOWS};

const MB: f64 = 1024.0 * 1024.0;
const MOST_MEMORY: f64 = 64.0;
/// Four times the catalogue, and its bounds.
const GROWTH: [u32; 2] = [90_000, 360_000];
const MOST_TIME: f64 = 4.4;
const MOST_GROWTH_OF_MEMORY: f64 = 1.2;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("full-run", "A full run");
    report.paragraph(&format!(
        "`tvshows update` from nothing to published tables of {SHOWS} shows, from the built-in simulator on the same \
         machine. Beside it, in the same round, its parts alone: the download of the {PAGES} pages by `curl`, eight at a \
         time; their decoding by one thread into the client's models; the insertion of the rows, all their columns, into one \
         table in one transaction. The run has to stage durably, to index for searches, to rank and to publish besides. \
         Medians of {rounds} rounds, least and greatest in brackets."
    ));
    let upstream = world::simulator(&[])?;
    let bodies = pages(&upstream)?;
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("tvshows.db");
    let (mut runs, mut parts) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        runs.push(full_run(&upstream, &database)?);
        parts.push(Parts::alone(&upstream, &bodies, &database)?);
    }
    let spread = |figure: fn(&Spent) -> f64| Spread::of(runs.iter().map(figure));
    let part = |figure: fn(&Parts) -> f64| Spread::of(parts.iter().map(figure)).to_string();
    let seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    let sums: Vec<f64> = parts.iter().map(Parts::sum).collect();
    let ratio = Spread::ratio(&seconds, &sums);
    let memory = spread(|run| run.peak_memory / MB);
    report.table(
        ["figure", "measured", "target"],
        [
            ["run, s".into(), spread(|run| run.seconds).to_string(), String::new()],
            ["download alone, s".into(), part(|parts| parts.download), String::new()],
            ["decoding alone, s".into(), part(|parts| parts.decode), String::new()],
            ["insertion alone, s".into(), part(|parts| parts.insert), String::new()],
            ["run / sum of its parts".into(), ratio.to_string(), Target::Below(1.0).judge(&ratio)],
            [
                "CPU time of the run, s".into(),
                spread(|run| run.cpu_seconds).to_string(),
                String::new(),
            ],
            [
                "peak memory, MB".into(),
                memory.to_string(),
                Target::Below(MOST_MEMORY).judge(&memory),
            ],
        ],
    );
    growth(&mut report, rounds, &database)?;
    Ok(report)
}

fn growth(report: &mut Report, rounds: usize, database: &Path) -> anyhow::Result<()> {
    let [small, large] = GROWTH;
    report.paragraph(&format!("The same from {small} to {large} shows, in alternating rounds:"));
    let upstream = |shows: u32| program::simulator(&["--shows", &shows.to_string()]);
    let upstreams = [upstream(small)?, upstream(large)?];
    let (mut seconds, mut memory) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for _ in 0..rounds {
        for (size, upstream) in upstreams.iter().enumerate() {
            let spent = full_run(upstream, database)?;
            seconds[size].push(spent.seconds);
            memory[size].push(spent.peak_memory / MB);
        }
    }
    let row = |name: &str, [small, large]: [Vec<f64>; 2], most: f64| {
        let ratio = Spread::ratio(&large, &small);
        let judged = Target::Below(most).judge(&ratio);
        let [small, large] = [small, large].map(|rounds| Spread::of(rounds).to_string());
        [name.to_owned(), small, large, ratio.to_string(), judged]
    };
    let head = ["figure".into(), format!("{small} shows"), format!("{large} shows")];
    let [figure, small, large] = head.each_ref().map(String::as_str);
    report.table(
        [figure, small, large, "ratio", "target"],
        [row("run, s", seconds, MOST_TIME), row("peak memory, MB", memory, MOST_GROWTH_OF_MEMORY)],
    );
    Ok(())
}

/// A run into a database that is not there yet.
fn full_run(upstream: &Program, database: &Path) -> anyhow::Result<Spent> {
    for name in ["tvshows.db", "tvshows.db-wal", "tvshows.db-shm"] {
        let _ = std::fs::remove_file(database.with_file_name(name));
    }
    let mut update = program::tvshows(&["update", "--base-url", &upstream.base_url])?;
    program::run(update.arg("--database-path").arg(database))
}

fn pages(upstream: &Program) -> anyhow::Result<Vec<Vec<u8>>> {
    let page = |page| world::ask(upstream.address(), "GET", &format!("/shows?page={page}"));
    (0..PAGES).map(page).collect()
}

/// The seconds that the parts of a run take alone.
struct Parts {
    download: f64,
    decode: f64,
    insert: f64,
}

impl Parts {
    fn alone(upstream: &Program, bodies: &[Vec<u8>], database: &Path) -> anyhow::Result<Parts> {
        let mut download = Command::new("curl");
        download.args([
            "-sf",
            "--compressed",
            "--parallel",
            "--parallel-max",
            "8",
            "-o",
            "/dev/null",
        ]);
        download.arg(format!("{}/shows?page=[0-{}]", upstream.base_url, PAGES - 1));
        let download = program::run(&download)?.seconds;
        let decode = seconds(|| {
            for body in bodies {
                serde_json::from_slice::<Vec<tvmaze_client::Show>>(body)?;
            }
            Ok(())
        })?;
        Ok(Parts { download, decode, insert: insert(database)? })
    }

    fn sum(&self) -> f64 {
        self.download + self.decode + self.insert
    }
}

/// Inserts the published shows into a table of the same form in another file, which is as durable.
fn insert(database: &Path) -> anyhow::Result<f64> {
    let published = Connection::open(database)?;
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'All_Shows'";
    let table: String = published.query_row(sql, [], |row| row.get(0))?;
    let mut select = published.prepare("SELECT * FROM All_Shows")?;
    let columns = select.column_count();
    let rows = select.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
    let rows = rows.collect::<Result<Vec<Vec<Value>>, _>>()?;
    let folder = tempfile::tempdir()?;
    let mut other = Connection::open(folder.path().join("other.db"))?;
    other.pragma_update(None, "journal_mode", "WAL")?;
    other.pragma_update(None, "synchronous", "FULL")?;
    other.execute_batch(&table)?;
    seconds(|| {
        let transaction = other.transaction()?;
        let parameters = vec!["?"; columns].join(", ");
        let mut insert =
            transaction.prepare(&format!("INSERT INTO All_Shows VALUES ({parameters})"))?;
        for row in &rows {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        Ok(transaction.commit()?)
    })
}

fn seconds(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}
