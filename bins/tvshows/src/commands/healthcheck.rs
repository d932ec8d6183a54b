use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Url;

use crate::cli::Healthcheck;
use crate::http_client;

/// Less than the timeout of the container's health check.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) async fn run(options: &Healthcheck) -> anyhow::Result<ExitCode> {
    let port = options.health_port.unwrap_or(options.port);
    let url = format!("http://127.0.0.1:{port}/{}", options.path.trim_start_matches('/'));
    let url: Url = url.parse()?;
    let client = http_client::build(&url, REQUEST_TIMEOUT)?;
    let response = client.get(url.clone()).send().await.map_err(reqwest::Error::without_url);
    let response = response.with_context(|| format!("no service responded at {url}"))?;
    if !response.status().is_success() {
        bail!("{url} returned {}", response.status());
    }
    Ok(ExitCode::SUCCESS)
}
