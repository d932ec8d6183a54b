use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use indicatif::{HumanCount, MultiProgress};
use tvshows_core::{RunState, RunStatus, Trigger};

use crate::cli::{LogFormat, Status};
use crate::output::count;
use crate::progress_bar::ProgressView;
use crate::run_source::RunSource;
use crate::{output, signals};

use super::update::malformed_shows;

const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) async fn run(options: &Status) -> anyhow::Result<ExitCode> {
    let source = RunSource::open(options.service.as_ref(), &options.database).await?;
    let Some(status) = source.status(options.id).await? else {
        match options.id {
            Some(id) => bail!("there is no update {id}; `tvshows runs` lists them"),
            None => bail!("there has been no update yet; run `tvshows update`"),
        }
    };
    let status = if options.watch { watch(&source, status).await? } else { status };
    if options.json {
        output::print_json(&status)?;
    } else {
        output::print_lines(describe(&status))?;
    }
    let has_failed = options.watch && status.state != RunState::Succeeded;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn watch(source: &RunSource, mut status: RunStatus) -> anyhow::Result<RunStatus> {
    let mut view = ProgressView::new(&MultiProgress::new(), LogFormat::Text);
    let signal = signals::shutdown_signal();
    tokio::pin!(signal);
    loop {
        view.show(&status);
        if status.state.is_terminal() {
            view.finish();
            return Ok(status);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = &mut signal => return Ok(status),
        }
        status = source.status(Some(status.request_id)).await?.unwrap_or(status);
    }
}

fn describe(status: &RunStatus) -> Vec<String> {
    let number = |number: u32| HumanCount(number.into()).to_string();
    let progress = |done: u32, total: Option<u32>| match total {
        Some(total) => format!("{} of {}", number(done), number(total)),
        None => number(done),
    };
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let changes = (status.state == RunState::Succeeded).then(|| {
        format!(
            "{} added, {} changed, {} deleted, {} unchanged",
            number(status.changes.added),
            number(status.changes.changed),
            number(status.changes.deleted),
            number(status.changes.unchanged)
        )
    });
    let requests = match status.max_requests {
        Some(max) => {
            format!("{} of at most {}", HumanCount(status.counts.requests), HumanCount(max))
        }
        None => HumanCount(status.counts.requests).to_string(),
    };
    let ahead = |ahead| format!("{} ahead", count(ahead, "update", "updates"));
    let rows = [
        ("Update", Some(status.request_id.to_string())),
        ("State", Some(status.state.to_string())),
        ("Error", status.error.clone()),
        ("Queue", status.position.map(ahead)),
        ("Step", Some(format!("{}, {} %", status.step, status.progress))),
        ("Pages", Some(progress(status.pages_done, status.pages_total))),
        ("Shows", Some(number(status.shows_seen))),
        ("Details", status.details_total.map(|total| progress(status.details_done, Some(total)))),
        ("Casts", Some(progress(status.casts_done, status.casts_total))),
        ("Changes", changes),
        ("Malformed", (status.malformed_shows > 0).then(|| malformed_shows(status))),
        ("Requests", Some(requests)),
        ("Trigger", status.trigger.map(|trigger| describe_trigger(trigger).to_owned())),
        ("Started", time(status.started_at)),
        ("Finished", time(status.finished_at)),
        ("Time left", status.eta_seconds.map(|seconds| format!("{seconds} s"))),
    ];
    let lines = rows.into_iter().filter_map(|(name, value)| Some(format!("{name:<10} {}", value?)));
    lines.collect()
}

fn describe_trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Http => "HTTP request",
        Trigger::Schedule => "schedule",
        Trigger::CommandLine => "command line",
        Trigger::Startup => "start of the service",
    }
}
