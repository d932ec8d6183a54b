//! The staging tables, which a run writes to before it publishes.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tvshows_core::{
    FetchMode, Ownership, RunId, RunStatus, Show, ShowId, StagedBatch, StoredShow, TopShowsCriteria,
};

use crate::error::SqlResult;
use crate::{details, show_row};

/// An attempt at a run. It owns the staging tables until another one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) run: RunId,
    pub(crate) number: u32,
}

impl Attempt {
    pub(crate) fn new(status: &RunStatus) -> Attempt {
        Attempt { run: status.request_id, number: status.attempt }
    }
}

/// Makes an attempt the owner of the staging tables, and counts it. What another run staged is discarded, except what
/// an attempt in mode `auto` can reuse.
pub(crate) fn take_over(
    connection: &Connection,
    attempt: Attempt,
    ownership: Ownership,
    mode: FetchMode,
) -> SqlResult<()> {
    let run = attempt.run.to_string();
    let resumed = connection.execute(
        "UPDATE _Staged_Run SET attempt = ?2, holds_lock = ?3, holds_lease = ?4, \
             stalled_resumes = stalled_resumes + 1 WHERE request_id = ?1",
        params![run, attempt.number, ownership.lock, ownership.lease],
    )?;
    if resumed == 0 {
        match mode {
            FetchMode::Auto => discard_unless_reusable(connection)?,
            FetchMode::Full => discard(connection)?,
        }
        let is_incremental = is_incremental(connection)?;
        connection.execute("DELETE FROM _Staged_Run", [])?;
        connection.execute(
            "INSERT INTO _Staged_Run \
                 (request_id, attempt, holds_lock, holds_lease, stalled_resumes, is_incremental)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5)",
            params![run, attempt.number, ownership.lock, ownership.lease, is_incremental],
        )?;
    }
    Ok(())
}

/// Removes the owner of the staging tables, whose run failed, and leaves what the next run can reuse.
pub(crate) fn release(connection: &Connection) -> SqlResult<()> {
    discard_unless_reusable(connection)?;
    // The numbers of attempts start at 1, so nothing owns the staging tables. Without a row, nothing is staged.
    connection.execute_batch(
        "UPDATE _Staged_Run SET attempt = 0; \
         DELETE FROM _Staged_Run WHERE NOT EXISTS (SELECT 1 FROM _Staged_Details) \
             AND NOT EXISTS (SELECT 1 FROM _Staged_Shows)",
    )
}

/// Discards the pages and the deletions and, unless the run was incremental, the shows: they came with the pages.
fn discard_unless_reusable(connection: &Connection) -> SqlResult<()> {
    if !is_incremental(connection)? {
        connection.execute("DELETE FROM _Staged_Shows", [])?;
    }
    connection.execute_batch("DELETE FROM _Staged_Pages; DELETE FROM _Staged_Deletions;")
}

pub(crate) fn is_owned_by(connection: &Connection, attempt: Attempt) -> SqlResult<bool> {
    let mut select = connection.prepare_cached(
        "SELECT count(*) FROM _Staged_Run WHERE request_id = ?1 AND attempt = ?2",
    )?;
    let attempt = params![attempt.run.to_string(), attempt.number];
    select.query_row(attempt, |row| row.get::<_, u32>(0)).map(|count| count == 1)
}

/// Returns the locks that the last attempt at a run held.
pub(crate) fn ownership(connection: &Connection, status: &RunStatus) -> SqlResult<Ownership> {
    let mut select = connection
        .prepare_cached("SELECT holds_lock, holds_lease FROM _Staged_Run WHERE request_id = ?1")?;
    let ownership = select.query_row([status.request_id.to_string()], |row| {
        Ok(Ownership { lock: row.get(0)?, lease: row.get(1)? })
    });
    // A run that has lost the staging tables to another one cannot write, so only the lock counts.
    let fallback = Ownership { lock: status.attempt > 0, lease: false };
    Ok(ownership.optional()?.unwrap_or(fallback))
}

/// Returns how many attempts at a run in a row have neither staged anything nor been stopped.
pub(crate) fn stalled_attempts(connection: &Connection, run: RunId) -> SqlResult<u32> {
    let mut select = connection
        .prepare_cached("SELECT stalled_resumes FROM _Staged_Run WHERE request_id = ?1")?;
    let stalled = select.query_row([run.to_string()], |row| row.get(0));
    Ok(stalled.optional()?.unwrap_or_default())
}

/// Empties the staging tables, and removes their owner.
pub(crate) fn reset(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("DELETE FROM _Staged_Run")?;
    discard(connection)
}

/// Empties the staging tables, but keeps their owner.
pub(crate) fn discard(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "UPDATE _Staged_Run SET is_incremental = 0; DELETE FROM _Staged_Pages; \
         DELETE FROM _Staged_Shows; DELETE FROM _Staged_Deletions; DELETE FROM _Staged_Details; \
         DELETE FROM _Staged_Cast_Rows; DELETE FROM _Staged_Episodes;",
    )
}

/// Resets the count of stalled attempts.
pub(crate) fn reset_stalled(connection: &Connection) -> SqlResult<()> {
    let mut reset = connection
        .prepare_cached("UPDATE _Staged_Run SET stalled_resumes = 0 WHERE stalled_resumes != 0")?;
    reset.execute([]).map(|_| ())
}

