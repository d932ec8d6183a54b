//! A full run compared with the sum of its separate steps, and how it scales with the number of shows.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::fixture::{self, PAGES, SHOWS};
use crate::process::{self, ResourceUsage, ServerProcess};
use crate::report::Report;
use crate::statistics::{Samples, Target, legend};

const MB: f64 = 1024.0 * 1024.0;
const MAX_MEMORY_MB: f64 = 64.0;
/// How many columns the small baseline inserts: as many as a mirror needs that does not store everything.
const SMALL_COLUMNS: usize = 12;
const MAX_SMALL_RATIO: f64 = 1.25;

/// The numbers of shows to compare, and the bounds for the ratios of their runs.
const SCALING: [u32; 2] = [90_000, 360_000];
const MAX_TIME_RATIO: f64 = 4.4;
const MAX_MEMORY_RATIO: f64 = 1.1;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("full-run", "A full run");
    report.paragraph(&format!(
        "`tvshows update` from an empty database to published tables of {SHOWS} shows, with the built-in simulator on \
         the same machine. Baseline, in the same rounds: its steps by themselves, which are the download of the \
         {PAGES} pages by `curl`, eight at a time; their decoding into the client's models by one thread; and the \
         insertion of all rows, with all columns, into one table in one transaction. Small baseline: the same \
         with the insertion of the first {SMALL_COLUMNS} columns only. The run also stages durably, ranks, and publishes. {}",
        legend(rounds)
    ));
    let upstream = fixture::simulator(&[])?;
    let bodies = pages(&upstream)?;
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("tvshows.db");
    let (mut runs, mut steps) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        runs.push(full_run(&upstream, &database)?);
        steps.push(Steps::measure(&upstream, &bodies, &database)?);
    }
    let samples = |figure: fn(&ResourceUsage) -> f64| Samples::new(runs.iter().map(figure));
    let step = |figure: fn(&Steps) -> f64| Samples::new(steps.iter().map(figure)).to_string();
    let seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    let ratio = |sum: fn(&Steps) -> f64| {
        Samples::ratio(&seconds, &steps.iter().map(sum).collect::<Vec<_>>())
    };
    let (ratio, small_ratio) = (ratio(Steps::sum), ratio(Steps::small_sum));
    let memory = samples(|run| run.peak_memory / MB);
    report.table(
        ["figure", "measured", "target"],
        [
            ["run, s".into(), samples(|run| run.seconds).to_string(), String::new()],
            ["download, s".into(), step(|steps| steps.download), String::new()],
            ["decoding, s".into(), step(|steps| steps.decode), String::new()],
            ["insertion, s".into(), step(|steps| steps.insert), String::new()],
            [
                format!("insertion of {SMALL_COLUMNS} columns, s"),
                step(|steps| steps.small_insert),
                String::new(),
            ],
            [
                "run / sum of the steps".into(),
                ratio.to_string(),
                Target::Below(1.0).verdict(&ratio),
            ],
            [
                "run / sum of the small baseline".into(),
                small_ratio.to_string(),
                Target::Below(MAX_SMALL_RATIO).verdict(&small_ratio),
            ],
            [
                "CPU time of the run, s".into(),
                samples(|run| run.cpu_seconds).to_string(),
                String::new(),
            ],
            [
                "peak memory, MB".into(),
                memory.to_string(),
                Target::Below(MAX_MEMORY_MB).verdict(&memory),
            ],
        ],
    );
    scaling(&mut report, rounds, &database)?;
    Ok(report)
}

