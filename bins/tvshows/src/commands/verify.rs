use std::fmt::Write;
use std::process::ExitCode;

use indicatif::{HumanCount, MultiProgress};
use tvshows_core::ShowId;
use tvshows_pipeline::Difference;

use crate::application::open_existing;
use crate::cli::{LogFormat, Verify};
use crate::traces::Traces;
use crate::upstream::Upstream;
use crate::{logging, output};

/// How many ids of a kind, and how many damages, are named.
const NAMED: usize = 10;

pub(crate) async fn run(options: &Verify) -> anyhow::Result<ExitCode> {
    logging::start(LogFormat::Text, "warn", &MultiProgress::new(), &Traces::default());
    let store = open_existing(&options.database).await?;
    let damage = store.damage().await?;
    if !damage.is_empty() {
        output::print(format!(
            "damaged: {}\nPut a copy in the place of the file, or move it away and run `tvshows update`.\n",
            first(&damage, "\ndamaged: ")
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    let upstream = Upstream::at(&options.upstream.tvmaze_base_url).await?;
    let difference = tvshows_pipeline::verify(&upstream.client, &store).await;
    let difference = difference.map_err(|error| anyhow::anyhow!(error.sentence()))?;
    output::print(told(&difference)?)?;
    Ok(if difference.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(difference: &Difference) -> anyhow::Result<String> {
    let count = |number: usize| HumanCount(number as u64);
    let Difference { published, listed, missing, stale, gone } = difference;
    let mut text = format!("{} shows here, {} at TVmaze.\n", count(*published), count(*listed));
    let kinds =
        [(missing, "missing here"), (stale, "changed at TVmaze since"), (gone, "gone from TVmaze")];
    for (shows, what) in kinds.into_iter().filter(|(shows, _)| !shows.is_empty()) {
        let names: Vec<_> = shows.iter().map(ShowId::to_string).collect();
        writeln!(text, "{} {what}: {}", count(shows.len()), first(&names, ", "))?;
    }
    text += if difference.is_none() {
        "None is missing, stale or gone.\n"
    } else {
        "Run `tvshows update` to bring the database up to date.\n"
    };
    Ok(text)
}

fn first(items: &[String], separator: &str) -> String {
    let named = items[..items.len().min(NAMED)].join(separator);
    if items.len() > NAMED { named + separator + "…" } else { named }
}