pub(crate) fn start_incremental(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE _Staged_Run SET is_incremental = 1")
}

pub(crate) fn is_incremental(connection: &Connection) -> SqlResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM _Staged_Run WHERE is_incremental)";
    connection.query_row(sql, [], |row| row.get(0))
}

pub(crate) fn stage(connection: &Connection, batch: &StagedBatch) -> SqlResult<()> {
    match batch {
        StagedBatch::Pages { pages, at } => {
            for (page, shows) in pages {
                stage_page(connection, *page, shows, *at)?;
            }
        }
        StagedBatch::Shows { shows, details, at } => {
            for show in shows {
                stage_show(connection, show, *at)?;
            }
            for details in details {
                details::stage(connection, details, *at)?;
            }
        }
        StagedBatch::Deletions(shows) => stage_deletions(connection, shows)?,
    }
    reset_stalled(connection)
}

fn stage_page(connection: &Connection, page: u32, shows: &[Show], at: Timestamp) -> SqlResult<()> {
    let at = at.to_string();
    let mut insert = connection.prepare_cached(&show_row::INSERT_STAGED)?;
    for show in shows {
        let is_new = show_row::insert(&mut insert, show, &at)? == 1;
        if !is_new && unstage_unless_newer(connection, show)? {
            show_row::insert(&mut insert, show, &at)?;
        }
    }
    connection.execute(
        "INSERT OR REPLACE INTO _Staged_Pages (page, shows, staged_at) VALUES (?1, ?2, ?3)",
        params![page, shows.len(), at],
    )?;
    Ok(())
}

/// Stages shows of another database as they are stored there.
pub(crate) fn stage_stored(connection: &Connection, shows: &[StoredShow]) -> SqlResult<()> {
    let mut insert = connection.prepare_cached(&show_row::INSERT_STAGED)?;
    for StoredShow { show, processed_at } in shows {
        show_row::insert(&mut insert, show, &processed_at.to_string())?;
    }
    Ok(())
}

fn stage_show(connection: &Connection, show: &Show, at: Timestamp) -> SqlResult<()> {
    unstage(connection, show.id)?;
    let mut insert = connection.prepare_cached(&show_row::INSERT_STAGED)?;
    show_row::insert(&mut insert, show, &at.to_string())?;
    Ok(())
}

/// Deletes the staged version of a show unless it is newer, and returns whether it did.
fn unstage_unless_newer(connection: &Connection, show: &Show) -> SqlResult<bool> {
    let mut delete = connection
        .prepare_cached("DELETE FROM _Staged_Shows WHERE id = ?1 AND ifnull(updated, 0) <= ?2")?;
    let deleted = delete.execute(params![show.id.0, show.updated.unwrap_or_default()])?;
    Ok(deleted == 1)
}

fn unstage(connection: &Connection, show: ShowId) -> SqlResult<()> {
    connection.prepare_cached("DELETE FROM _Staged_Shows WHERE id = ?1")?.execute([show.0])?;
    Ok(())
}

pub(crate) fn stage_deletions(connection: &Connection, shows: &[ShowId]) -> SqlResult<()> {
    let mut delete =
        connection.prepare_cached("INSERT OR IGNORE INTO _Staged_Deletions VALUES (?1)")?;
    for show in shows {
        unstage(connection, *show)?;
        delete.execute([show.0])?;
    }
    Ok(())
}

/// Counts the shows of the next snapshot. Much quicker than reading all retained ones.
pub(crate) fn count_shows(connection: &Connection) -> SqlResult<u32> {
    connection.query_row(
        "SELECT (SELECT count(*) FROM _Staged_Shows) + iif(is_incremental, (SELECT count(*) FROM _Show_Versions) - \
             (SELECT count(*) FROM _Show_Versions WHERE id IN \
                 (SELECT id FROM _Staged_Shows UNION ALL SELECT id FROM _Staged_Deletions)), 0) \
         FROM _Staged_Run",
        [],
        |row| row.get(0),
    )
}

/// Ranks the shows of the next snapshot. The queries only preselect rows; the criteria decide. Retained shows are read
/// best first, and only until there are enough of them.
pub(crate) fn rank(connection: &Connection, criteria: TopShowsCriteria) -> SqlResult<Vec<Show>> {
    const IS_CANDIDATE: &str = "language = ?1 AND instr(genres, ?2) > 0 AND premiered >= ?3";
    let first_year = criteria.first_year().to_string();
    let filter = [TopShowsCriteria::LANGUAGE, TopShowsCriteria::GENRE, &first_year];
    let staged = format!("SELECT * FROM _Staged_Shows WHERE {IS_CANDIDATE}");
    let mut staged = connection.prepare_cached(&staged)?;
    let retained = format!(
        "SELECT id FROM _Retained_Shows WHERE {IS_CANDIDATE}
             ORDER BY rating_average DESC NULLS LAST, weight DESC NULLS LAST, id"
    );
    let mut retained = connection.prepare_cached(&retained)?;
    let mut published = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    let retained = retained
        .query_map(filter, |row| row.get::<_, u32>(0))?
        .map(|id| published.query_row([id?], show_row::read))
        .filter(|show| show.as_ref().map_or(true, |show| criteria.matches(show)))
        .take(criteria.top.get().into());
    criteria.rank(staged.query_map(filter, show_row::read)?.chain(retained))
}
