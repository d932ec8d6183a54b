use std::process::ExitCode;

use indicatif::HumanCount;
use tvshows_core::{RunQueue, RunState, RunStatus};

use crate::cli::Runs;
use crate::{database, output};

pub(crate) async fn run(options: &Runs) -> anyhow::Result<ExitCode> {
    let store = database::open_existing(&options.database).await?;
    let runs = store.list(options.limit.get().into()).await?;
    if options.json {
        output::print_json(&runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let header =
        ["STARTED", "STATE", "SECONDS", "SHOWS", "ADDED", "CHANGED", "DELETED", "REQUESTS", "ID"];
    output::print_table(&header, runs.iter().map(row))?;
    for status in runs.iter().filter(|status| status.state == RunState::Failed) {
        let error = status.error.as_deref().unwrap_or_default();
        output::print_line(format!("{}: {error}", status.request_id))?;
    }
    Ok(ExitCode::SUCCESS)
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
