use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use jiff::civil::Date;
use tvmaze_client::plain_text;
use tvshows_core::{
    CastRow, Catalog, Episode, ExternalDatabase, ExternalId, Show, ShowFilter, ShowId, ShowQuery,
    Sort, SortBy,
};

use super::schedule::number;
use crate::clock::today;
use crate::database::{self, Need};
use crate::{cli, output};

pub(crate) async fn run(options: &cli::Show) -> anyhow::Result<ExitCode> {
    let stores = database::open_reader(&options.database.location()?, Need::Shows).await?;
    let catalog = stores.catalog.as_ref();
    let show = find(catalog, &options.id_or_name.join(" ")).await?;
    if options.json {
        output::print_json(&show)?;
    } else {
        let cast = catalog.cast(show.id).await?.unwrap_or_default();
        let episodes = catalog.episodes(show.id).await?;
        output::print_lines(describe(&show, &cast, episodes.as_deref(), today()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The show with this id, or else the best match for this name: a name can be a number, such as `1992`.
async fn find(catalog: &dyn Catalog, id_or_name: &str) -> anyhow::Result<Show> {
    if let Some(id) = external_id(id_or_name)? {
        let show = catalog.show(id.clone().into()).await?;
        return show.with_context(|| format!("no published show has the id {id}"));
    }
    if let Ok(id) = id_or_name.parse()
        && let Some(show) = catalog.show(ShowId(id).into()).await?
    {
        return Ok(show);
    }
    let text = id_or_name.parse().context("invalid name")?;
    let filter = ShowFilter { text: Some(text), ..ShowFilter::default() };
    let sort = Sort { by: SortBy::Relevance, descending: false };
    let query = ShowQuery { filter, sort, limit: 1, ..ShowQuery::default() };
    let mut page = catalog.shows(query).await?;
    match page.shows.pop() {
        Some(show) => Ok(show),
        None => bail!("no published show matches {id_or_name:?}; try `tvshows search`"),
    }
}

/// Parses a text such as `imdb:tt0944947`; `None` if it does not begin with the name of a database and a colon.
fn external_id(text: &str) -> anyhow::Result<Option<ExternalId>> {
    let Some((name, id)) = text.split_once(':') else { return Ok(None) };
    let is_named = |database: &ExternalDatabase| database.name().eq_ignore_ascii_case(name);
    let Some(database) = ExternalDatabase::ALL.into_iter().find(is_named) else { return Ok(None) };
    let id = ExternalId::parse(database, id.trim());
    id.map(Some).map_err(|error| anyhow!("the id in {text:?} {error}"))
}

fn describe(
    show: &Show,
    cast: &[CastRow],
    episodes: Option<&[Episode]>,
    today: Date,
) -> Vec<String> {
    let mut lines = vec![format!("{} (show {})", show.name, show.id)];
    let rating = show.rating_average.map(|rating| format!("{rating:.1}"));
    let runtime = show.average_runtime.or(show.runtime).map(|minutes| format!("{minutes} min"));
    let rows = [
        ("Type", show.kind.clone()),
        ("Language", show.language.clone()),
        ("Genres", Some(show.genres.join(", ")).filter(|genres| !genres.is_empty())),
        ("Status", show.status.clone()),
        ("Premiered", show.premiered.clone()),
        ("Ended", show.ended.clone()),
        ("Rating", rating),
        ("Runtime", runtime),
        ("Episodes", episodes.map(|episodes| episodes.len().to_string())),
        ("Next", episodes.and_then(|episodes| next_episode(episodes, today))),
        ("Site", show.official_site.clone()),
        ("TVmaze", show.url.clone()),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            lines.push(format!("{name:<10} {value}"));
        }
    }
    if let Some(summary) = &show.summary {
        lines.push(String::new());
        lines.extend(plain_text(summary).lines().map(str::to_owned));
    }
    if !cast.is_empty() {
        lines.extend([String::new(), "Cast".to_owned()]);
    }
    lines.extend(
        cast.iter()
            .map(|row| format!("  {} as {}", row.member.person_name, row.member.character_name)),
    );
    lines
}

/// The next episode from today on, such as `2026-11-30 20:30, 1x02: Title`.
fn next_episode(episodes: &[Episode], today: Date) -> Option<String> {
    let today = today.to_string();
    let is_ahead = |episode: &&Episode| episode.airdate.as_ref().is_some_and(|day| *day >= today);
    let next = episodes.iter().filter(is_ahead);
    let next = next.min_by_key(|episode| (&episode.airdate, &episode.airtime))?;
    let words = [&next.airdate, &next.airtime].into_iter().flatten().map(String::as_str);
    let time = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let title = number(next).into_iter().chain(next.name.clone()).collect::<Vec<_>>().join(": ");
    Some(format!("{time}, {title}"))
}
