//! A row of `Episodes` and `_Staged_Episodes`.

use std::sync::LazyLock;

use rusqlite::{Connection, Row, Statement, params};
use tvshows_core::{Episode, ShowId, Table};

use crate::error::SqlResult;
use crate::{columns, extra};

/// Stages a row for [`insert`].
pub(crate) static INSERT_STAGED: LazyLock<String> = LazyLock::new(|| {
    columns::insert("INSERT INTO _Staged_Episodes", Table::Episodes.column_names())
});

/// Binds the columns in their order.
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    position: u32,
    episode: &Episode,
    at: &str,
) -> SqlResult<usize> {
    statement.execute(params![
        episode.id,
        episode.show_id.0,
        episode.season,
        episode.number,
        episode.kind,
        episode.name,
        episode.airdate,
        episode.airtime,
        episode.airstamp,
        episode.runtime,
        episode.rating_average,
        episode.summary,
        episode.image_medium,
        episode.image_original,
        episode.url,
        at,
        position,
        extra::to_text(&episode.extra)?,
    ])
}

/// Returns the published rows of a show.
pub(crate) fn published(connection: &Connection, show: ShowId) -> SqlResult<Vec<Episode>> {
    let mut select =
        connection.prepare_cached("SELECT * FROM Episodes WHERE show_id = ?1 ORDER BY position")?;
    select.query_map([show.0], read)?.collect()
}

/// Reads a row by the names of its columns.
pub(crate) fn read(row: &Row<'_>) -> SqlResult<Episode> {
    Ok(Episode {
        id: row.get("id")?,
        show_id: ShowId(row.get("show_id")?),
        season: row.get("season")?,
        number: row.get("number")?,
        kind: row.get("type")?,
        name: row.get("name")?,
        airdate: row.get("airdate")?,
        airtime: row.get("airtime")?,
        airstamp: row.get("airstamp")?,
        runtime: row.get("runtime")?,
        rating_average: row.get("rating_average")?,
        summary: row.get("summary")?,
        image_medium: row.get("image_medium")?,
        image_original: row.get("image_original")?,
        url: row.get("url")?,
        extra: extra::read(row)?,
    })
}
