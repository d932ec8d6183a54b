use std::process::ExitCode;

use tvshows_core::TopShow;

use crate::cli::Top;
use crate::database::{self, Need};
use crate::output;

pub(crate) async fn run(options: &Top) -> anyhow::Result<ExitCode> {
    let stores = database::open_reader(&options.database.location()?, Need::Shows).await?;
    let catalog = stores.catalog.as_ref();
    let shows = catalog.top_shows(options.limit.get().into()).await?;
    if options.json {
        output::print_json(&shows)?;
    } else {
        print_top_shows(&shows)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_top_shows(shows: &[TopShow]) -> anyhow::Result<()> {
    let rows = (1..).zip(shows).map(|(rank, show): (u32, &TopShow)| {
        let rating = show.rating.map_or_else(|| "-".to_owned(), |rating| format!("{rating:.1}"));
        let premiered = show.premiered.clone().unwrap_or_else(|| "-".to_owned());
        vec![rank.to_string(), rating, premiered, show.id.to_string(), show.name.clone()]
    });
    output::print_table(&["RANK", "RATING", "PREMIERED", "ID", "SHOW"], rows)
}
