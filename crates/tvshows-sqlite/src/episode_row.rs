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

/// The columns for [`read`], in their order.
pub(crate) static COLUMNS: LazyLock<String> =
    LazyLock::new(|| Table::Episodes.column_names().collect::<Vec<_>>().join(", "));

/// Returns the published rows of a show.
pub(crate) fn published(connection: &Connection, show: ShowId) -> SqlResult<Vec<Episode>> {
    let sql = format!("SELECT {} FROM Episodes WHERE show_id = ?1 ORDER BY position", *COLUMNS);
    connection.prepare_cached(&sql)?.query_map([show.0], read)?.collect()
}

/// Reads a row of [`COLUMNS`]. Not by their names, which would take half of the time of a schedule.
pub(crate) fn read(row: &Row<'_>) -> SqlResult<Episode> {
    Ok(Episode {
        id: row.get(0)?,
        show_id: ShowId(row.get(1)?),
        season: row.get(2)?,
        number: row.get(3)?,
        kind: row.get(4)?,
        name: row.get(5)?,
        airdate: row.get(6)?,
        airtime: row.get(7)?,
        airstamp: row.get(8)?,
        runtime: row.get(9)?,
        rating_average: row.get(10)?,
        summary: row.get(11)?,
        image_medium: row.get(12)?,
        image_original: row.get(13)?,
        url: row.get(14)?,
        extra: extra::read(row, 17)?,
    })
}
