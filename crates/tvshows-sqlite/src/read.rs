//! Reads of the published and the staged tables.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use tvshows_core::{
    MultiCharacterActor, PublishedManifest, Show, ShowId, ShowKey, ShowMap, ShowVersion,
    StagingState, TopShow,
};

use crate::error::{SqlResult, invalid_text};
use crate::external_ids::ExternalIdIndex;
use crate::index_cache::IndexCache;
use crate::{details, show_row, staging};

pub(crate) fn show(
    connection: &Connection,
    external_ids: &IndexCache<ExternalIdIndex>,
    key: &ShowKey,
) -> SqlResult<Option<Show>> {
    match key {
        ShowKey::Id(id) => {
            let mut select = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
            select.query_row([id.0], show_row::read).optional()
        }
        ShowKey::External(id) => {
            let transaction = connection.unchecked_transaction()?;
            external_ids.get_or_read(&transaction, ExternalIdIndex::read)?.find(&transaction, id)
        }
    }
}

/// Reads in one transaction what planning the next run needs to know.
pub(crate) fn manifest(connection: &Connection) -> SqlResult<PublishedManifest> {
    let transaction = connection.unchecked_transaction()?;
    let shows = versions(&transaction, "SELECT id, updated, processed_at FROM _Show_Versions")?;
    let pages = timestamps(&transaction, "SELECT page, fetched_at FROM _Index_Pages")?;
    let details = details::published_versions(&transaction)?;
    Ok(PublishedManifest { shows, pages, details })
}

/// Reads in one transaction what a run that resumes needs to know.
pub(crate) fn staging(connection: &Connection) -> SqlResult<StagingState> {
    let transaction = connection.unchecked_transaction()?;
    let is_incremental = staging::is_incremental(&transaction)?;
    let pages = timestamps(&transaction, "SELECT page, staged_at FROM _Staged_Pages")?;
    let shows = versions(&transaction, "SELECT * FROM _Staged_Show_Versions")?;
    let mut snapshot = PublishedManifest { shows, pages: pages.clone(), ..Default::default() };
    if is_incremental {
        snapshot.pages = timestamps(&transaction, "SELECT page, fetched_at FROM _Index_Pages")?;
        snapshot.pages.extend(&pages);
        snapshot.details = details::published_versions(&transaction)?;
    }
    snapshot.details.extend(details::staged_versions(&transaction)?);
    Ok(StagingState { is_incremental, pages, snapshot })
}

fn versions(connection: &Connection, sql: &str) -> SqlResult<ShowMap<ShowVersion>> {
    let mut select = connection.prepare_cached(sql)?;
    let versions = select.query_map([], |row| {
        let version = ShowVersion::new(row.get(1)?, timestamp(row, 2)?);
        Ok((ShowId(row.get(0)?), version))
    })?;
    versions.collect()
}

fn timestamps(connection: &Connection, sql: &str) -> SqlResult<BTreeMap<u32, Timestamp>> {
    let mut select = connection.prepare_cached(sql)?;
    select.query_map([], |row| Ok((row.get(0)?, timestamp(row, 1)?)))?.collect()
}

fn timestamp(row: &Row<'_>, column: usize) -> SqlResult<Timestamp> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| invalid_text(column, error))
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
