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
        LogFormat::Text => "warn,tvshows_pipeline::runner=off",
        LogFormat::Json => "info",
    };
    logging::start(options.settings.log_format, level, &bars);
    let application = Application::build(&options.settings).await?;
    let run = application.runner.submit(options.parameters())?.status.request_id;
    let statuses = application.runner.subscribe(run).context("the run was forgotten")?;
    let mut top = Vec::new();
    tokio::select! {
        status = bar::follow(statuses.clone(), &bars, options.settings.log_format) => {
            if status.state == RunState::Succeeded {
                top = application.store.top_shows(status.top.into()).await?;
            }
        }
        () = signals::stop() => {}
    }
    application.shutdown(std::future::ready(())).await;
    let status = statuses.borrow().clone();
    if status.state == RunState::Succeeded {
        print_summary(&status, &top);
        return Ok(ExitCode::SUCCESS);
    }
    let reason = status.error.as_deref().unwrap_or("it was cancelled");
    if matches!(options.settings.log_format, LogFormat::Text) {
        eprintln!("The update failed and changed nothing: {reason}");
    }
    let stopped = status.state != RunState::Failed;
    Ok(if stopped { ExitCode::from(STOPPED) } else { ExitCode::FAILURE })
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
