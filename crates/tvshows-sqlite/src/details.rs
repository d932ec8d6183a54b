//! The details of shows: their casts and episodes, published and staged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params};
use tvshows_core::{
    CastRow, DetailsVersion, Episode, EpisodeKey, Schedule, ScheduleQuery, ShowDetails, ShowFilter,
    ShowId, StoredDetails, Table,
};

use crate::error::SqlResult;
use crate::facet_index::FacetIndex;
use crate::index_cache::IndexCache;
use crate::show_query::matching_ids;
use crate::{cast_row, episode_row, matching, show_row};

/// Returns the published cast of a show; `None` if it is not stored.
pub(crate) fn cast(connection: &Connection, show: ShowId) -> SqlResult<Option<Vec<CastRow>>> {
    let snapshot = connection.unchecked_transaction()?;
    match has_episodes(&snapshot, show)? {
        Some(_) => cast_row::published(&snapshot, show).map(Some),
        None => Ok(None),
    }
}

/// Returns the published episodes of a show; `None` if they are not stored.
pub(crate) fn episodes(connection: &Connection, show: ShowId) -> SqlResult<Option<Vec<Episode>>> {
    let snapshot = connection.unchecked_transaction()?;
    match has_episodes(&snapshot, show)? {
        Some(true) => episode_row::published(&snapshot, show).map(Some),
        _ => Ok(None),
    }
}

/// Returns the published episodes with a key; `None` if those of its show are not stored.
pub(crate) fn find_episodes(
    connection: &Connection,
    key: EpisodeKey,
) -> SqlResult<Option<Vec<Episode>>> {
    let snapshot = connection.unchecked_transaction()?;
    if let Some(show) = key.show()
        && has_episodes(&snapshot, show)? != Some(true)
    {
        return Ok(None);
    }
    let find = |condition: &str, params: &[&dyn ToSql]| {
        let sql = format!("SELECT {} FROM Episodes WHERE {condition}", *episode_row::COLUMNS);
        let mut select = snapshot.prepare_cached(&sql)?;
        select.query_map(params, episode_row::read)?.collect::<SqlResult<Vec<_>>>()
    };
    match key {
        EpisodeKey::Id(id) => {
            let found = find("id = ?1 ORDER BY show_id LIMIT 1", params![id])?;
            Ok(Some(found).filter(|found| !found.is_empty()))
        }
        EpisodeKey::Number { show, season, number } => find(
            "show_id = ?1 AND season = ?2 AND number = ?3 ORDER BY position",
            params![show.0, season, number],
        )
        .map(Some),
        EpisodeKey::Season { show, season } => {
            find("show_id = ?1 AND season = ?2 ORDER BY position", params![show.0, season])
                .map(Some)
        }
        EpisodeKey::Day { show, airdate } => find(
            "show_id = ?1 AND airdate = ?2 ORDER BY position",
            params![show.0, airdate.to_string()],
        )
        .map(Some),
    }
}

/// Whether the published details of a show include episodes; `None` if it has no details.
fn has_episodes(connection: &Connection, show: ShowId) -> SqlResult<Option<bool>> {
    let mut select =
        connection.prepare_cached("SELECT has_episodes FROM _Details WHERE show_id = ?1")?;
    select.query_row([show.0], |row| row.get(0)).optional()
}

/// Returns the published episodes that air on the days of a query.
pub(crate) fn schedule(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
    query: &ScheduleQuery,
) -> SqlResult<Schedule> {
    let snapshot = connection.unchecked_transaction()?;
    let shows = matching_shows(&snapshot, indexes, &query.filter)?;
    let sql = format!(
        "SELECT {} FROM Episodes WHERE airdate BETWEEN ?1 AND ?2 \
             AND (?3 IS NULL OR show_id IN (SELECT value FROM json_each(?3))) \
         ORDER BY airdate, show_id, position",
        *episode_row::COLUMNS
    );
    let mut select = snapshot.prepare_cached(&sql)?;
    let (first, last) = (query.first.to_string(), query.last.to_string());
    let episodes = select.query_map(params![first, last, shows], episode_row::read)?;
    let mut schedule =
        Schedule { episodes: episodes.collect::<SqlResult<_>>()?, ..Schedule::default() };
    // Stable: within a moment, the order of the rows remains.
    schedule.episodes.sort_by_cached_key(|episode| {
        let stamp = episode.airstamp.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        (episode.airdate.clone(), stamp.is_none(), stamp)
    });
    let shows: BTreeSet<ShowId> = schedule.episodes.iter().map(|episode| episode.show_id).collect();
    let mut select = snapshot.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    for id in shows {
        if let Some(show) = select.query_row([id.0], show_row::read).optional()? {
            schedule.shows.insert(id, show);
        }
    }
    // Shows can be missing if another program deleted them.
    schedule.episodes.retain(|episode| schedule.shows.contains_key(&episode.show_id));
    Ok(schedule)
}

