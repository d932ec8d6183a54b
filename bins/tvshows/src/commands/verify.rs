use std::process::ExitCode;

use indicatif::{HumanCount, MultiProgress};
use tvshows_core::ShowId;
use tvshows_pipeline::{DriftReport, RunLog, error_chain};

use crate::cli::{LogFormat, Verify};
use crate::database::{self, Need};
use crate::location::Location;
use crate::output::count;
use crate::upstream::Upstream;
use crate::{logging, output};

/// How many ids of each kind, and how many errors, are listed.
const MAX_LISTED: usize = 10;

pub(crate) async fn run(options: &Verify) -> anyhow::Result<ExitCode> {
    let run_log = RunLog::default();
    logging::start(LogFormat::Text, "warn", &MultiProgress::new(), None, &run_log)?;
    let location = options.database.location()?;
    let stores = database::open_reader(&location, Need::Manifest).await?;
    let catalog = stores.catalog.as_ref();
    let damage = catalog.integrity_check().await?;
    if !damage.is_empty() {
        let damage = list(&damage, "\n");
        output::print_lines(damage.lines().map(|line| format!("damaged: {line}")))?;
        let advice = match location {
            Location::File(_) => {
                "Replace the file with a backup, or move it away and run `tvshows update`."
            }
            Location::Shared(_) => {
                "Restore the database from a backup. A local copy can be deleted; it is filled again."
            }
        };
        output::print_line(advice)?;
        return Ok(ExitCode::FAILURE);
    }
    let upstream = Upstream::connect(&options.upstream.tvmaze_base_url).await?;
    let drift = tvshows_pipeline::verify(&upstream.client, catalog).await;
    let drift = drift.map_err(|error| anyhow::anyhow!(error_chain(&error)))?;
    output::print_lines(describe(&drift))?;
    Ok(if drift.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(drift: &DriftReport) -> Vec<String> {
    let DriftReport { published, upstream, missing, stale, removed } = drift;
    let mut lines = vec![format!(
        "{} in the database, {} at TVmaze.",
        count(*published as u64, "show", "shows"),
        HumanCount(*upstream as u64)
    )];
    for (shows, kind) in [(missing, "missing"), (stale, "outdated"), (removed, "deleted at TVmaze")]
    {
        if !shows.is_empty() {
            let ids: Vec<_> = shows.iter().map(ShowId::to_string).collect();
            let number = HumanCount(ids.len() as u64);
            lines.push(format!("{number} {kind}: {}", list(&ids, ", ")));
        }
    }
    let conclusion = if drift.is_empty() {
        "No show is missing, outdated, or deleted at TVmaze."
    } else {
        "Run `tvshows update` to bring the database up to date."
    };
    lines.push(conclusion.to_owned());
    lines
}

fn list(items: &[String], separator: &str) -> String {
    let listed = items[..items.len().min(MAX_LISTED)].join(separator);
    if items.len() > MAX_LISTED { listed + separator + "…" } else { listed }
}
