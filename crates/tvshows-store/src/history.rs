//! The table `Runs`.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tvshows_core::{Mode, RunId, RunState, RunStatus, Step};

use crate::error::{SqlResult, unreadable};

/// Writes a run's row, or writes it anew.
pub(crate) fn write(connection: &Connection, status: &RunStatus) -> SqlResult<()> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    connection.execute(
        "INSERT INTO Runs (request_id, state, step, progress, error, pages_done, pages_total, shows_seen, \
         singles_done, singles_total, casts_done, casts_total, requests, retries, rate_limited, started_at, \
         updated_at, finished_at, years, top, mode, instance, revision, added, changed, deleted, unchanged) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
         ?21, ?22, ?23, ?24, ?25, ?26, ?27) ON CONFLICT (request_id) DO UPDATE SET \
         state = ?2, step = ?3, progress = ?4, error = ?5, pages_done = ?6, pages_total = ?7, \
         shows_seen = ?8, singles_done = ?9, singles_total = ?10, casts_done = ?11, casts_total = ?12, \
         requests = ?13, retries = ?14, rate_limited = ?15, started_at = ?16, updated_at = ?17, \
         finished_at = ?18, instance = ?22, revision = ?23, added = ?24, changed = ?25, deleted = ?26, \
         unchanged = ?27",
        params![
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
        ],
    )?;
    Ok(())
}

pub(crate) fn newest(connection: &Connection, limit: u32) -> SqlResult<Vec<RunStatus>> {
    let mut select =
        connection.prepare_cached("SELECT * FROM Runs ORDER BY sequence DESC LIMIT ?1")?;
    select.query_map([limit], read)?.collect()
}

pub(crate) fn run(connection: &Connection, id: RunId) -> SqlResult<Option<RunStatus>> {
    let mut select = connection.prepare_cached("SELECT * FROM Runs WHERE request_id = ?1")?;
    select.query_row([id.to_string()], read).optional()
}

/// The runs that were queued or running when they were last written.
pub(crate) fn live(connection: &Connection) -> SqlResult<Vec<RunStatus>> {
    let mut select = connection.prepare_cached("SELECT * FROM Runs WHERE state IN (?1, ?2)")?;
    let states = [RunState::Queued.as_str(), RunState::Running.as_str()];
    select.query_map(states, read)?.collect()
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
        mode: parse::<Mode>(row, "mode")?,
        instance: row.get("instance")?,
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
