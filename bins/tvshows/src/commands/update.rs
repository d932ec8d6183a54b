use std::process::ExitCode;

use anyhow::Context;
use indicatif::{HumanCount, MultiProgress};
use tvshows_core::{RunState, RunStatus, ShowStore, TopShow};

use crate::application::Application;
use crate::cli::{LogFormat, Update};
use crate::traces::Traces;
use crate::{bar, logging, output, signals};

/// What a shell gives for a process that a signal ended.
const STOPPED: u8 = 130;

pub(crate) async fn run(options: &Update) -> anyhow::Result<ExitCode> {
    let bars = MultiProgress::new();
    // Where there is a bar, it tells how the run goes, and the end of this function how it went.
    let level = match options.settings.log_format {
        LogFormat::Text => "warn,tvshows_pipeline::end=off",
        LogFormat::Json => "info",
    };
    let traces = Traces::start(options.settings.otlp_endpoint.as_deref())?;
    logging::start(options.settings.log_format, level, &bars, &traces);
    let application = if options.restart {
        Application::build_anew(&options.settings).await?
    } else {
        Application::build(&options.settings).await?
    };
    let runner = &application.runner;
    let submitted = runner.submit(options.parameters()).await?.status;
    let run = submitted.request_id;
    let mut top = Vec::new();
    tokio::select! {
        status = bar::follow(runner, submitted, &bars, options.settings.log_format) => {
            let status = status?;
            if status.state == RunState::Succeeded {
                top = application.store.top_shows(status.top.into()).await?;
            }
        }
        () = signals::stop() => {}
    }
    runner.shutdown().await;
    let status = runner.status(run).await?.context("the update was forgotten")?;
    application.shutdown(std::future::ready(())).await;
    traces.end().await;
    let told = if options.json {
        output::print_json(&status)
    } else if status.state == RunState::Succeeded {
        print_summary(&status, &top)
    } else {
        Ok(())
    };
    if let Err(error) = told {
        output::tell(format!("The outcome cannot be printed: {error}"));
    }
    Ok(conclude(&status, options.settings.log_format))
}

/// Says why an update did not publish.
fn conclude(status: &RunStatus, log_format: LogFormat) -> ExitCode {
    if status.state == RunState::Succeeded {
        return ExitCode::SUCCESS;
    }
    let error = status.error.as_deref().unwrap_or_default();
    let (sentence, code) = match status.state {
        RunState::Failed => {
            let mut sentence = format!("The update failed and changed nothing: {error}");
            if status.pages_done + status.shows_seen == 0 {
                sentence += ". Without a network, `tvshows update --base-url demo --database-path \
                             demo.db` does an update from the built-in simulator.";
            }
            (sentence, ExitCode::FAILURE)
        }
        RunState::Cancelled => {
            ("The update was cancelled and changed nothing.".to_owned(), ExitCode::FAILURE)
        }
        RunState::Interrupted => {
            let sentence = "The update was interrupted and has changed nothing so far; the next \
                            `tvshows update` or `tvshows serve` goes on with it.";
            (sentence.to_owned(), ExitCode::from(STOPPED))
        }
        _ => (
            "The update goes on in another process, or waits for one.".to_owned(),
            ExitCode::from(STOPPED),
        ),
    };
    if matches!(log_format, LogFormat::Text) {
        output::tell(sentence);
    }
    code
}

fn print_summary(status: &RunStatus, top: &[TopShow]) -> anyhow::Result<()> {
    let seconds =
        status.started_at.zip(status.finished_at).map(|(start, end)| end.duration_since(start));
    let RunStatus { added, changed, deleted, requests, retries, rate_limited, .. } = status;
    let count = |number: &u32| HumanCount((*number).into());
    let shows = count(&status.shows_seen);
    let outcome = match added + changed + deleted {
        0 => format!("Nothing changed: {shows} shows are as they were"),
        _ => format!(
            "Published {shows} shows: {} added, {} changed, {} deleted",
            count(added),
            count(changed),
            count(deleted)
        ),
    };
    output::print(format!(
        "{outcome}; {:.1} s, {requests} requests, {retries} retries, {rate_limited} answers of 429.\n",
        seconds.map(|seconds| seconds.as_secs_f64()).unwrap_or_default(),
    ))?;
    if top.is_empty() {
        return Ok(());
    }
    output::print("\n")?;
    super::top::print(top)
}
