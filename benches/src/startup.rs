//! The time from the start of the process to its first successful response, and the binary size.

use std::time::Instant;

use crate::baseline_server;
use crate::fixture::{self, Fixture, SHOWS};
use crate::process;
use crate::report::Report;
use crate::statistics::{Samples, Target, format_number, legend};

/// Starts are fast, and their times vary.
const STARTS_PER_ROUND: usize = 5;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let fixture = Fixture::new()?;
    let (mut service, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..rounds * STARTS_PER_ROUND {
        let start = Instant::now();
        let server = fixture.service(&["--base-url", "http://127.0.0.1:9"])?;
        fixture::request(server.address(), "GET", "/health/ready")?;
        service.push(start.elapsed().as_secs_f64() * 1000.0);
        drop(server);
        let start = Instant::now();
        let server = baseline_server::start(10)?;
        fixture::request(server.address(), "GET", "/")?;
        baseline.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let size = std::fs::metadata(process::binary()?)?.len();
    let mut report = Report::new("start", "Startup time and binary size");
    report.paragraph(&format!(
        "Time from starting `tvshows serve` with a database of {SHOWS} shows to a response from `/health/ready`. \
         Baseline: an actix application that does nothing, to its first response. {}",
        legend(service.len())
    ));
    let (service, baseline) = (Samples::new(service), Samples::new(baseline));
    let target = Target::Below(100.0).verdict(&service);
    report.table(
        ["", "service", "baseline", "target"],
        [["startup, ms".to_owned(), service.to_string(), baseline.to_string(), target]],
    );
    let megabytes = u32::try_from(size / 10_000).map_or(f64::NAN, f64::from) / 100.0;
    report.paragraph(&format!("The stripped binary is {} MB.", format_number(megabytes)));
    Ok(report)
}
