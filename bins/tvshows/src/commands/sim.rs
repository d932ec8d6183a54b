use std::process::ExitCode;

use tvmaze_sim::{Behaviour, Catalogue, RateLimit, Simulator};

use crate::cli::Sim;
use crate::{output, signals};

pub(crate) async fn run(options: Sim) -> anyhow::Result<ExitCode> {
    let catalogue = match &options.data {
        Some(folder) => Catalogue::recorded(folder)?,
        None => Catalogue::synthetic(options.shows, options.seed),
    };
    let limit = options.limit.map(|limit| RateLimit {
        retry_after: options.retry_after,
        cached_exempt: options.cached_exempt,
        ..limit
    });
    let behaviour = Behaviour { latency: options.latency, limit, faults: options.fault };
    let simulator = Simulator::start((options.host, options.port), catalogue, behaviour).await?;
    // Before the announcement, because a reader may send a signal as soon as it is printed.
    let signal = signals::shutdown_signal();
    let _ = output::print(format!("Simulating TVmaze at {}\n", simulator.base_url()));
    signal.await;
    let requests = output::count(simulator.request_count(), "request", "requests");
    let rate_limited = simulator.rate_limited_count();
    let _ = output::print(format!("{requests}, {rate_limited} rate-limited\n"));
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
