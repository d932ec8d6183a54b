use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::Healthcheck;

/// Less than a container's health check is given.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(options: &Healthcheck) -> anyhow::Result<ExitCode> {
    let address =
        format!("http://127.0.0.1:{}/{}", options.port, options.path.trim_start_matches('/'));
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let answer = client.get(&address).send().await;
    let answer = answer.with_context(|| format!("no service answers at {address}"))?;
    if !answer.status().is_success() {
        bail!("{address} answered {}", answer.status());
    }
    Ok(ExitCode::SUCCESS)
}
