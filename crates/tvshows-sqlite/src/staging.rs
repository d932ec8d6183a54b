//! What a run writes before it publishes, and publishing itself.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tvshows_core::{CastMember, ChangeCounts, Ownership, RunId, Show, ShowId, TopShowsCriteria};

use crate::error::SqlResult;
use crate::{cast_row, search, show_row, snapshot};

/// An attempt at a run, which the staging area belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) run: RunId,
    pub(crate) number: u32,
}

/// Makes the staging area that of an attempt: as it is where it is the run's already, else empty.
pub(crate) fn take(connection: &Connection, attempt: Attempt, by: Ownership) -> SqlResult<()> {
    let run = attempt.run.to_string();
    let taken = connection.execute(
        "UPDATE Staged_Run SET attempt = ?2, claimed = ?3, leased = ?4 WHERE request_id = ?1",
        params![run, attempt.number, by.claim, by.lease],
    )?;
    if taken == 0 {
        clear(connection)?;
        connection.execute(
            "INSERT INTO Staged_Run (request_id, attempt, claimed, leased) VALUES (?1, ?2, ?3, ?4)",
            params![run, attempt.number, by.claim, by.lease],
        )?;
    }
    Ok(())
}

/// Whether the staging area is still that of an attempt.
pub(crate) fn is_of(connection: &Connection, attempt: Attempt) -> SqlResult<bool> {
    let mut select = connection
        .prepare_cached("SELECT count(*) FROM Staged_Run WHERE request_id = ?1 AND attempt = ?2")?;
    let attempt = params![attempt.run.to_string(), attempt.number];
    select.query_row(attempt, |row| row.get::<_, u32>(0)).map(|count| count == 1)
}

/// By which rights the attempt was begun whose the staging area is.
pub(crate) fn rights(connection: &Connection) -> SqlResult<Ownership> {
    let rights = connection.query_row("SELECT claimed, leased FROM Staged_Run", [], |row| {
        Ok(Ownership { claim: row.get(0)?, lease: row.get(1)? })
    });
    rights.optional().map(Option::unwrap_or_default)
}

pub(crate) fn clear(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("DELETE FROM Staged_Run")?;
    empty(connection)
}

/// Empties the staging area, which stays that of its attempt.
pub(crate) fn empty(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "UPDATE Staged_Run SET keeps_published = 0; DELETE FROM Staged_Pages; \
         DELETE FROM Staged_Shows; DELETE FROM Staged_Drops; DELETE FROM Staged_Casts; \
         DELETE FROM Staged_Cast;",
    )
}

/// Counts an attempt that goes on, until [`count_progress`].
pub(crate) fn count_resume(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE Staged_Run SET idle_resumes = idle_resumes + 1")
}

/// Notes that something more is staged.
pub(crate) fn count_progress(connection: &Connection) -> SqlResult<()> {
    let mut update = connection
        .prepare_cached("UPDATE Staged_Run SET idle_resumes = 0 WHERE idle_resumes != 0")?;
    update.execute([]).map(|_| ())
}

/// Lets the snapshot begin as what is published.
pub(crate) fn keep_published(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE Staged_Run SET keeps_published = 1")
}

fn keeps_published(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT keeps_published FROM Staged_Run", [], |row| row.get(0))
}

pub(crate) fn stage_page(
    connection: &Connection,
    page: u32,
    shows: &[Show],
    at: Timestamp,
) -> SqlResult<()> {
    let at = at.to_string();
    let mut insert = connection.prepare_cached(show_row::INSERT_STAGED)?;
    for show in shows {
        let is_new = show_row::insert(&mut insert, show, &at)? == 1;
        if !is_new && unstage_older(connection, show)? {
            show_row::insert(&mut insert, show, &at)?;
        }
    }
    connection.execute(
        "INSERT OR REPLACE INTO Staged_Pages (page, shows, staged_at) VALUES (?1, ?2, ?3)",
        params![page, shows.len(), at],
    )?;
    Ok(())
}

pub(crate) fn stage_show(connection: &Connection, show: &Show, at: Timestamp) -> SqlResult<()> {
    unstage(connection, show.id)?;
    let mut insert = connection.prepare_cached(show_row::INSERT_STAGED)?;
    show_row::insert(&mut insert, show, &at.to_string())?;
    Ok(())
}

/// Makes room for a show that is newer than what is staged of it.
fn unstage_older(connection: &Connection, show: &Show) -> SqlResult<bool> {
    let mut delete = connection
        .prepare_cached("DELETE FROM Staged_Shows WHERE id = ?1 AND ifnull(updated, 0) < ?2")?;
    let deleted = delete.execute(params![show.id.0, show.updated.unwrap_or_default()])?;
    Ok(deleted == 1)
}

fn unstage(connection: &Connection, show: ShowId) -> SqlResult<()> {
    connection.prepare_cached("DELETE FROM Staged_Shows WHERE id = ?1")?.execute([show.0])?;
    Ok(())
}

pub(crate) fn drop_shows(connection: &Connection, shows: &[ShowId]) -> SqlResult<()> {
    let mut drop = connection.prepare_cached("INSERT OR IGNORE INTO Staged_Drops VALUES (?1)")?;
    for show in shows {
        unstage(connection, *show)?;
        drop.execute([show.0])?;
    }
    Ok(())
}

