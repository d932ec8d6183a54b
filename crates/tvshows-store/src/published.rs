//! Reads of the three published tables.

use rusqlite::{Connection, OptionalExtension};
use tvshows_core::{MultiCharacterActor, Show, ShowId, TopShow};

use crate::error::SqlResult;
use crate::show_row;

pub(crate) fn show(connection: &Connection, id: ShowId) -> SqlResult<Option<Show>> {
    let mut select = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    select.query_row([id.0], show_row::read).optional()
}

pub(crate) fn last_show_id(connection: &Connection) -> SqlResult<Option<ShowId>> {
    let last: Option<u32> =
        connection.query_row("SELECT max(id) FROM All_Shows", [], |row| row.get(0))?;
    Ok(last.map(ShowId))
}

pub(crate) fn top_shows(connection: &Connection, limit: u32) -> SqlResult<Vec<TopShow>> {
    let mut select = connection.prepare_cached(
        "SELECT id, name, rating_average, premiered FROM Top_Shows ORDER BY rank LIMIT ?1",
    )?;
    let rows = select.query_map([limit], |row| {
        Ok(TopShow {
            id: ShowId(row.get(0)?),
            name: row.get(1)?,
            rating: row.get(2)?,
            premiered: row.get(3)?,
        })
    })?;
    rows.collect()
}

pub(crate) fn multi_character_actors(
    connection: &Connection,
) -> SqlResult<Vec<MultiCharacterActor>> {
    let mut select = connection.prepare_cached(
        "SELECT person_name, count(DISTINCT character_id) AS characters FROM Top_Shows_Cast \
         GROUP BY person_id HAVING characters > 1 ORDER BY characters DESC, person_name, person_id",
    )?;
    let rows = select.query_map([], |row| {
        Ok(MultiCharacterActor { person_name: row.get(0)?, character_count: row.get(1)? })
    })?;
    rows.collect()
}
