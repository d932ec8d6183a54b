use std::process::ExitCode;

use indicatif::HumanCount;
use tvshows_core::{Show, ShowQuery};

use crate::cli::Search;
use crate::database::{self, Need};
use crate::output;

pub(crate) async fn run(options: &Search) -> anyhow::Result<ExitCode> {
    let stores = database::open_reader(&options.database.location()?, Need::Shows).await?;
    let catalog = stores.catalog.as_ref();
    let query = ShowQuery {
        filter: options.filter()?,
        sort: options.sort(),
        limit: options.limit.get().into(),
        ..ShowQuery::default()
    };
    let page = catalog.shows(query).await?;
    output::warn_unmatched(&page.unmatched);
    if options.json {
        output::print_json(&page.shows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if page.shows.is_empty() {
        output::eprint_line("No matching shows.");
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["ID", "RATING", "PREMIERED", "LANGUAGE", "GENRES", "SHOW"];
    output::print_table(&header, page.shows.iter().map(row))?;
    if page.next.is_some() {
        let (shown, total) = (page.shows.len(), HumanCount(page.total));
        output::eprint_line(format!("{shown} of {total} matching shows; use --limit to see more."));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(show: &Show) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let rating =
        show.rating_average.map_or_else(|| "-".to_owned(), |rating| format!("{rating:.1}"));
    vec![
        show.id.to_string(),
        rating,
        text(&show.premiered),
        text(&show.language),
        show.genres.join(", "),
        show.name.clone(),
    ]
}
