//! From the start of the process to its first good answer, and the size of the binary.

use std::time::Instant;

use crate::constant;
use crate::program;
use crate::report::Report;
use crate::spread::{Spread, Target, number};
use crate::world::{self, SHOWS, World};

/// Starts take little, and vary.
const STARTS_A_ROUND: usize = 5;

pub(crate) fn measure(rounds: usize) -> anyhow::Result<Report> {
    let world = World::new()?;
    let (mut service, mut constant) = (Vec::new(), Vec::new());
    for _ in 0..rounds * STARTS_A_ROUND {
        let begin = Instant::now();
        let program = world.service(&["--base-url", "http://127.0.0.1:9"])?;
        world::ask(program.address(), "GET", "/health/ready")?;
        service.push(begin.elapsed().as_secs_f64() * 1000.0);
        drop(program);
        let begin = Instant::now();
        let program = constant::start(10)?;
        world::ask(program.address(), "GET", "/")?;
        constant.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let size = std::fs::metadata(program::binary()?)?.len();
    let mut report = Report::new("start", "Start and size");
    report.paragraph(&format!(
        "From the start of `tvshows serve` on a database of {SHOWS} shows to `/health/ready`. Beside it: an actix \
         application that does nothing, to its first answer. Medians of {} starts, least and greatest in brackets.",
        service.len()
    ));
    let (service, constant) = (Spread::of(service), Spread::of(constant));
    let target = Target::Below(100.0).judge(&service);
    report.table(
        ["", "service", "nothing", "target"],
        [["start, ms".to_owned(), service.to_string(), constant.to_string(), target]],
    );
    let megabytes = u32::try_from(size / 10_000).map_or(f64::NAN, f64::from) / 100.0;
    report.paragraph(&format!("The stripped binary has {} MB.", number(megabytes)));
    Ok(report)
}
