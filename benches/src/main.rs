//! Measures the release binary beside references of the same moment, and writes the figures to
//! docs/performance.md. `make bench` builds both and starts this at the top of the repository.

mod constant;
mod events;
mod exports;
mod full_run;
mod later_runs;
mod program;
mod report;
mod serving;
mod spread;
mod start;
mod world;
mod wrk;

use clap::{Parser, ValueEnum};

/// Measures `tvshows` and writes docs/performance.md
#[derive(Parser)]
struct Cli {
    /// What to measure; everything by default
    benches: Vec<Bench>,
    /// Serves a body of so many bytes instead: what the service is compared with
    #[arg(long, exclusive = true)]
    constant: Option<usize>,
    /// How often each figure is taken
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// A run from nothing
    FullRun,
    /// An unchanged run, and one a day later
    LaterRuns,
    /// Requests a second
    Serving,
    /// Subscribers to one run
    Events,
    /// Downloads of a whole table
    Exports,
    /// From the start of the process to its first answer
    Start,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(size) = cli.constant {
        return constant::serve(size);
    }
    let benches = if cli.benches.is_empty() { Bench::value_variants() } else { &cli.benches };
    for bench in benches {
        let report = match bench {
            Bench::FullRun => full_run::measure(cli.rounds)?,
            Bench::LaterRuns => later_runs::measure(cli.rounds)?,
            Bench::Serving => serving::measure(cli.rounds)?,
            Bench::Events => events::measure(cli.rounds)?,
            Bench::Exports => exports::measure(cli.rounds)?,
            Bench::Start => start::measure(cli.rounds)?,
        };
        report.write()?;
    }
    Ok(())
}
