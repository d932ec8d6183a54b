use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use tvmaze_sim::{Dataset, RateLimit, SimConfig, Simulator};

use crate::cli::Sim;
use crate::clock::today;
use crate::{output, signals};

pub(crate) async fn run(options: Sim) -> anyhow::Result<ExitCode> {
    let day = options.date.unwrap_or_else(today);
    let dataset = match &options.data {
        Some(folder) => Dataset::recorded(folder)?,
        None => Dataset::synthetic_on(day, options.shows, options.seed),
    };
    let limit = options.limit.map(|limit| RateLimit {
        retry_after: options.retry_after,
        exempt_cached: options.cached_exempt,
        ..limit
    });
    let config = SimConfig { latency: options.latency, limit, faults: options.fault };
    let address = SocketAddr::new(options.host, options.port);
    let simulator = Simulator::start(address, dataset, config).await;
    let simulator = simulator.with_context(|| address.to_string())?;
    // Before the announcement, because a reader may send a signal as soon as it is printed.
    let signal = signals::shutdown_signal();
    let _ = output::print_line(format!("Simulating TVmaze at {}", simulator.base_url()));
    signal.await;
    let requests = output::count(simulator.request_count(), "request", "requests");
    let rate_limited = simulator.rate_limited_count();
    let _ = output::print_line(format!("{requests}, {rate_limited} rate-limited"));
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
