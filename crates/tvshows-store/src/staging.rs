//! What a run writes before it publishes, and publishing itself.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use tvshows_core::{CastMember, RunId, Show, ShowId, TopShowsCriteria};

use crate::error::SqlResult;
use crate::{cast_row, show_row};

/// Makes the staging area that of a run, empty.
pub(crate) fn take(connection: &Connection, run: RunId) -> SqlResult<()> {
    clear(connection)?;
    connection
        .execute("INSERT INTO Staged_Run (request_id) VALUES (?1)", [run.to_string()])
        .map(|_| ())
}

/// Whether the staging area is still that of a run.
pub(crate) fn is_of(connection: &Connection, run: RunId) -> SqlResult<bool> {
    let mut select =
        connection.prepare_cached("SELECT count(*) FROM Staged_Run WHERE request_id = ?1")?;
    select.query_row([run.to_string()], |row| row.get::<_, u32>(0)).map(|count| count == 1)
}

pub(crate) fn clear(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "DELETE FROM Staged_Run; DELETE FROM Staged_Pages; DELETE FROM Staged_Shows; \
         DELETE FROM Staged_Cast;",
    )
}

pub(crate) fn stage_page(
    connection: &Connection,
    page: u32,
    shows: &[Show],
    at: Timestamp,
) -> SqlResult<()> {
    let at = at.to_string();
    let mut drop_older = connection
        .prepare_cached("DELETE FROM Staged_Shows WHERE id = ?1 AND ifnull(updated, 0) < ?2")?;
    let mut insert = connection.prepare_cached(show_row::INSERT_STAGED)?;
    for show in shows {
        drop_older.execute(params![show.id.0, show.updated.unwrap_or_default()])?;
        show_row::insert(&mut insert, show, &at)?;
    }
    connection.execute(
        "INSERT OR REPLACE INTO Staged_Pages (page, shows, staged_at) VALUES (?1, ?2, ?3)",
        params![page, shows.len(), at],
    )?;
    Ok(())
}

pub(crate) fn stage_show(connection: &Connection, show: &Show, at: Timestamp) -> SqlResult<()> {
    unstage_show(connection, show.id)?;
    let mut insert = connection.prepare_cached(show_row::INSERT_STAGED)?;
    show_row::insert(&mut insert, show, &at.to_string())?;
    Ok(())
}

pub(crate) fn unstage_show(connection: &Connection, show: ShowId) -> SqlResult<()> {
    connection.execute("DELETE FROM Staged_Shows WHERE id = ?1", [show.0])?;
    Ok(())
}

pub(crate) fn count(connection: &Connection) -> SqlResult<u32> {
    connection.query_row("SELECT count(*) FROM Staged_Shows", [], |row| row.get(0))
}

/// The query narrows the rows down; the criteria decide.
pub(crate) fn rank(connection: &Connection, criteria: TopShowsCriteria) -> SqlResult<Vec<Show>> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM Staged_Shows WHERE language = ?1 AND instr(genres, ?2) > 0",
    )?;
    let filter = [TopShowsCriteria::LANGUAGE, TopShowsCriteria::GENRE];
    criteria.rank(select.query_map(filter, show_row::read)?)
}

pub(crate) fn stage_cast(
    connection: &Connection,
    show: ShowId,
    cast: &[CastMember],
    at: Timestamp,
) -> SqlResult<()> {
    let at = at.to_string();
    connection.execute("DELETE FROM Staged_Cast WHERE show_id = ?1", [show.0])?;
    let mut insert = connection.prepare_cached(cast_row::INSERT_STAGED)?;
    for (position, member) in cast.iter().enumerate() {
        cast_row::insert(&mut insert, position, member, &at)?;
    }
    Ok(())
}

/// Replaces the published tables by the staged rows. Leaves the staging area empty.
pub(crate) fn publish(connection: &Connection, top: &[ShowId], at: Timestamp) -> SqlResult<()> {
    connection.execute_batch(
        "DELETE FROM All_Shows; DELETE FROM Top_Shows; DELETE FROM Top_Shows_Cast;
         INSERT INTO All_Shows SELECT * FROM Staged_Shows;",
    )?;
    let at = at.to_string();
    let mut top_show = connection.prepare_cached(
        "INSERT INTO Top_Shows (id, name, language, genres, premiered, rating_average, processed_at, \
         weight, rank) SELECT id, name, language, genres, premiered, rating_average, ?3, weight, ?2 \
         FROM Staged_Shows WHERE id = ?1",
    )?;
    let mut top_cast = connection.prepare_cached(
        "INSERT INTO Top_Shows_Cast SELECT * FROM Staged_Cast WHERE show_id = ?1 ORDER BY position",
    )?;
    for (rank, show) in (1..).zip(top) {
        let inserted = top_show.execute(params![show.0, rank, at])?;
        if inserted != 1 {
            return Err(rusqlite::Error::StatementChangedRows(inserted));
        }
        top_cast.execute([show.0])?;
    }
    clear(connection)
}