fn scaling(report: &mut Report, rounds: usize, database: &Path) -> anyhow::Result<()> {
    let [small, large] = SCALING;
    report.paragraph(&format!(
        "The same with {small} and with {large} shows, in alternating rounds:"
    ));
    let upstream = |shows: u32| process::simulator(&["--shows", &shows.to_string()]);
    let upstreams = [upstream(small)?, upstream(large)?];
    let (mut seconds, mut memory) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for _ in 0..rounds {
        for (size, upstream) in upstreams.iter().enumerate() {
            let usage = full_run(upstream, database)?;
            seconds[size].push(usage.seconds);
            memory[size].push(usage.peak_memory / MB);
        }
    }
    let row = |name: &str, [small, large]: [Vec<f64>; 2], bound: f64| {
        let ratio = Samples::ratio(&large, &small);
        let verdict = Target::Below(bound).verdict(&ratio);
        let [small, large] = [small, large].map(|rounds| Samples::new(rounds).to_string());
        [name.to_owned(), small, large, ratio.to_string(), verdict]
    };
    let head = ["figure".into(), format!("{small} shows"), format!("{large} shows")];
    let [figure, small, large] = head.each_ref().map(String::as_str);
    report.table(
        [figure, small, large, "ratio", "target"],
        [row("run, s", seconds, MAX_TIME_RATIO), row("peak memory, MB", memory, MAX_MEMORY_RATIO)],
    );
    Ok(())
}

/// Runs an update into a new database.
fn full_run(upstream: &ServerProcess, database: &Path) -> anyhow::Result<ResourceUsage> {
    for name in ["tvshows.db", "tvshows.db-wal", "tvshows.db-shm"] {
        let _ = std::fs::remove_file(database.with_file_name(name));
    }
    let mut update = process::tvshows(&["update", "--base-url", &upstream.base_url])?;
    process::run(update.arg("--database-path").arg(database))
}

fn pages(upstream: &ServerProcess) -> anyhow::Result<Vec<Vec<u8>>> {
    let page = |page| fixture::request(upstream.address(), "GET", &format!("/shows?page={page}"));
    (0..PAGES).map(page).collect()
}

/// The seconds that the steps of a run take by themselves.
struct Steps {
    download: f64,
    decode: f64,
    insert: f64,
    small_insert: f64,
}

impl Steps {
    fn measure(
        upstream: &ServerProcess,
        bodies: &[Vec<u8>],
        database: &Path,
    ) -> anyhow::Result<Steps> {
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
        let download = process::run(&download)?.seconds;
        let decode = seconds(|| {
            for body in bodies {
                serde_json::from_slice::<Vec<tvmaze_client::Show>>(body)?;
            }
            Ok(())
        })?;
        let insert = insert(database, usize::MAX)?;
        let small_insert = self::insert(database, SMALL_COLUMNS)?;
        Ok(Steps { download, decode, insert, small_insert })
    }

    fn sum(&self) -> f64 {
        self.download + self.decode + self.insert
    }

    fn small_sum(&self) -> f64 {
        self.download + self.decode + self.small_insert
    }
}

/// Inserts the first columns of the published shows into a table of another database with the same durability.
fn insert(database: &Path, max_columns: usize) -> anyhow::Result<f64> {
    let published = Connection::open(database)?;
    let sql = "SELECT name || ' ' || type || iif(pk, ' PRIMARY KEY', '') FROM pragma_table_info('All_Shows')";
    let mut columns = published.prepare(sql)?;
    let columns = columns.query_map([], |row| row.get(0))?.take(max_columns);
    let columns = columns.collect::<Result<Vec<String>, _>>()?;
    let mut select = published.prepare("SELECT * FROM All_Shows")?;
    let rows =
        select.query_map([], |row| (0..columns.len()).map(|column| row.get(column)).collect())?;
    let rows = rows.collect::<Result<Vec<Vec<Value>>, _>>()?;
    let directory = tempfile::tempdir()?;
    let mut other = Connection::open(directory.path().join("other.db"))?;
    other.pragma_update(None, "journal_mode", "WAL")?;
    other.pragma_update(None, "synchronous", "FULL")?;
    other.execute_batch(&format!("CREATE TABLE All_Shows ({})", columns.join(", ")))?;
    seconds(|| {
        let transaction = other.transaction()?;
        let parameters = vec!["?"; columns.len()].join(", ");
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
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
