use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::HumanCount;
use tvshows_core::{RunId, RunState, RunStatus};

use crate::cli::Runs;
use crate::run_source::RunSource;
use crate::{output, signals};

const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// More than can be unfinished in one history, or change between two polls.
const FOLLOWED_RUNS: u32 = 100;
const HEADER: [&str; 9] =
    ["STARTED", "STATE", "SECONDS", "SHOWS", "ADDED", "CHANGED", "DELETED", "REQUESTS", "ID"];
/// The widths of the columns with --follow, where the next lines are not known yet.
const WIDTHS: [usize; 9] = [20, 11, 7, 9, 9, 9, 9, 8, 36];

pub(crate) async fn run(options: &Runs) -> anyhow::Result<ExitCode> {
    let source = RunSource::open(options.service.as_ref(), &options.database).await?;
    let runs = source.runs(options.limit.get().into()).await?;
    if options.follow {
        return follow(&source, runs, options.json).await;
    }
    if options.json {
        output::print_json(&runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print_table(&HEADER, runs.iter().map(row))?;
    runs.iter().filter_map(failure).try_for_each(output::print_line)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints `runs`, and then every run whose state changes, until a signal.
async fn follow(source: &RunSource, runs: Vec<RunStatus>, json: bool) -> anyhow::Result<ExitCode> {
    let signal = signals::shutdown_signal();
    tokio::pin!(signal);
    if !json {
        output::print_line(line(&HEADER.map(str::to_owned)))?;
    }
    let mut known: HashMap<RunId, RunState> = HashMap::new();
    print_changes(&known, &runs, json)?;
    // The older ones are not news.
    let older = source.runs(FOLLOWED_RUNS).await?;
    known.extend(older.iter().chain(&runs).map(|status| (status.request_id, status.state)));
    let mut is_failing = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = &mut signal => return Ok(ExitCode::SUCCESS),
        }
        match source.runs(FOLLOWED_RUNS).await {
            Ok(runs) => {
                print_changes(&known, &runs, json)?;
                known = runs.iter().map(|status| (status.request_id, status.state)).collect();
                is_failing = false;
            }
            Err(error) if !is_failing => {
                output::eprint_line(format!("warning: {error:#}; retrying"));
                is_failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Prints the runs that are new or in another state than before, oldest first.
fn print_changes(
    known: &HashMap<RunId, RunState>,
    runs: &[RunStatus],
    json: bool,
) -> anyhow::Result<()> {
    let is_change = |status: &&RunStatus| known.get(&status.request_id) != Some(&status.state);
    for status in runs.iter().rev().filter(is_change) {
        if json {
            output::print_json(status)?;
        } else {
            output::print_line(line(&row(status)))?;
            failure(status).map_or(Ok(()), output::print_line)?;
        }
    }
    Ok(())
}

/// The columns of a run in fixed widths.
fn line(columns: &[String]) -> String {
    let columns = columns.iter().zip(WIDTHS).map(|(text, width)| format!("{text:<width$}"));
    columns.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Why a run failed.
fn failure(status: &RunStatus) -> Option<String> {
    let error = status.error.as_deref().filter(|_| status.state == RunState::Failed)?;
    Some(format!("{}: {error}", status.request_id))
}

fn row(status: &RunStatus) -> Vec<String> {
    let started = status.started_at.map_or("-".to_owned(), |at| format!("{at:.0}"));
    let seconds = status
        .started_at
        .zip(status.finished_at)
        .map(|(start, end)| format!("{:.1}", end.duration_since(start).as_secs_f64()));
    let count = |number: u64| HumanCount(number).to_string();
    vec![
        started,
        status.state.to_string(),
        seconds.unwrap_or_else(|| "-".to_owned()),
        count(status.shows_seen.into()),
        count(status.changes.added.into()),
        count(status.changes.changed.into()),
        count(status.changes.deleted.into()),
        count(status.counts.requests),
        status.request_id.to_string(),
    ]
}
