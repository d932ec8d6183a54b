//! Downloads of a whole table, compared with the `sqlite3` shell.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::fixture::{Fixture, SHOWS};
use crate::report::Report;
use crate::statistics::{Samples, Target, legend};

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let fixture = Fixture::new()?;
    let service = fixture.service(&["--base-url", "http://127.0.0.1:9"])?;
    let database = fixture.database();
    let mut report = Report::new("exports", "Exports");
    report.paragraph(&format!(
        "`curl` downloads `All_Shows`, {SHOWS} rows of 25 columns, and discards it. Baseline: `sqlite3 -csv` with \
         `SELECT *` to `/dev/null`, in alternating rounds. Memory is the increase of the service's peak during the \
         download. {}",
        legend(rounds)
    ));
    let mut rows = Vec::new();
    for format in ["csv", "ndjson", "parquet"] {
        let (mut rates, mut baselines, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        let url = format!("{}/export/all_shows.{format}", service.base_url);
        download(&url)?;
        for _ in 0..rounds {
            service.reset_peak_memory()?;
            let before = service.memory()?;
            rates.push(f64::from(SHOWS) / download(&url)?);
            memory.push((service.peak_memory()? - before) / 1e6);
            baselines.push(f64::from(SHOWS) / sqlite_export(&database)?);
        }
        let (ratio, memory) = (Samples::ratio(&rates, &baselines), Samples::new(memory));
        rows.push([
            format.to_owned(),
            Samples::new(rates).to_string(),
            Samples::new(baselines).to_string(),
            ratio.to_string(),
            memory.to_string(),
            Target::Below(32.0).verdict(&memory),
        ]);
    }
    let head = ["", "service, rows/s", "sqlite3, rows/s", "ratio", "memory, MB", "target, MB"];
    report.table(head, rows);
    Ok(report)
}

/// Downloads a URL and returns the seconds it took.
fn download(url: &str) -> anyhow::Result<f64> {
    timed(Command::new("curl").args(["--silent", "--fail", "--output", "/dev/null", url]))
}

fn sqlite_export(database: &str) -> anyhow::Result<f64> {
    timed(Command::new("sqlite3").args(["-csv", "-readonly", database, "SELECT * FROM All_Shows"]))
}

fn timed(command: &mut Command) -> anyhow::Result<f64> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| {
        format!("cannot run {}; `make bench` installs it", command.get_program().display())
    })?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(start.elapsed().as_secs_f64())
}
