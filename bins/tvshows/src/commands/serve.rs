use std::process::ExitCode;

use indicatif::MultiProgress;
use tvshows_core::{RunParameters, RunState, StoreError, Trigger};
use tvshows_pipeline::{RunLog, Runner, SubmitError};

use crate::application::Application;
use crate::cli::{LogFormat, Serve};
use crate::{logging, output, progress_bar, signals};

/// Without the details that actix logs (its own startup, and every malformed request), the notices of PostgreSQL, and
/// the end of each connection to it.
const LOG_FILTER: &str =
    "info,actix_server=warn,actix_http=off,tokio_postgres=warn,deadpool.postgres=off";

pub(crate) async fn run(options: &Serve) -> anyhow::Result<ExitCode> {
    let bars = MultiProgress::new();
    let log_format = options.settings.log_format;
    let collector = options.settings.otel_exporter_otlp_endpoint.as_deref();
    let run_log = RunLog::default();
    let exporter = logging::start(log_format, LOG_FILTER, &bars, collector, &run_log)?;
    let application = Application::build(options, run_log).await?;
    let (runner, address) = (application.runner().clone(), application.address());
    // Before the announcement, because a reader may send a signal as soon as it is printed.
    let signal = signals::shutdown_signal();
    let announcement = format!("Serving http://{address} (API: http://{address}/docs)");
    // A closed stdout is no reason to stop.
    let _ = output::print_line(announcement);
    tokio::select! {
        served = application.run_until(signal) => served?,
        Err(error) = update(&runner, &bars, log_format), if options.update => return Err(error),
    }
    exporter.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Runs an update with its progress, and reports a failure.
async fn update(runner: &Runner, bars: &MultiProgress, format: LogFormat) -> anyhow::Result<()> {
    let submitted = match runner.submit(RunParameters::default(), Trigger::Startup).await {
        // The log has the reason.
        Err(SubmitError::ShuttingDown | SubmitError::Store(StoreError::ReadOnly)) => return Ok(()),
        submitted => submitted?.status,
    };
    let status = progress_bar::follow(runner, submitted, bars, format).await?;
    // A JSON log already has the failure.
    if let (RunState::Failed, Some(error), LogFormat::Text) = (status.state, status.error, format) {
        // It failed before it was planned, so TVmaze is probably unreachable.
        let advice = if status.max_requests.is_none() {
            "The service keeps running: start another update in the dashboard, or try the built-in \
             simulator with `make demo` (`tvshows serve --update --tvmaze-base-url demo \
             --database-path demo.db`)."
        } else {
            "The service keeps running: start another update in the dashboard."
        };
        bars.suspend(|| {
            output::eprint_line(format!(
                "The update failed and changed nothing: {error}. {advice}"
            ));
        });
    }
    Ok(())
}
