use std::process::ExitCode;

use anyhow::Context;
use indicatif::{HumanCount, MultiProgress};
use tvshows_core::{RunState, RunStatus, ShowStore, TopShow};

use crate::application::Application;
use crate::cli::{LogFormat, Update};
use crate::{bar, logging, signals};

/// What a shell gives for a process that a signal ended.
const STOPPED: u8 = 130;

pub(crate) async fn run(options: &Update) -> anyhow::Result<ExitCode> {
    let bars = MultiProgress::new();
    // Where there is a bar, it tells how the run goes, and the end of this function how it went.
    let level = match options.settings.log_format {
        LogFormat::Text => "warn,tvshows_pipeline::end=off",
        LogFormat::Json => "info",
    };
    logging::start(options.settings.log_format, level, &bars);
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
    Ok(conclude(&status, &top, options.settings.log_format))
}

/// Says how the update went.
fn conclude(status: &RunStatus, top: &[TopShow], log_format: LogFormat) -> ExitCode {
    if status.state == RunState::Succeeded {
        print_summary(status, top);
        return ExitCode::SUCCESS;
    }
    let error = status.error.as_deref().unwrap_or_default();
    let (sentence, code) = match status.state {
        RunState::Failed => {
            (format!("The update failed and changed nothing: {error}"), ExitCode::FAILURE)
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
        eprintln!("{sentence}");
    }
    code
}

fn print_summary(status: &RunStatus, top: &[TopShow]) {
    let seconds =
        status.started_at.zip(status.finished_at).map(|(start, end)| end.duration_since(start));
    let RunStatus { added, changed, deleted, requests, retries, rate_limited, .. } = status;
    let count = |number: &u32| HumanCount((*number).into());
    let shows = count(&status.shows_seen);
    match added + changed + deleted {
        0 => print!("Nothing changed: {shows} shows are as they were"),
        _ => print!(
            "Published {shows} shows: {} added, {} changed, {} deleted",
            count(added),
            count(changed),
            count(deleted)
        ),
    }
    println!(
        "; {:.1} s, {requests} requests, {retries} retries, {rate_limited} answers of 429.",
        seconds.map(|seconds| seconds.as_secs_f64()).unwrap_or_default(),
    );
    if top.is_empty() {
        return;
    }
    println!("\n{:>4}  {:>6}  {:<10}  {:>7}  SHOW", "RANK", "RATING", "PREMIERED", "ID");
    for (rank, show) in (1..).zip(top) {
        let rating = show.rating.map_or_else(|| "-".to_owned(), |rating| format!("{rating:.1}"));
        let premiered = show.premiered.as_deref().unwrap_or("-");
        println!("{rank:>4}  {rating:>6}  {premiered:<10}  {:>7}  {}", show.id.0, show.name);
    }
}