/// The shows with episodes that match a filter, as a JSON array; `None` for all.
fn matching_shows(
    connection: &Connection,
    indexes: &IndexCache<FacetIndex>,
    filter: &ShowFilter,
) -> SqlResult<Option<String>> {
    if *filter == ShowFilter::default() {
        return Ok(None);
    }
    if filter.text.is_none() {
        return Ok(Some(json(matching::shows_with_episodes(connection, filter)?.keys())));
    }
    let ids = matching_ids(connection, indexes, filter)?;
    Ok(Some(serde_json::json!(ids).to_string()))
}

/// Returns the versions of the published details.
pub(crate) fn published_versions(
    connection: &Connection,
) -> SqlResult<BTreeMap<ShowId, DetailsVersion>> {
    versions(connection, "SELECT show_id, updated, has_episodes FROM _Details")
}

/// Returns the versions of the staged details.
pub(crate) fn staged_versions(
    connection: &Connection,
) -> SqlResult<BTreeMap<ShowId, DetailsVersion>> {
    versions(connection, "SELECT show_id, updated, has_episodes FROM _Staged_Details")
}

fn versions(connection: &Connection, sql: &str) -> SqlResult<BTreeMap<ShowId, DetailsVersion>> {
    let version = |row: &Row<'_>| {
        let version = DetailsVersion { updated: row.get(1)?, has_episodes: row.get(2)? };
        Ok((ShowId(row.get(0)?), version))
    };
    connection.prepare_cached(sql)?.query_map([], version)?.collect()
}

/// Stages the details of a show. They replace its staged ones.
pub(crate) fn stage(
    connection: &Connection,
    details: &ShowDetails,
    at: Timestamp,
) -> SqlResult<()> {
    let ShowDetails { show_id, updated, cast, episodes } = details;
    let at = at.to_string();
    delete_rows(connection, &["_Staged_Cast_Rows", "_Staged_Episodes"], &[*show_id])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO _Staged_Details (show_id, updated, has_episodes, processed_at) \
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    insert.execute(params![show_id.0, updated, episodes.is_some(), at])?;
    let mut insert = connection.prepare_cached(&cast_row::INSERT_STAGED)?;
    for (position, member) in (0..).zip(cast) {
        cast_row::insert(&mut insert, position, member, &at)?;
    }
    let mut insert = connection.prepare_cached(&episode_row::INSERT_STAGED)?;
    for (position, episode) in (0..).zip(episodes.iter().flatten()) {
        episode_row::insert(&mut insert, position, episode, &at)?;
    }
    Ok(())
}

/// Stages details of another database as they are stored there.
pub(crate) fn stage_stored(connection: &Connection, details: &[StoredDetails]) -> SqlResult<()> {
    details.iter().try_for_each(|stored| stage(connection, &stored.details, stored.processed_at))
}

/// Publishes the details of the shows in `detailed`, and the casts of the shows in `cast_only`: as staged, or else as
/// they are published. Deletes all others. Returns whether any content changed.
///
/// Details that equal the published ones keep their rows: only their `updated` is recorded.
pub(crate) fn publish(
    connection: &Connection,
    detailed: &[ShowId],
    cast_only: &[ShowId],
) -> SqlResult<bool> {
    let detailed_ids = json(detailed.iter());
    let deleted = delete_others(connection, &json(detailed.iter().chain(cast_only)))?;
    connection.execute(
        "UPDATE _Staged_Details SET has_episodes = 0 \
         WHERE has_episodes AND show_id NOT IN (SELECT value FROM json_each(?1))",
        [&detailed_ids],
    )?;
    let without_episodes = ids(
        connection,
        "UPDATE _Details SET has_episodes = 0 \
         WHERE has_episodes AND show_id NOT IN (SELECT value FROM json_each(?1)) RETURNING show_id",
        [&detailed_ids],
    )?;
    delete_rows(connection, &["Episodes"], &without_episodes)?;
    let changed = changed(connection)?;
    publish_staged(connection, &changed)?;
    Ok(!(deleted.is_empty() && without_episodes.is_empty() && changed.is_empty()))
}

