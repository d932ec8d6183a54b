//! Downloads of a whole table, beside SQLite's own program.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::report::Report;
use crate::spread::{Spread, Target};
use crate::world::{SHOWS, World};

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let world = World::new()?;
    let service = world.service(&["--base-url", "http://127.0.0.1:9"])?;
    let database = world.database();
    let mut report = Report::new("exports", "Exports");
    report.paragraph(&format!(
        "`curl` downloads `All_Shows`, {SHOWS} rows of 25 columns, into nothing. Beside it: `sqlite3 -csv` with \
         `SELECT *` into nothing, in alternating rounds. The memory is what the service needs more at its peak. \
         Medians of {rounds} rounds, least and greatest in brackets."
    ));
    let mut rows = Vec::new();
    for format in ["csv", "ndjson", "parquet"] {
        let (mut rates, mut references, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        let url = format!("{}/export/all_shows.{format}", service.base_url);
        download(&url)?;
        for _ in 0..rounds {
            service.forget_peak_memory()?;
            let before = service.memory()?;
            rates.push(f64::from(SHOWS) / download(&url)?);
            memory.push((service.peak_memory()? - before) / 1e6);
            references.push(f64::from(SHOWS) / shell(&database)?);
        }
        let (ratio, memory) = (Spread::ratio(&rates, &references), Spread::of(memory));
        rows.push([
            format.to_owned(),
            Spread::of(rates).to_string(),
            Spread::of(references).to_string(),
            ratio.to_string(),
            memory.to_string(),
            Target::Below(32.0).judge(&memory),
        ]);
    }
    let head = ["", "service, rows/s", "sqlite3, rows/s", "ratio", "memory, MB", "target, MB"];
    report.table(head, rows);
    Ok(report)
}

/// Seconds.
fn download(url: &str) -> anyhow::Result<f64> {
    timed(Command::new("curl").args(["--silent", "--fail", "--output", "/dev/null", url]))
}

fn shell(database: &str) -> anyhow::Result<f64> {
    timed(Command::new("sqlite3").args(["-csv", "-readonly", database, "SELECT * FROM All_Shows"]))
}

fn timed(command: &mut Command) -> anyhow::Result<f64> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| {
        format!("{} is missing; `make bench` installs it", command.get_program().display())
    })?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(begin.elapsed().as_secs_f64())
}
