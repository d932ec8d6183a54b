//! The table `Runs`: the history, and the queue.

use std::collections::BTreeMap;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use serde_json::{Map, Value as Json};
use tvshows_core::{Enqueued, RunId, RunRecord, RunStatus};

use crate::columns;
use crate::error::{SqlResult, invalid_text};

/// The fields of a status that have no column. The others are stored, each in the column of its name; lists as JSON.
const NOT_STORED: [&str; 3] = ["running", "eta_seconds", "position"];

/// A run, and the number of runs before it if it waits.
macro_rules! select_runs {
    () => {
        "SELECT *, CASE state WHEN 'queued' THEN (SELECT count(*) FROM Runs AS other WHERE \
         other.state IN ('queued', 'running', 'interrupted') AND \
         (other.state != 'queued' OR other.sequence < Runs.sequence)) END AS position FROM Runs"
    };
}

/// Inserts or updates the row of a run, unless the run has ended or a later attempt has started. Returns
/// whether it did.
pub(crate) fn upsert(connection: &Connection, status: &RunStatus) -> SqlResult<bool> {
    let fields = stored_fields(status)?;
    let columns = fields.keys().map(String::as_str);
    let updates: Vec<_> =
        columns.clone().map(|column| format!("{column} = excluded.{column}")).collect();
    let sql = format!(
        "{} ON CONFLICT (request_id) DO UPDATE SET {} \
         WHERE Runs.state IN ('queued', 'running', 'interrupted') AND Runs.attempt <= excluded.attempt",
        columns::insert("INSERT INTO Runs", columns),
        updates.join(", ")
    );
    let written = connection.prepare_cached(&sql)?.execute(params_from_iter(values(&fields)))?;
    Ok(written == 1)
}

/// Replaces the whole history.
pub(crate) fn replace(connection: &Connection, runs: &[RunRecord]) -> SqlResult<()> {
    connection.execute("DELETE FROM Runs", [])?;
    for RunRecord { sequence, status } in runs {
        let mut fields = stored_fields(status)?;
        fields.insert("sequence".into(), (*sequence).into());
        let sql = columns::insert("INSERT INTO Runs", fields.keys().map(String::as_str));
        connection.prepare_cached(&sql)?.execute(params_from_iter(values(&fields)))?;
    }
    Ok(())
}

fn stored_fields(status: &RunStatus) -> SqlResult<Map<String, Json>> {
    let mut fields =
        status.fields().map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    fields.retain(|name, _| !NOT_STORED.contains(&name.as_str()));
    Ok(fields)
}

/// Returns the values of the columns of a run.
pub(crate) fn column_values(status: &RunStatus) -> SqlResult<BTreeMap<String, Value>> {
    let fields = stored_fields(status)?;
    Ok(fields.keys().cloned().zip(values(&fields)).collect())
}

/// The fields as values of their columns.
fn values(fields: &Map<String, Json>) -> impl Iterator<Item = Value> {
    fields.values().map(|field| match field {
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        list @ Json::Array(_) => Value::Text(list.to_string()),
        _ => Value::Null,
    })
}

pub(crate) fn list_newest(connection: &Connection, limit: u32) -> SqlResult<Vec<RunStatus>> {
    let mut select =
        connection.prepare_cached(concat!(select_runs!(), " ORDER BY sequence DESC LIMIT ?1"))?;
    select.query_map([limit], status)?.collect()
}

pub(crate) fn find(connection: &Connection, id: RunId) -> SqlResult<Option<RunStatus>> {
    let mut select =
        connection.prepare_cached(concat!(select_runs!(), " WHERE request_id = ?1"))?;
    select.query_row([id.to_string()], status).optional()
}

/// Returns the runs that have not ended: the started ones first, then in the order of their requests.
pub(crate) fn unfinished(connection: &Connection) -> SqlResult<Vec<RunStatus>> {
    let mut select = connection.prepare_cached(concat!(
        select_runs!(),
        " WHERE state IN ('queued', 'running', 'interrupted') ORDER BY state = 'queued', sequence"
    ))?;
    select.query_map([], status)?.collect()
}

/// Returns an unfinished run with the same parameters that is not in `except`.
pub(crate) fn find_duplicate(
    connection: &Connection,
    status: &RunStatus,
    except: &[RunId],
) -> SqlResult<Option<RunStatus>> {
    let mut unfinished = unfinished(connection)?.into_iter();
    Ok(unfinished
        .find(|run| run.parameters() == status.parameters() && !except.contains(&run.request_id)))
}

/// Adds a run to the queue, unless it has a duplicate or the queue is full.
pub(crate) fn enqueue(
    connection: &Connection,
    status: &RunStatus,
    except: &[RunId],
    max_waiting: u32,
) -> SqlResult<Enqueued> {
    if let Some(run) = find_duplicate(connection, status, except)? {
        return Ok(Enqueued::Joined(run));
    }
    let ahead =
        unfinished(connection)?.iter().filter(|run| !except.contains(&run.request_id)).count();
    // One of them runs, or is about to.
    let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
    if ahead > max_waiting {
        return Ok(Enqueued::Full);
    }
    upsert(connection, status)?;
    Ok(Enqueued::New(RunStatus { position: Some(ahead), ..status.clone() }))
}

/// Reads a status from a row, whose columns have the names of its fields.
fn status(row: &Row<'_>) -> SqlResult<RunStatus> {
    let mut fields = Map::new();
    for (index, column) in row.as_ref().column_names().into_iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Null => Json::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            list if column == "steps" => {
                serde_json::from_str(list.as_str()?).map_err(|error| invalid_text(index, error))?
            }
            text => text.as_str()?.into(),
        };
        fields.insert(column.to_owned(), value);
    }
    let is_running = fields.get("state").is_some_and(|state| state == "running");
    fields.insert("running".into(), is_running.into());
    serde_json::from_value(Json::Object(fields)).map_err(|error| invalid_text(0, error))
}
