//! Reads of the three published tables.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use tvshows_core::{
    MultiCharacterActor, PublishedManifest, Show, ShowId, ShowVersion, StagingState, TopShow,
};

use crate::error::{SqlResult, unreadable};
use crate::show_row;

pub(crate) fn show(connection: &Connection, id: ShowId) -> SqlResult<Option<Show>> {
    let mut select = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    select.query_row([id.0], show_row::read).optional()
}

/// What the next run needs to know. Read in one transaction.
pub(crate) fn published(connection: &Connection) -> SqlResult<PublishedManifest> {
    let transaction = connection.unchecked_transaction()?;
    let shows = versions(&transaction, "SELECT id, updated, processed_at FROM Show_Facets")?;
    let pages = moments(&transaction, "SELECT page, fetched_at FROM Index_Pages")?;
    let casts = rows(&transaction, "SELECT id, updated FROM Top_Shows", cast_version)?;
    Ok(PublishedManifest { shows, pages, casts })
}

/// What an interrupted run needs to know to go on. Read in one transaction.
pub(crate) fn staged(connection: &Connection) -> SqlResult<StagingState> {
    let transaction = connection.unchecked_transaction()?;
    let (keeps_published, idle_resumes) = transaction.query_row(
        "SELECT keeps_published, idle_resumes FROM Staged_Run",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let pages = moments(&transaction, "SELECT page, staged_at FROM Staged_Pages")?;
    let shows = versions(&transaction, "SELECT * FROM Snapshot_Versions")?;
    let mut snapshot = PublishedManifest { shows, pages: pages.clone(), casts: BTreeMap::new() };
    if keeps_published {
        snapshot.pages = moments(&transaction, "SELECT page, fetched_at FROM Index_Pages")?;
        snapshot.pages.extend(&pages);
        snapshot.casts = rows(&transaction, "SELECT id, updated FROM Top_Shows", cast_version)?;
    }
    let casts = rows(&transaction, "SELECT show_id, updated FROM Staged_Casts", cast_version)?;
    snapshot.casts.extend(casts);
    Ok(StagingState { keeps_published, idle_resumes, pages, snapshot })
}

fn versions(connection: &Connection, sql: &str) -> SqlResult<BTreeMap<ShowId, ShowVersion>> {
    rows(connection, sql, |row| {
        let version = ShowVersion { updated: row.get(1)?, fetched_at: moment(row, 2)? };
        Ok((ShowId(row.get(0)?), version))
    })
}

fn moments(connection: &Connection, sql: &str) -> SqlResult<BTreeMap<u32, Timestamp>> {
    rows(connection, sql, |row| Ok((row.get(0)?, moment(row, 1)?)))
}

fn cast_version(row: &Row<'_>) -> SqlResult<(ShowId, Option<i64>)> {
    Ok((ShowId(row.get(0)?), row.get(1)?))
}

fn rows<K: Ord, V>(
    connection: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> SqlResult<(K, V)>,
) -> SqlResult<BTreeMap<K, V>> {
    connection.prepare_cached(sql)?.query_map([], read)?.collect()
}

fn moment(row: &Row<'_>, column: usize) -> SqlResult<Timestamp> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| unreadable(column, error))
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
