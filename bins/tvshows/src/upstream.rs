use std::time::Duration;

use anyhow::Context;
use tvmaze_client::Client;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

use crate::clock::today;
use crate::config_error::ConfigError;

/// About the size of TVmaze, with enough latency for the progress bar to be visible.
const DEMO_SHOWS: u32 = 90_000;
const DEMO_LATENCY: Duration = Duration::from_millis(50);

/// Identifies the application, as TVmaze asks of its clients.
pub(crate) const USER_AGENT: &str = concat!("tvshows-pipeline/", env!("CARGO_PKG_VERSION"));

/// A client of TVmaze, or of the built-in simulator, which runs until this value is dropped.
pub(crate) struct Upstream {
    pub(crate) client: Client,
    _simulator: Option<Simulator>,
}

impl Upstream {
    /// Creates a client for `base_url`, which is a URL or `demo`.
    pub(crate) async fn connect(base_url: &str) -> anyhow::Result<Upstream> {
        if base_url != "demo" {
            return Ok(Upstream { client: client(base_url)?, _simulator: None });
        }
        let config = SimConfig { latency: DEMO_LATENCY, ..SimConfig::default() };
        let dataset = Dataset::synthetic_on(today(), DEMO_SHOWS, 1);
        let simulator = Simulator::start("127.0.0.1:0", dataset, config).await;
        let simulator = simulator.context("cannot start the built-in simulator")?;
        Ok(Upstream { client: client(&simulator.base_url())?, _simulator: Some(simulator) })
    }
}

fn client(base_url: &str) -> anyhow::Result<Client> {
    match Client::builder().base_url(base_url).user_agent(USER_AGENT).build() {
        Err(tvmaze_client::Error::Configuration { reason: problem }) => {
            Err(ConfigError { setting: "tvmaze_base_url", problem }.into())
        }
        built => Ok(built?),
    }
}
