use std::process::ExitCode;

use indicatif::{HumanCount, MultiProgress};
use tvshows_core::ShowId;
use tvshows_pipeline::Difference;

use crate::application::open_existing;
use crate::cli::{Database, Settings};
use crate::logging;
use crate::upstream::Upstream;

/// How many ids of a kind are named.
const NAMED: usize = 10;

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    logging::start(settings.log_format, "warn", &MultiProgress::new());
    let database = Database { database_path: settings.database_path.clone() };
    let store = open_existing(&database).await?;
    let damage = store.damage().await?;
    if !damage.is_empty() {
        println!("damaged: {}", damage.join("\ndamaged: "));
        println!("Put a copy in the place of the file, or move it away and run `tvshows update`.");
        return Ok(ExitCode::FAILURE);
    }
    let upstream = Upstream::at(&settings.tvmaze_base_url).await?;
    let difference = tvshows_pipeline::verify(&upstream.client, &store).await;
    let difference = difference.map_err(|error| anyhow::anyhow!(error.sentence()))?;
    print(&difference);
    if difference.is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("Run `tvshows update` to bring the database up to date.");
    Ok(ExitCode::FAILURE)
}

fn print(difference: &Difference) {
    let count = |number: usize| HumanCount(number as u64);
    let Difference { published, listed, missing, stale, gone } = difference;
    println!("{} shows here, {} at TVmaze.", count(*published), count(*listed));
    for (shows, what) in
        [(missing, "missing here"), (stale, "changed at TVmaze since"), (gone, "gone from TVmaze")]
    {
        if !shows.is_empty() {
            println!("{} {what}: {}", count(shows.len()), names(shows));
        }
    }
    if difference.is_none() {
        println!("None is missing, stale or gone.");
    }
}

fn names(shows: &[ShowId]) -> String {
    let named = shows.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if shows.len() > NAMED { format!("{named}, …") } else { named }
}
