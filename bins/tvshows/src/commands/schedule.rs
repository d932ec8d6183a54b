use std::process::ExitCode;

use tvshows_core::{Episode, Schedule};

use crate::cli;
use crate::clock::today;
use crate::database::{self, Need};
use crate::output;

pub(crate) async fn run(options: &cli::Schedule) -> anyhow::Result<ExitCode> {
    let stores = database::open_reader(&options.database.location()?, Need::Shows).await?;
    let catalog = stores.catalog.as_ref();
    let schedule = catalog.schedule(options.query(today())?).await?;
    if options.json {
        output::print_json(&schedule)?;
    } else if !schedule.episodes.is_empty() {
        print(&schedule)?;
    } else if catalog.stats().await?.tables.episodes == 0 {
        output::eprint_line(
            "No episodes are stored. Choose shows with DETAILS, such as `tvshows update --details \
             'language=English&status=Running'`.",
        );
    } else {
        output::eprint_line("No matching episodes.");
    }
    Ok(ExitCode::SUCCESS)
}

fn print(schedule: &Schedule) -> anyhow::Result<()> {
    let rows = schedule.episodes.iter().map(|episode| {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let dash = || "-".to_owned();
        let show = schedule.shows.get(&episode.show_id).map(|show| show.name.clone());
        vec![
            text(&episode.airdate).unwrap_or_else(dash),
            text(&episode.airtime).unwrap_or_else(dash),
            show.unwrap_or_default(),
            number(episode).unwrap_or_else(dash),
            episode.name.clone().unwrap_or_default(),
        ]
    });
    output::print_table(&["DATE", "TIME", "SHOW", "EPISODE", "TITLE"], rows)
}

/// Such as `1x02`; `None` for a special.
pub(super) fn number(episode: &Episode) -> Option<String> {
    Some(format!("{}x{:02}", episode.season?, episode.number?))
}