/// Publishes the details of a copy, which has those of the shows in `detailed`. All staged details replace the
/// published ones, so that every copy has the same times.
pub(crate) fn publish_copy(connection: &Connection, detailed: &[ShowId]) -> SqlResult<()> {
    delete_others(connection, &json(detailed.iter()))?;
    let staged = ids(connection, "SELECT show_id FROM _Staged_Details", [])?;
    publish_staged(connection, &staged)
}

/// Deletes the details of shows that are not in a JSON array, staged and published. Returns the shows that had
/// published ones.
fn delete_others(connection: &Connection, shows: &str) -> SqlResult<Vec<ShowId>> {
    connection.execute(
        "DELETE FROM _Staged_Details WHERE show_id NOT IN (SELECT value FROM json_each(?1))",
        [shows],
    )?;
    let deleted = ids(
        connection,
        "DELETE FROM _Details WHERE show_id NOT IN (SELECT value FROM json_each(?1)) RETURNING show_id",
        [shows],
    )?;
    delete_rows(connection, &["Show_Cast", "Episodes"], &deleted)?;
    Ok(deleted)
}

/// Deletes the details of shows that do not exist.
pub(crate) fn delete_orphans(connection: &Connection) -> SqlResult<()> {
    let deleted = ids(
        connection,
        "DELETE FROM _Details WHERE show_id NOT IN (SELECT id FROM All_Shows) RETURNING show_id",
        [],
    )?;
    delete_rows(connection, &["Show_Cast", "Episodes"], &deleted)
}

/// Replaces `Top_Shows_Cast` with the casts of `Top_Shows`, that of the best show first, each in TVmaze's order.
pub(crate) fn publish_top_casts(connection: &Connection) -> SqlResult<()> {
    let columns = Table::TopShowsCast.column_names().collect::<Vec<_>>().join(", ");
    let cast = columns.replace("processed_at", "Show_Cast.processed_at");
    connection.execute_batch(&format!(
        "DELETE FROM Top_Shows_Cast;
         INSERT INTO Top_Shows_Cast ({columns})
             SELECT {cast} FROM Top_Shows CROSS JOIN Show_Cast ON show_id = Top_Shows.id ORDER BY rank, position;"
    ))
}

/// Returns a description of each way in which the tables contradict each other.
pub(crate) fn defects(connection: &Connection) -> SqlResult<Vec<String>> {
    let columns = Table::TopShowsCast.column_names().collect::<Vec<_>>().join(", ");
    let top = format!("SELECT {columns} FROM Top_Shows_Cast");
    let all =
        format!("SELECT {columns} FROM Show_Cast WHERE show_id IN (SELECT id FROM Top_Shows)");
    let gaps = |table| {
        format!("SELECT 1 FROM {table} GROUP BY show_id HAVING max(position) + 1 != count(*)")
    };
    let checks = [
        (
            "shows in _Details that are not in All_Shows",
            "SELECT 1 FROM _Details WHERE show_id NOT IN (SELECT id FROM All_Shows)".to_owned(),
        ),
        (
            "rows of Show_Cast whose show is not in _Details",
            "SELECT 1 FROM Show_Cast WHERE show_id NOT IN (SELECT show_id FROM _Details)".to_owned(),
        ),
        (
            "rows of Episodes whose show has no episodes in _Details",
            "SELECT 1 FROM Episodes WHERE show_id NOT IN (SELECT show_id FROM _Details WHERE has_episodes)"
                .to_owned(),
        ),
        ("shows that lack rows of Show_Cast", gaps("Show_Cast")),
        ("shows that lack rows of Episodes", gaps("Episodes")),
        (
            "rows of Top_Shows_Cast that differ from Show_Cast",
            format!(
                "SELECT * FROM ({top} EXCEPT {all}) UNION ALL SELECT * FROM ({all} EXCEPT {top})"
            ),
        ),
    ];
    let snapshot = connection.unchecked_transaction()?;
    let mut defects = Vec::new();
    for (defect, sql) in checks {
        let sql = format!("SELECT count(*) FROM ({sql})");
        let count: u64 = snapshot.query_row(&sql, [], |row| row.get(0))?;
        if count > 0 {
            defects.push(format!("{defect}: {count}"));
        }
    }
    Ok(defects)
}

