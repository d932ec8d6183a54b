use std::process::ExitCode;

use tvmaze_sim::{Dataset, RateLimit, SimConfig, Simulator};

use crate::cli::Sim;
use crate::{output, signals};

pub(crate) async fn run(options: Sim) -> anyhow::Result<ExitCode> {
    let dataset = match &options.data {
        Some(folder) => Dataset::recorded(folder)?,
        None => Dataset::synthetic(options.shows, options.seed),
    };
    let limit = options.limit.map(|limit| RateLimit {
        retry_after: options.retry_after,
        exempt_cached: options.cached_exempt,
        ..limit
    });
    let config = SimConfig { latency: options.latency, limit, faults: options.fault };
    let simulator = Simulator::start((options.host, options.port), dataset, config).await?;
    let stop = signals::stop();
    let _ = output::print(format!("Simulating TVmaze at {}\n", simulator.base_url()));
    stop.await;
    let _ = output::print(format!(
        "{} requests, {} of them answered 429\n",
        simulator.request_count(),
        simulator.rate_limited_count()
    ));
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
