use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{HumanCount, MultiProgress};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tvshows_core::{RunId, RunState, RunStatus, ShowStore};
use tvshows_pipeline::mark_interrupted;
use tvshows_sqlite::SqliteStore;

use crate::application::open_existing;
use crate::bar::View;
use crate::cli::{LogFormat, Status};
use crate::{output, signals};

/// How often a run is looked at.
const POLL: Duration = Duration::from_millis(500);
/// A service answers at once.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(options: &Status) -> anyhow::Result<ExitCode> {
    let source = Source::of(options).await?;
    let Some(status) = source.status(options.id).await? else {
        match options.id {
            Some(id) => bail!("there is no update {id}; `tvshows runs` lists them"),
            None => bail!("there was no update yet; `tvshows update` does one"),
        }
    };
    let watched = if options.watch { watch(&source, status).await? } else { status };
    if options.json {
        output::print_json(&watched)?;
    } else {
        print(&watched)?;
    }
    let has_failed = options.watch && watched.state != RunState::Succeeded;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Who knows how a run goes.
enum Source {
    File(Box<SqliteStore>),
    Service { client: reqwest::Client, url: Url },
}

impl Source {
    async fn of(options: &Status) -> anyhow::Result<Source> {
        let Some(url) = &options.service else {
            return Ok(Source::File(Box::new(open_existing(&options.database).await?)));
        };
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Source::Service { client, url: url.clone() })
    }

    /// The status of a run, or of the newest one.
    async fn status(&self, run: Option<RunId>) -> anyhow::Result<Option<RunStatus>> {
        match self {
            Source::File(store) => {
                let mut status = match run {
                    Some(run) => store.run(run).await?,
                    None => store.runs(1).await?.pop(),
                };
                if let Some(status) = &mut status {
                    mark_interrupted(store.as_ref(), status).await?;
                }
                Ok(status)
            }
            Source::Service { client, url } => ask(client, url, run).await,
        }
    }
}

/// One run, or the newest of several.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    status: Option<RunStatus>,
    runs: Vec<RunStatus>,
}

async fn ask(
    client: &reqwest::Client,
    url: &Url,
    run: Option<RunId>,
) -> anyhow::Result<Option<RunStatus>> {
    let path = match run {
        Some(run) => format!("pipeline/status/{run}"),
        None => "pipeline/runs?limit=1".to_owned(),
    };
    let address = format!("{}/{path}", url.as_str().trim_end_matches('/'));
    let unusable = || format!("{url} does not answer as a tvshows service");
    let answer = client.get(address).send().await.with_context(unusable)?;
    if answer.status() == StatusCode::NOT_FOUND && run.is_some() {
        return Ok(None);
    }
    let answer = answer.error_for_status().with_context(unusable)?;
    let body = answer.bytes().await.with_context(unusable)?;
    let mut answer: Answer = serde_json::from_slice(&body).with_context(unusable)?;
    Ok(answer.status.or_else(|| answer.runs.pop()))
}

async fn watch(source: &Source, mut status: RunStatus) -> anyhow::Result<RunStatus> {
    let mut view = View::new(&MultiProgress::new(), LogFormat::Text);
    let stopped = signals::stop();
    tokio::pin!(stopped);
    loop {
        view.show(&status);
        if status.state.is_terminal() {
            view.finish();
            return Ok(status);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = &mut stopped => return Ok(status),
        }
        status = source.status(Some(status.request_id)).await?.unwrap_or(status);
    }
}

fn print(status: &RunStatus) -> anyhow::Result<()> {
    let count = |number: u32| HumanCount(number.into()).to_string();
    let of = |done: u32, total: Option<u32>| match total {
        Some(total) => format!("{} of {}", count(done), count(total)),
        None => count(done),
    };
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let changes = (status.state == RunState::Succeeded).then(|| {
        format!(
            "{} added, {} changed, {} deleted, {} unchanged",
            count(status.added),
            count(status.changed),
            count(status.deleted),
            count(status.unchanged)
        )
    });
    let facts = [
        ("Update", Some(status.request_id.to_string())),
        ("State", Some(status.state.to_string())),
        ("Error", status.error.clone()),
        ("Waits for", status.position.map(|ahead| format!("{ahead} updates"))),
        ("Step", Some(format!("{}, {} %", status.step, status.progress))),
        ("Pages", Some(of(status.pages_done, status.pages_total))),
        ("Shows", Some(count(status.shows_seen))),
        ("Casts", Some(of(status.casts_done, status.casts_total))),
        ("Changes", changes),
        ("Requests", Some(HumanCount(status.requests).to_string())),
        ("Started", time(status.started_at)),
        ("Finished", time(status.finished_at)),
        ("Time left", status.eta_seconds.map(|seconds| format!("{seconds} s"))),
    ];
    let line = |(name, value): (&str, String)| format!("{name:<10} {value}\n");
    let lines = facts.into_iter().filter_map(|(name, value)| Some(line((name, value?))));
    output::print(lines.collect::<String>())
}
