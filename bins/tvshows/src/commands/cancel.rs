use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use secrecy::ExposeSecret;
use tokio::time::timeout;
use tvshows_pipeline::{CancelError, Cancelled, cancel_stored};

use crate::cli::Cancel;
use crate::run_source::ServiceClient;
use crate::webhook::Webhook;
use crate::{database, output};

/// How long the command waits for the webhook.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn run(options: &Cancel) -> anyhow::Result<ExitCode> {
    let run = options.id;
    if let Some(url) = &options.service {
        let token = options.api_token.as_ref().filter(|token| !token.expose_secret().is_empty());
        ServiceClient::new(url)?.cancel(run, token).await?;
        output::print_line(format!("Canceling update {run}."))?;
        return Ok(ExitCode::SUCCESS);
    }
    let webhook = Webhook::new(&options.webhook)?;
    let queue = database::open_writable_history(&options.database.location()?).await?;
    let cancelled = cancel_stored(queue.as_ref(), run).await;
    queue.close().await;
    let Cancelled { status, was_running } = match cancelled {
        Err(CancelError::NotFound(_)) => {
            bail!("there is no update {run}; `tvshows runs` lists them")
        }
        Err(CancelError::Ended(_)) => {
            bail!("update {run} has already ended; `tvshows status {run}` shows how")
        }
        cancelled => cancelled?,
    };
    if was_running {
        output::print_line(format!(
            "Canceled update {run}; the process that runs it stops within seconds."
        ))?;
    } else {
        output::print_line(format!("Canceled update {run}."))?;
        // No other process reports it.
        webhook.deliver(&status);
        if timeout(WEBHOOK_TIMEOUT, webhook.wait_until_delivered()).await.is_err() {
            output::eprint_line("warning: the webhook did not accept the end of the update");
        }
    }
    Ok(ExitCode::SUCCESS)
}
