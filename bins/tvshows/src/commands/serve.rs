use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use indicatif::MultiProgress;
use tvshows_api::{AppState, Telemetry};
use tvshows_core::{RunParameters, RunState};

use crate::application::Application;
use crate::cli::{LogFormat, Serve};
use crate::traces::Traces;
use crate::{bar, logging, metrics, output, signals, traces};

pub(crate) async fn run(options: &Serve) -> anyhow::Result<ExitCode> {
    let bars = MultiProgress::new();
    // actix tells of its own workings at every start, and of every client that sends nonsense.
    let level = "info,actix_server=warn,actix_http=off";
    let traces = Traces::start(options.settings.otlp_endpoint.as_deref())?;
    logging::start(options.settings.log_format, level, &bars, &traces);
    let access = options.access()?;
    let address = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(address)
        .with_context(|| format!("{address} cannot be listened at; choose another HOST or PORT"))?;
    let address = listener.local_addr()?;
    let metrics = metrics::start()?;
    let application = Application::build(&options.settings).await?;
    if let Err(error) = application.runner.check_tracker().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "the progress tracker is away; progress stays in this process until it is back"
        );
    }
    if access.token.is_none() && !options.host.is_loopback() {
        tracing::warn!(
            "whoever reaches {address} may start and cancel updates; set API_TOKEN to keep that to yourself"
        );
    }
    if let Some(schedule) = options.schedule() {
        application.runner.schedule(schedule.clone());
    }
    let telemetry = Telemetry { render_metrics: metrics, join_trace: traces::join };
    let state = AppState {
        runner: application.runner.clone(),
        catalog: Arc::<_>::clone(&application.store) as _,
    };
    let server = tvshows_api::server(listener, state, access, telemetry)?;
    let handle = server.handle();
    let mut serving = tokio::spawn(server);
    // Before the line that says it is there: whoever read that may stop it.
    let stop = signals::stop();
    // Whoever does not read where it is may know.
    let _ = output::print(format!("Serving http://{address} (the API: http://{address}/docs)\n"));
    let first_update = async {
        if options.update {
            update(&application, &bars, options.settings.log_format).await?;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        () = stop => tracing::info!("stopping"),
        failed = first_update => failed?,
        ended = &mut serving => ended.context("the HTTP server")?.context("the HTTP server")?,
    }
    // Together: answers that wait for a change end with the runner.
    application.shutdown(handle.stop(true)).await;
    traces.end().await;
    Ok(ExitCode::SUCCESS)
}

/// Begins an update, shows it and says how it went.
async fn update(
    application: &Application,
    bars: &MultiProgress,
    log_format: LogFormat,
) -> anyhow::Result<()> {
    let runner = &application.runner;
    let submission = runner.submit(RunParameters::default()).await?;
    let status = bar::follow(runner, submission.status, bars, log_format).await?;
    let told_by_the_log = matches!(log_format, LogFormat::Json);
    if let (RunState::Failed, Some(error), false) = (status.state, status.error, told_by_the_log) {
        let advice = "The service stays up: start another update on its page, or try the built-in \
                      simulator with `make demo` (`tvshows serve --update --base-url demo \
                      --database-path demo.db`).";
        bars.suspend(|| {
            output::tell(format!("The update failed and changed nothing: {error}. {advice}"));
        });
    }
    Ok(())
}
