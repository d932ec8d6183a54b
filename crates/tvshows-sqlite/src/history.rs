//! The table `Runs`: the history, and the queue.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tvshows_core::{Enqueued, FetchMode, RunId, RunState, RunStatus, Step};

use crate::error::{SqlResult, unreadable};

/// A run, and how many come before one that waits.
macro_rules! select_runs {
    () => {
        "SELECT *, CASE state WHEN 'queued' THEN (SELECT count(*) FROM Runs AS other WHERE \
         other.state IN ('queued', 'running', 'interrupted') AND \
         (other.state != 'queued' OR other.sequence < Runs.sequence)) END AS position FROM Runs"
    };
}

/// Writes a run's row, or writes it anew: unless the run has ended, or a later attempt has begun. Tells
/// whether it did.
pub(crate) fn write(connection: &Connection, status: &RunStatus) -> SqlResult<bool> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let mut upsert = connection.prepare_cached(
        "INSERT INTO Runs (request_id, state, step, progress, error, pages_done, pages_total, shows_seen, \
         singles_done, singles_total, casts_done, casts_total, requests, retries, rate_limited, started_at, \
         updated_at, finished_at, years, top, mode, instance, revision, added, changed, deleted, unchanged, \
         attempt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
         ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28) ON CONFLICT (request_id) DO UPDATE SET \
         state = ?2, step = ?3, progress = ?4, error = ?5, pages_done = ?6, pages_total = ?7, \
         shows_seen = ?8, singles_done = ?9, singles_total = ?10, casts_done = ?11, casts_total = ?12, \
         requests = ?13, retries = ?14, rate_limited = ?15, started_at = ?16, updated_at = ?17, \
         finished_at = ?18, instance = ?22, revision = ?23, added = ?24, changed = ?25, deleted = ?26, \
         unchanged = ?27, attempt = ?28 \
         WHERE state IN ('queued', 'running', 'interrupted') AND attempt <= ?28",
    )?;
    let written = upsert.execute(params![
        status.request_id.to_string(),
        status.state.as_str(),
        status.step.as_str(),
        status.progress,
        status.error,
        status.pages_done,
        status.pages_total,
        status.shows_seen,
        status.singles_done,
        status.singles_total,
        status.casts_done,
        status.casts_total,
        status.requests,
        status.retries,
        status.rate_limited,
        text(status.started_at),
        status.updated_at.to_string(),
        text(status.finished_at),
        status.years,
        status.top,
        status.mode.as_str(),
        status.instance,
        status.revision,
        status.added,
        status.changed,
        status.deleted,
        status.unchanged,
        status.attempt,
    ])?;
    Ok(written == 1)
}

pub(crate) fn newest(connection: &Connection, limit: u32) -> SqlResult<Vec<RunStatus>> {
    let mut select =
        connection.prepare_cached(concat!(select_runs!(), " ORDER BY sequence DESC LIMIT ?1"))?;
    select.query_map([limit], read)?.collect()
}

pub(crate) fn run(connection: &Connection, id: RunId) -> SqlResult<Option<RunStatus>> {
    let mut select =
        connection.prepare_cached(concat!(select_runs!(), " WHERE request_id = ?1"))?;
    select.query_row([id.to_string()], read).optional()
}

/// The runs that have not ended, what was begun first, then in the order of their requests.
pub(crate) fn unfinished(connection: &Connection) -> SqlResult<Vec<RunStatus>> {
    let mut select = connection.prepare_cached(concat!(
        select_runs!(),
        " WHERE state IN ('queued', 'running', 'interrupted') ORDER BY state = 'queued', sequence"
    ))?;
    select.query_map([], read)?.collect()
}

/// An unfinished run, none of `except`, that was asked to do the same.
pub(crate) fn equal(
    connection: &Connection,
    status: &RunStatus,
    except: &[RunId],
) -> SqlResult<Option<RunStatus>> {
    let mut unfinished = unfinished(connection)?.into_iter();
    Ok(unfinished
        .find(|run| run.parameters() == status.parameters() && !except.contains(&run.request_id)))
}

/// Puts a run into the queue, where none but `except` does the same already and there is room.
pub(crate) fn enqueue(
    connection: &Connection,
    status: &RunStatus,
    except: &[RunId],
    most_waiting: u32,
) -> SqlResult<Enqueued> {
    if let Some(run) = equal(connection, status, except)? {
        return Ok(Enqueued::Joined(run));
    }
    let ahead =
        unfinished(connection)?.iter().filter(|run| !except.contains(&run.request_id)).count();
    // One of them is under way, or about to be.
    let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
    if ahead > most_waiting {
        return Ok(Enqueued::Full);
    }
    write(connection, status)?;
    Ok(Enqueued::New(RunStatus { position: Some(ahead), ..status.clone() }))
}

fn read(row: &Row<'_>) -> SqlResult<RunStatus> {
    let state: RunState = parse(row, "state")?;
    Ok(RunStatus {
        request_id: parse(row, "request_id")?,
        state,
        running: state == RunState::Running,
        step: parse::<Step>(row, "step")?,
        progress: row.get("progress")?,
        error: row.get("error")?,
        pages_done: row.get("pages_done")?,
        pages_total: row.get("pages_total")?,
        shows_seen: row.get("shows_seen")?,
        singles_done: row.get("singles_done")?,
        singles_total: row.get("singles_total")?,
        casts_done: row.get("casts_done")?,
        casts_total: row.get("casts_total")?,
        added: row.get("added")?,
        changed: row.get("changed")?,
        deleted: row.get("deleted")?,
        unchanged: row.get("unchanged")?,
        requests: row.get("requests")?,
        retries: row.get("retries")?,
        rate_limited: row.get("rate_limited")?,
        started_at: parse_option(row, "started_at")?,
        updated_at: parse(row, "updated_at")?,
        finished_at: parse_option(row, "finished_at")?,
        eta_seconds: None,
        years: row.get("years")?,
        top: row.get("top")?,
        mode: parse::<FetchMode>(row, "mode")?,
        instance: row.get("instance")?,
        attempt: row.get("attempt")?,
        position: row.get("position")?,
        revision: row.get("revision")?,
    })
}

fn parse<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: &str,
) -> SqlResult<T> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error| unreadable(row.as_ref().column_index(column).unwrap_or_default(), error))
}

fn parse_option(row: &Row<'_>, column: &str) -> SqlResult<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    text.map(|_| parse(row, column)).transpose()
}
