//! Publishing: the next snapshot replaces the published tables.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use tvshows_core::{ChangeCounts, ShowId, SnapshotVersion};

use crate::error::SqlResult;
use crate::{details, search, show_row, snapshot, staging};

/// Replaces the published tables with the next snapshot, and empties the staging tables. A snapshot that equals
/// the published one keeps its version and its rows.
pub(crate) fn publish(
    connection: &Connection,
    top: &[ShowId],
    detailed: &[ShowId],
    at: Timestamp,
) -> SqlResult<ChangeCounts> {
    let is_incremental = staging::is_incremental(connection)?;
    let changes = count_changes(connection)?;
    let has_changed_details = details::publish(connection, detailed, top)?;
    if !has_changed_details && is_unchanged(connection, changes, top)? {
        record_fetch_times(connection)?;
    } else {
        publish_shows(connection, is_incremental)?;
        details::delete_orphans(connection)?;
        publish_top_shows(connection, top, at)?;
        details::publish_top_casts(connection)?;
        snapshot::bump(connection, at)?;
    }
    publish_pages(connection, is_incremental)?;
    staging::reset(connection)?;
    Ok(changes)
}

/// Replaces the published tables with the next snapshot of a copy, and empties the staging tables.
pub(crate) fn publish_copy(
    connection: &Connection,
    top: &[ShowId],
    detailed: &[ShowId],
    version: SnapshotVersion,
) -> SqlResult<()> {
    publish_shows(connection, staging::is_incremental(connection)?)?;
    publish_top_shows(connection, top, version.published_at.unwrap_or_default())?;
    details::publish_copy(connection, detailed)?;
    details::publish_top_casts(connection)?;
    snapshot::set(connection, version)?;
    staging::reset(connection)
}

fn count(connection: &Connection, sql: &str) -> SqlResult<u32> {
    connection.query_row(sql, [], |row| row.get(0))
}

fn count_changes(connection: &Connection) -> SqlResult<ChangeCounts> {
    let before = count(connection, "SELECT count(*) FROM _Show_Versions")?;
    let after = staging::count_shows(connection)?;
    if before == 0 {
        return Ok(ChangeCounts { added: after, ..ChangeCounts::default() });
    }
    let added = count(
        connection,
        "SELECT count(*) FROM _Staged_Shows WHERE id NOT IN (SELECT id FROM _Show_Versions)",
    )?;
    let changed = count(connection, &show_row::count_changed())?;
    let deleted = before + added - after;
    Ok(ChangeCounts { added, changed, deleted, unchanged: before - deleted - changed })
}

/// Whether the next snapshot differs from the published one in nothing but its details, and the times when its rows
/// were fetched.
fn is_unchanged(connection: &Connection, changes: ChangeCounts, top: &[ShowId]) -> SqlResult<bool> {
    let ChangeCounts { added, changed, deleted, unchanged: _ } = changes;
    if (added, changed, deleted) != (0, 0, 0)
        || snapshot::current(connection)?.published_at.is_none()
        || search::is_stale(connection)?
    {
        return Ok(false);
    }
    let mut select = connection.prepare("SELECT id FROM Top_Shows ORDER BY rank")?;
    let ids = select.query_map([], |row| row.get(0).map(ShowId))?.collect::<SqlResult<Vec<_>>>()?;
    Ok(ids == top)
}

/// Records when the shows of an unchanged snapshot were fetched, which planning reads, without changing their
/// published rows.
fn record_fetch_times(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "UPDATE _Show_Versions SET processed_at = staged.processed_at FROM _Staged_Shows AS staged
             WHERE _Show_Versions.id = staged.id",
    )
}

fn publish_shows(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    replace_shows(connection, is_incremental)?;
    search::mark_current(connection)
}

fn replace_shows(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    if !is_incremental {
        return swap_shows(connection);
    }
    connection.execute_batch(
        "DELETE FROM All_Shows WHERE id IN (SELECT id FROM _Staged_Deletions);
         INSERT OR REPLACE INTO All_Shows SELECT * FROM _Staged_Shows;",
    )
}

fn publish_pages(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    if !is_incremental {
        connection.execute_batch("DELETE FROM _Index_Pages")?;
    }
    connection.execute_batch(
        "INSERT OR REPLACE INTO _Index_Pages SELECT page, staged_at FROM _Staged_Pages;",
    )
}

/// Renames the staging table to `All_Shows`, so that no row is copied, and creates a new staging table. The
/// indexes and triggers of `All_Shows` are created again, including those of other programs.
fn swap_shows(connection: &Connection) -> SqlResult<()> {
    let staging_table = definitions(connection, "name = '_Staged_Shows'")?;
    let dependents = definitions(connection, "lower(tbl_name) = 'all_shows' AND type != 'table'")?;
    connection
        .execute_batch("DROP TABLE All_Shows; ALTER TABLE _Staged_Shows RENAME TO All_Shows")?;
    staging_table.iter().chain(&dependents).try_for_each(|sql| connection.execute_batch(sql))?;
    connection.execute_batch(
        "DELETE FROM _Show_Versions;
         INSERT INTO _Show_Versions SELECT id, updated, processed_at FROM All_Shows;",
    )
}

/// The SQL of the schema's objects that match a condition.
fn definitions(connection: &Connection, condition: &str) -> SqlResult<Vec<String>> {
    let sql = format!("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND {condition}");
    connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}

fn publish_top_shows(connection: &Connection, top: &[ShowId], at: Timestamp) -> SqlResult<()> {
    let at = at.to_string();
    connection.execute("DELETE FROM Top_Shows", [])?;
    let mut top_show = connection.prepare_cached(
        "INSERT INTO Top_Shows (id, name, language, genres, premiered, rating_average, processed_at, \
         weight, rank, updated) SELECT id, name, language, genres, premiered, rating_average, ?3, \
         weight, ?2, updated FROM All_Shows WHERE id = ?1",
    )?;
    for (rank, show) in (1..).zip(top) {
        let inserted = top_show.execute(params![show.0, rank, at])?;
        if inserted != 1 {
            return Err(rusqlite::Error::StatementChangedRows(inserted));
        }
    }
    Ok(())
}
