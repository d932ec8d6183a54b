//! Benchmarks the release binary against baselines measured in the same rounds, and writes the results
//! to docs/performance.md. `make bench` builds both programs and runs this one in the repository root.

mod baseline_server;
mod events;
mod exports;
mod first_requests;
mod fixture;
mod full_run;
mod http_throughput;
mod incremental_runs;
mod memory;
mod process;
mod report;
mod startup;
mod statistics;
mod wrk;

use clap::{Parser, ValueEnum};

/// Benchmark `tvshows` and write docs/performance.md
#[derive(Parser)]
struct Cli {
    /// The benchmarks to run; all by default
    benches: Vec<Bench>,
    /// Run the baseline server with response bodies of this many bytes instead
    #[arg(long, exclusive = true, value_name = "BYTES")]
    baseline_server: Option<usize>,
    /// How many times to measure each figure
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// A run into an empty database
    FullRun,
    /// A run without changes, and one with the changes of a day
    LaterRuns,
    /// HTTP throughput and latency
    Serving,
    /// Searches and statistics that are requested for the first time
    FirstRequests,
    /// Server-sent events to many subscribers
    Events,
    /// Downloads of a whole table
    Exports,
    /// Memory under a mixed load
    Memory,
    /// Startup time and binary size
    Start,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(size) = cli.baseline_server {
        return baseline_server::serve(size);
    }
    let benches = if cli.benches.is_empty() { Bench::value_variants() } else { &cli.benches };
    for bench in benches {
        let report = match bench {
            Bench::FullRun => full_run::measure(cli.rounds)?,
            Bench::LaterRuns => incremental_runs::measure(cli.rounds)?,
            Bench::Serving => http_throughput::measure(cli.rounds)?,
            Bench::FirstRequests => first_requests::measure(cli.rounds)?,
            Bench::Events => events::measure(cli.rounds)?,
            Bench::Exports => exports::measure(cli.rounds)?,
            Bench::Memory => memory::measure(cli.rounds)?,
            Bench::Start => startup::measure(cli.rounds)?,
        };
        report.write()?;
    }
    Ok(())
}
