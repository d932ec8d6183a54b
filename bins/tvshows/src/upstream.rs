use std::time::Duration;

use anyhow::Context;
use tvmaze_client::Client;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

use crate::config::WrongSetting;

/// About TVmaze's size, and an answer time that lets a person watch the bar.
const DEMO_SHOWS: u32 = 90_000;
const DEMO_LATENCY: Duration = Duration::from_millis(50);

/// Who asks; TVmaze wants the application's name and a way to find its makers.
const USER_AGENT: &str = concat!("tvshows-pipeline/", env!("CARGO_PKG_VERSION"));

/// TVmaze, or the simulator in its place, which lives as long as this value.
pub(crate) struct Upstream {
    pub(crate) client: Client,
    _simulator: Option<Simulator>,
}

impl Upstream {
    /// A client for `base_url`, which is a URL or the word `demo`.
    pub(crate) async fn at(base_url: &str) -> anyhow::Result<Upstream> {
        if base_url != "demo" {
            return Ok(Upstream { client: client(base_url)?, _simulator: None });
        }
        let config = SimConfig { latency: DEMO_LATENCY, ..SimConfig::default() };
        let simulator =
            Simulator::start("127.0.0.1:0", Dataset::synthetic(DEMO_SHOWS, 1), config).await;
        let simulator = simulator.context("the built-in simulator cannot start")?;
        Ok(Upstream { client: client(&simulator.base_url())?, _simulator: Some(simulator) })
    }
}

fn client(base_url: &str) -> anyhow::Result<Client> {
    match Client::builder().base_url(base_url).user_agent(USER_AGENT).build() {
        Err(tvmaze_client::Error::Configuration { reason: problem }) => {
            Err(WrongSetting { setting: "TVMAZE_BASE_URL", problem }.into())
        }
        built => Ok(built?),
    }
}