/// The shows whose staged details differ from the published ones in more than the show's `updated` and the time they
/// were fetched.
fn changed(connection: &Connection) -> SqlResult<Vec<ShowId>> {
    let sql = format!(
        "SELECT show_id FROM _Staged_Details s LEFT JOIN _Details p USING (show_id) \
         WHERE p.has_episodes IS NOT s.has_episodes OR {} OR (s.has_episodes AND ({}))",
        differs(Table::ShowCast, "_Staged_Cast_Rows"),
        differs(Table::Episodes, "_Staged_Episodes"),
    );
    ids(connection, &sql, [])
}

/// The condition that the staged rows of the show `s` are not the published ones.
fn differs(table: Table, staged: &str) -> String {
    let published = table.name();
    let compared = table
        .column_names()
        .filter(|column| !matches!(*column, "show_id" | "position" | "processed_at"));
    let differences: Vec<_> =
        compared.map(|column| format!("new.{column} IS NOT old.{column}")).collect();
    let differs = differences.join(" OR ");
    format!(
        "(SELECT count(*) FROM {staged} WHERE show_id = s.show_id) != \
             (SELECT count(*) FROM {published} WHERE show_id = s.show_id) \
         OR EXISTS (SELECT 1 FROM {staged} new LEFT JOIN {published} old USING (show_id, position) \
             WHERE new.show_id = s.show_id AND (old.show_id IS NULL OR {differs}))"
    )
}

/// Replaces the published rows of the shows in `changed` with the staged ones, and publishes the versions of all staged
/// details.
fn publish_staged(connection: &Connection, changed: &[ShowId]) -> SqlResult<()> {
    delete_rows(connection, &["Show_Cast", "Episodes"], changed)?;
    let changed = json(changed.iter());
    for (table, staged, condition) in [
        (Table::ShowCast, "_Staged_Cast_Rows", ""),
        (
            Table::Episodes,
            "_Staged_Episodes",
            "AND show_id IN (SELECT show_id FROM _Staged_Details WHERE has_episodes)",
        ),
    ] {
        let (name, columns) = (table.name(), table.column_names().collect::<Vec<_>>().join(", "));
        let sql = format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {staged} \
             WHERE show_id IN (SELECT value FROM json_each(?1)) {condition} ORDER BY show_id, position"
        );
        connection.execute(&sql, [&changed])?;
    }
    connection.execute(
        "INSERT OR REPLACE INTO _Details (show_id, updated, has_episodes, processed_at) \
         SELECT s.show_id, s.updated, s.has_episodes, \
             iif(s.show_id IN (SELECT value FROM json_each(?1)), s.processed_at, p.processed_at) \
         FROM _Staged_Details s LEFT JOIN _Details p USING (show_id)",
        [&changed],
    )?;
    Ok(())
}

fn delete_rows(connection: &Connection, tables: &[&str], shows: &[ShowId]) -> SqlResult<()> {
    for table in tables {
        let sql = format!("DELETE FROM {table} WHERE show_id = ?1");
        let mut delete = connection.prepare_cached(&sql)?;
        for show in shows {
            delete.execute([show.0])?;
        }
    }
    Ok(())
}

/// The ids that a statement returns.
fn ids(connection: &Connection, sql: &str, params: impl Params) -> SqlResult<Vec<ShowId>> {
    connection.prepare_cached(sql)?.query_map(params, |row| row.get(0).map(ShowId))?.collect()
}

/// The ids as a JSON array.
fn json<'a>(shows: impl Iterator<Item = &'a ShowId>) -> String {
    let ids: Vec<_> = shows.map(ShowId::to_string).collect();
    format!("[{}]", ids.join(","))
}
