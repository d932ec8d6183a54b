//! A show as a row of `All_Shows` and `_Staged_Shows`.

use std::sync::LazyLock;

use rusqlite::{Row, Statement, params};
use tvshows_core::{RawJson, Show, ShowId, Table};

use crate::error::{SqlResult, invalid_text};
use crate::{columns, extra};

/// Stages a row for [`insert`], unless the show is staged already.
pub(crate) static INSERT_STAGED: LazyLock<String> = LazyLock::new(|| {
    columns::insert("INSERT OR IGNORE INTO _Staged_Shows", Table::AllShows.column_names())
});

/// Counts the staged rows that differ from the published row in more than the time they were fetched.
pub(crate) fn count_changed() -> String {
    let compared =
        Table::AllShows.column_names().filter(|column| !matches!(*column, "id" | "processed_at"));
    let differences: Vec<_> =
        compared.map(|column| format!("s.{column} IS NOT a.{column}")).collect();
    let differs = differences.join(" OR ");
    format!("SELECT count(*) FROM _Staged_Shows s JOIN All_Shows a USING (id) WHERE {differs}")
}

/// Binds the columns in their order.
pub(crate) fn insert(statement: &mut Statement<'_>, show: &Show, at: &str) -> SqlResult<usize> {
    statement.execute(params![
        show.id.0,
        show.name,
        show.kind,
        show.language,
        show.genres.join(","),
        show.status,
        show.premiered,
        show.ended,
        show.rating_average,
        show.summary,
        show.updated,
        at,
        show.url,
        show.runtime,
        show.average_runtime,
        show.official_site,
        show.weight,
        show.schedule.as_ref().map(RawJson::as_str),
        show.network.as_ref().map(RawJson::as_str),
        show.web_channel.as_ref().map(RawJson::as_str),
        show.dvd_country.as_ref().map(RawJson::as_str),
        show.externals.as_ref().map(RawJson::as_str),
        show.image.as_ref().map(RawJson::as_str),
        show.links.as_ref().map(RawJson::as_str),
        extra::to_text(&show.extra)?,
    ])
}

/// Reads a row by the names of its columns.
pub(crate) fn read(row: &Row<'_>) -> SqlResult<Show> {
    let genres: String = row.get("genres")?;
    Ok(Show {
        id: ShowId(row.get("id")?),
        name: row.get("name")?,
        kind: row.get("type")?,
        language: row.get("language")?,
        genres: genres.split(',').filter(|genre| !genre.is_empty()).map(str::to_owned).collect(),
        status: row.get("status")?,
        premiered: row.get("premiered")?,
        ended: row.get("ended")?,
        rating_average: row.get("rating_average")?,
        summary: row.get("summary")?,
        updated: row.get("updated")?,
        url: row.get("url")?,
        runtime: row.get("runtime")?,
        average_runtime: row.get("average_runtime")?,
        official_site: row.get("official_site")?,
        weight: row.get("weight")?,
        schedule: json(row, "schedule")?,
        network: json(row, "network")?,
        web_channel: json(row, "web_channel")?,
        dvd_country: json(row, "dvd_country")?,
        externals: json(row, "externals")?,
        image: json(row, "image")?,
        links: json(row, "links")?,
        extra: extra::read(row, row.as_ref().column_index("extra")?)?,
    })
}

fn json(row: &Row<'_>, column: &str) -> SqlResult<Option<RawJson>> {
    let text: Option<String> = row.get(column)?;
    let parsed = text.map(RawJson::parse).transpose();
    parsed
        .map_err(|error| invalid_text(row.as_ref().column_index(column).unwrap_or_default(), error))
}