pub(crate) fn size(connection: &Connection) -> SqlResult<u32> {
    connection.query_row(
        "SELECT (SELECT count(*) FROM Staged_Shows) + (SELECT count(*) FROM Kept_Facets)",
        [],
        |row| row.get(0),
    )
}

/// The query narrows the rows down; the criteria decide.
pub(crate) fn rank(connection: &Connection, criteria: TopShowsCriteria) -> SqlResult<Vec<Show>> {
    let mut select = connection.prepare_cached(
        "SELECT * FROM Staged_Shows WHERE language = ?1 AND instr(genres, ?2) > 0
         UNION ALL SELECT * FROM All_Shows WHERE id IN
             (SELECT id FROM Kept_Facets WHERE language = ?1 AND instr(genres, ?2) > 0)",
    )?;
    let filter = [TopShowsCriteria::LANGUAGE, TopShowsCriteria::GENRE];
    criteria.rank(select.query_map(filter, show_row::read)?)
}

pub(crate) fn stage_cast(
    connection: &Connection,
    show: &Show,
    cast: &[CastMember],
    at: Timestamp,
) -> SqlResult<()> {
    let at = at.to_string();
    connection.execute("DELETE FROM Staged_Cast WHERE show_id = ?1", [show.id.0])?;
    connection.execute(
        "INSERT OR REPLACE INTO Staged_Casts (show_id, updated) VALUES (?1, ?2)",
        params![show.id.0, show.updated],
    )?;
    let mut insert = connection.prepare_cached(cast_row::INSERT_STAGED)?;
    for (position, member) in cast.iter().enumerate() {
        cast_row::insert(&mut insert, position, member, &at)?;
    }
    Ok(())
}

/// Makes the published tables the snapshot. Leaves the staging area empty.
pub(crate) fn publish(
    connection: &Connection,
    top: &[ShowId],
    at: Timestamp,
) -> SqlResult<ChangeCounts> {
    let keeps_published = keeps_published(connection)?;
    search::publish(connection, keeps_published)?;
    let changes = publish_shows(connection, keeps_published)?;
    publish_top(connection, top, at)?;
    publish_casts(connection)?;
    snapshot::advance(connection, at)?;
    clear(connection)?;
    Ok(changes)
}

fn publish_shows(connection: &Connection, keeps_published: bool) -> SqlResult<ChangeCounts> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
    let size = || count("SELECT count(*) FROM Show_Facets");
    let before = size()?;
    let (mut added, mut changed) = (0, 0);
    if before > 0 {
        added = count(
            "SELECT count(*) FROM Staged_Shows WHERE id NOT IN (SELECT id FROM Show_Facets)",
        )?;
        changed = count(&show_row::count_changed())?;
    }
    if keeps_published {
        connection.execute_batch(
            "DELETE FROM All_Shows WHERE id IN (SELECT id FROM Staged_Drops);
             INSERT OR REPLACE INTO All_Shows SELECT * FROM Staged_Shows;",
        )?;
    } else {
        connection.execute_batch("DELETE FROM Index_Pages")?;
        swap_shows(connection)?;
    }
    connection.execute_batch(
        "INSERT OR REPLACE INTO Index_Pages SELECT page, staged_at FROM Staged_Pages;",
    )?;
    let after = size()?;
    if before == 0 {
        added = after;
    }
    let deleted = before + added - after;
    Ok(ChangeCounts { added, changed, deleted, unchanged: before - deleted - changed })
}

/// Puts the staged table into the place of the published one, with the indexes and triggers of that, and an
/// empty one in its own: no row is copied.
fn swap_shows(connection: &Connection) -> SqlResult<()> {
    let definitions = |filter: &str| {
        let sql = format!("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND {filter}");
        let mut select = connection.prepare(&sql)?;
        select.query_map([], |row| row.get(0))?.collect::<SqlResult<Vec<String>>>()
    };
    let staging_area = definitions("name = 'Staged_Shows'")?;
    let dependents = definitions("lower(tbl_name) = 'all_shows' AND type != 'table'")?;
    connection
        .execute_batch("DROP TABLE All_Shows; ALTER TABLE Staged_Shows RENAME TO All_Shows")?;
    staging_area.iter().chain(&dependents).try_for_each(|sql| connection.execute_batch(sql))?;
    connection.execute_batch(
        "DELETE FROM Show_Facets; INSERT INTO Show_Facets SELECT * FROM Facets_Of_All_Shows;",
    )
}

fn publish_top(connection: &Connection, top: &[ShowId], at: Timestamp) -> SqlResult<()> {
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

/// Best show first, and in TVmaze's order below that.
fn publish_casts(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "INSERT INTO Staged_Cast SELECT * FROM Top_Shows_Cast
             WHERE show_id NOT IN (SELECT show_id FROM Staged_Casts);
         DELETE FROM Top_Shows_Cast;
         INSERT INTO Top_Shows_Cast SELECT Staged_Cast.* FROM Staged_Cast
             JOIN Top_Shows ON id = show_id ORDER BY rank, position;",
    )
}
