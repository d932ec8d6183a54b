mod plan;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{HumanCount, MultiProgress};
use tokio::time::timeout;
use tvshows_core::{ChangeCounts, RunQueue, RunState, RunStatus, TopShow, Trigger};
use tvshows_pipeline::{RunLog, RunnerRole};

use crate::cli::{LogFormat, Update};
use crate::database::{self, Stores};
use crate::engine::{Engine, EngineOptions, Interrupted};
use crate::output::{self, count};
use crate::{logging, progress_bar, signals};

use super::top::print_top_shows;

/// How long a finished update waits for its webhook to be delivered.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// The code that shells report for a process that was terminated by SIGINT.
const EXIT_INTERRUPTED: u8 = 130;

pub(crate) async fn run(options: &Update) -> anyhow::Result<ExitCode> {
    if options.dry_run {
        return plan::run(options).await;
    }
    let bars = MultiProgress::new();
    let log_format = options.settings.log_format;
    // In text mode, the progress bar and the summary report the run and how it ended.
    let filter = match log_format {
        LogFormat::Text => "warn,tvshows_pipeline::end=off,deadpool.postgres=off",
        LogFormat::Json => "info,tokio_postgres=warn,deadpool.postgres=off",
    };
    let collector = options.settings.otel_exporter_otlp_endpoint.as_deref();
    let exporter = logging::start(log_format, filter, &bars, collector, &RunLog::default())?;
    let interrupted = if options.restart { Interrupted::Cancel } else { Interrupted::Resume };
    let location = options.settings.database.location()?;
    let stores = database::open(&location).await?;
    let engine_options =
        EngineOptions { role: RunnerRole::Worker, interrupted, max_details: options.max_details() };
    let engine = Engine::start(&options.settings, stores, engine_options).await?;
    let runner = &engine.runner;
    let submitted = runner.submit(options.parameters(), Trigger::CommandLine).await?.status;
    let run = submitted.request_id;
    let mut top = Vec::new();
    tokio::select! {
        status = progress_bar::follow(runner, submitted, &bars, log_format) => {
            let status = status?;
            if status.state == RunState::Succeeded {
                top = top_shows(&engine.stores, status.top).await?;
            }
        }
        () = signals::shutdown_signal() => {}
    }
    runner.shutdown().await;
    let status = runner.status(run).await?.context("the update is missing from the history")?;
    let (status, is_saved) = as_saved(engine.stores.queue.as_ref(), status).await;
    let printed = if options.json {
        output::print_json(&status)
    } else if status.state == RunState::Succeeded {
        print_summary(&status, &top)
    } else {
        Ok(())
    };
    if let Err(error) = printed {
        output::eprint_line(format!("cannot print the result: {error}"));
    }
    if let (Some(sentence), LogFormat::Text) = (failure(&status, is_saved), log_format) {
        output::eprint_line(sentence);
    }
    tokio::select! {
        _ = timeout(WEBHOOK_TIMEOUT, engine.webhook.wait_until_delivered()) => {}
        () = signals::shutdown_signal() => {}
    }
    engine.shutdown(std::future::ready(())).await;
    exporter.shutdown().await;
    Ok(if is_saved { exit_code(status.state) } else { ExitCode::FAILURE })
}

async fn top_shows(stores: &Stores, top: u16) -> anyhow::Result<Vec<TopShow>> {
    // Updates do not fill a copy.
    Ok(match &stores.replica {
        Some(replica) => replica.published_top_shows(top.into()).await?,
        None => stores.catalog.top_shows(top.into()).await?,
    })
}

/// Returns the status as other commands read it, and whether it is that of this process. If the end of an update could
/// not be saved, because the disk is full, the update counts as interrupted.
async fn as_saved(queue: &dyn RunQueue, ended: RunStatus) -> (RunStatus, bool) {
    match queue.get(ended.request_id).await {
        Ok(Some(saved)) if ended.state.is_terminal() && !saved.state.is_terminal() => {
            (RunStatus { error: ended.error, ..saved }, false)
        }
        _ => (ended, true),
    }
}

fn exit_code(state: RunState) -> ExitCode {
    match state {
        RunState::Succeeded => ExitCode::SUCCESS,
        RunState::Failed | RunState::Cancelled => ExitCode::FAILURE,
        RunState::Queued | RunState::Running | RunState::Interrupted => {
            ExitCode::from(EXIT_INTERRUPTED)
        }
    }
}

/// Why an update published nothing.
fn failure(status: &RunStatus, is_saved: bool) -> Option<String> {
    if !is_saved {
        let error = status.error.as_deref().unwrap_or_default();
        return Some(format!(
            "The update failed and changed nothing: {error}. This could not be saved, so the update counts as \
             interrupted: the next `tvshows update` or `tvshows serve` resumes it."
        ));
    }
    let sentence = match status.state {
        RunState::Succeeded => return None,
        RunState::Failed => {
            let error = status.error.as_deref().unwrap_or_default();
            // It failed before it was planned, so TVmaze is probably unreachable.
            let advice = if status.max_requests.is_none() {
                ". To try it without a network, run `tvshows update --tvmaze-base-url demo \
                 --database-path demo.db`, which uses the built-in simulator."
            } else {
                ""
            };
            return Some(format!("The update failed and changed nothing: {error}{advice}"));
        }
        RunState::Cancelled => "The update was canceled and changed nothing.",
        RunState::Interrupted => {
            "The update was interrupted and has changed nothing yet; the next `tvshows update` or \
             `tvshows serve` resumes it."
        }
        RunState::Queued | RunState::Running => {
            "The update continues in another process, or is still in the queue."
        }
    };
    Some(sentence.to_owned())
}

fn print_summary(status: &RunStatus, top: &[TopShow]) -> anyhow::Result<()> {
    output::print_line(summary(status))?;
    if status.malformed_shows > 0 {
        output::print_line(format!("{}; the log names them.", malformed_shows(status)))?;
    }
    if top.is_empty() {
        return Ok(());
    }
    output::print_line("")?;
    print_top_shows(top)
}

fn summary(status: &RunStatus) -> String {
    let ChangeCounts { added, changed, deleted, .. } = status.changes;
    let shows = count(status.shows_seen, "show", "shows");
    let outcome = if added + changed + deleted == 0 {
        format!("Already up to date: {shows}")
    } else {
        let number = |number: u32| HumanCount(number.into());
        let (added, changed, deleted) = (number(added), number(changed), number(deleted));
        format!("Published {shows}: {added} added, {changed} changed, {deleted} deleted")
    };
    let details = match status.details_done {
        0 => String::new(),
        done => format!("episodes and casts of {}, ", count(done, "show", "shows")),
    };
    let elapsed = status.started_at.zip(status.finished_at);
    format!(
        "{outcome} ({details}{:.1} s, {}, {}, {} rate-limited).",
        elapsed.map_or(0.0, |(start, end)| end.duration_since(start).as_secs_f64()),
        count(status.counts.requests, "request", "requests"),
        count(status.counts.retries, "retry", "retries"),
        HumanCount(status.counts.rate_limited),
    )
}

/// How many shows were fetched with unexpected values.
pub(crate) fn malformed_shows(status: &RunStatus) -> String {
    let shows = count(status.malformed_shows, "show", "shows");
    let verb = if status.malformed_shows == 1 { "has" } else { "have" };
    format!("{shows} {verb} values of unexpected types")
}
