//! The table `_runs`: the history, and the queue.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use tvshows_core::{Enqueued, NextRun, Ownership, RunId, RunRecord, RunStatus};

use crate::error::{Error, corrupt};
use crate::lock::is_held;
use crate::migrations;

/// A run with what readers see besides its status: the number of runs before it if it waits, whether the process that
/// works on it has lost the lock, the locks of its last attempt, the snapshot that it published, and whether replicas may
/// still lack that. The limits say that two of the tables have one row: by its estimate of a thousand, the server compiled
/// the query, which took 20 ms or more.
macro_rules! select_runs {
    () => {
        concat!(
            "SELECT r.sequence, r.status, \
         CASE r.state WHEN 'queued' THEN (SELECT count(*) FROM _runs o WHERE \
             o.state IN ('queued', 'running', 'interrupted') AND (o.state <> 'queued' OR o.sequence < r.sequence)) END, \
         r.state = 'running' AND NOT coalesce( \
             NOT s.owns_lock OR (l.holder = s.holder AND l.term = s.term AND ",
            is_held!("l.until"),
            "), false), \
         s.owns_lock, s.owns_lease, s.stalled_attempts, \
         r.snapshot, r.ended_at > clock_timestamp() - interval '5 s' \
         FROM _runs r CROSS JOIN (SELECT * FROM _run_lock LIMIT 1) l \
         LEFT JOIN (SELECT * FROM _staged_run LIMIT 1) s ON s.request_id = r.request_id"
        )
    };
}

const FIND: &str = concat!(select_runs!(), " WHERE r.request_id = $1");
const LIST_NEWEST: &str = concat!(select_runs!(), " ORDER BY r.sequence DESC LIMIT $1");
const HISTORY: &str = concat!(select_runs!(), " ORDER BY r.sequence");
/// The runs that have not ended: the started ones first, then in the order of their requests.
const UNFINISHED: &str = concat!(
    select_runs!(),
    " WHERE r.state IN ('queued', 'running', 'interrupted') ORDER BY r.state = 'queued', r.sequence"
);

const UPDATE: &str = "UPDATE _runs SET state = $2, attempt = $3, status = $4, \
     ended_at = CASE WHEN $5 THEN clock_timestamp() END, snapshot = $6 \
     WHERE request_id = $1 AND state IN ('queued', 'running', 'interrupted') AND attempt <= $3";
const INSERT: &str = "INSERT INTO _runs (request_id, state, attempt, status, ended_at, snapshot) \
     VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN clock_timestamp() END, $6) ON CONFLICT (request_id) DO NOTHING";

/// A row of the history.
pub(crate) struct StoredRun {
    pub(crate) sequence: u64,
    pub(crate) status: RunStatus,
    ownership: Option<Ownership>,
    stalled_attempts: u32,
    /// The number of the snapshot that it published.
    pub(crate) snapshot: Option<i64>,
    has_just_ended: bool,
}

impl StoredRun {
    fn read(row: &Row) -> Result<StoredRun, Error> {
        let json: &str = row.try_get(1)?;
        let mut status: RunStatus = serde_json::from_str(json)
            .map_err(|error| corrupt(format!("the status of a run: {error}")))?;
        let position: Option<i64> = row.try_get(2)?;
        status.position = position.and_then(|position| u32::try_from(position).ok());
        let has_lost_lock: bool = row.try_get(3)?;
        if has_lost_lock {
            status.mark_interrupted(status.updated_at);
        }
        let (lock, lease): (Option<bool>, Option<bool>) = (row.try_get(4)?, row.try_get(5)?);
        let stalled_attempts: Option<i64> = row.try_get(6)?;
        let sequence: i64 = row.try_get(0)?;
        Ok(StoredRun {
            sequence: u64::try_from(sequence).unwrap_or_default(),
            status,
            ownership: lock.zip(lease).map(|(lock, lease)| Ownership { lock, lease }),
            stalled_attempts: u32::try_from(stalled_attempts.unwrap_or_default())
                .unwrap_or(u32::MAX),
            snapshot: row.try_get(7)?,
            has_just_ended: row.try_get::<_, Option<bool>>(8)?.unwrap_or_default(),
        })
    }

    /// The number of the snapshot that it published a moment ago: longer than a publish waits for the replicas.
    pub(crate) fn recent_snapshot(&self) -> Option<i64> {
        self.snapshot.filter(|_| self.has_just_ended)
    }

    pub(crate) fn into_next(self) -> NextRun {
        // A run that has lost the staging tables to another one cannot write, so only the lock counts.
        let fallback = Ownership { lock: self.status.attempt > 0, lease: false };
        NextRun {
            ownership: self.ownership.unwrap_or(fallback),
            stalled_attempts: self.stalled_attempts,
            status: self.status,
        }
    }

    pub(crate) fn into_record(self) -> RunRecord {
        RunRecord { sequence: self.sequence, status: self.status }
    }
}

/// Inserts or updates the row of a run, unless the run has ended or a later attempt has started. Returns whether it
/// did. `snapshot` is the number of the snapshot that it published.
pub(crate) async fn upsert(
    client: &Client,
    status: &RunStatus,
    snapshot: Option<i64>,
) -> Result<bool, Error> {
    if write(client, UPDATE, status, snapshot).await? == 1 {
        return Ok(true);
    }
    // Not an upsert in one statement: each would take a number from the sequence.
    Ok(write(client, INSERT, status, snapshot).await? == 1)
}

/// Updates the row of a run that exists, unless the run has ended or a later attempt has started.
pub(crate) async fn update(client: &Client, status: &RunStatus) -> Result<(), Error> {
    write(client, UPDATE, status, None).await.map(|_| ())
}

async fn write(
    client: &Client,
    sql: &str,
    status: &RunStatus,
    snapshot: Option<i64>,
) -> Result<u64, Error> {
    // What only applies to a live run is not stored.
    let stored = RunStatus { eta_seconds: None, position: None, ..status.clone() };
    let json = serde_json::to_string(&stored)
        .map_err(|error| corrupt(format!("the status of a run: {error}")))?;
    let parameters = [
        (&status.request_id.to_string() as _, Type::TEXT),
        (&<&str>::from(status.state) as _, Type::TEXT),
        (&i64::from(status.attempt) as _, Type::INT8),
        (&json as _, Type::TEXT),
        (&status.state.is_terminal() as _, Type::BOOL),
        (&snapshot as _, Type::INT8),
    ];
    Ok(client.execute_typed(sql, &parameters).await?)
}

pub(crate) async fn find(client: &Client, run: RunId) -> Result<Option<StoredRun>, Error> {
    let row = client.query_typed_opt(FIND, &[(&run.to_string(), Type::TEXT)]).await?;
    row.as_ref().map(StoredRun::read).transpose()
}

pub(crate) async fn list_newest(client: &Client, limit: u32) -> Result<Vec<StoredRun>, Error> {
    let rows = client.query_typed(LIST_NEWEST, &[(&i64::from(limit), Type::INT8)]).await?;
    rows.iter().map(StoredRun::read).collect()
}

pub(crate) async fn history(client: &Client) -> Result<Vec<StoredRun>, Error> {
    client.query_typed(HISTORY, &[]).await?.iter().map(StoredRun::read).collect()
}

pub(crate) async fn unfinished(client: &Client) -> Result<Vec<StoredRun>, Error> {
    client.query_typed(UNFINISHED, &[]).await?.iter().map(StoredRun::read).collect()
}

/// Returns the unfinished run that a request joins. Without a lock, so that many requests at once are fast.
pub(crate) async fn join(
    client: &Client,
    status: &RunStatus,
    except: &[RunId],
) -> Result<Option<Enqueued>, Error> {
    let unfinished = unfinished(client).await?;
    let unfinished = unfinished.into_iter().map(|run| run.status);
    let mut others = unfinished.filter(|run| !except.contains(&run.request_id));
    let equal = others.find(|run| run.parameters() == status.parameters());
    Ok(equal.filter(|run| run.request_id != status.request_id).map(Enqueued::Joined))
}

/// Adds a run to the queue, unless it has a duplicate or the queue is full. Nobody else adds one meanwhile.
pub(crate) async fn enqueue(
    client: &Client,
    status: &RunStatus,
    except: &[RunId],
    max_waiting: u32,
) -> Result<Enqueued, Error> {
    // Serializes the requests: this row is locked until the transaction ends.
    let sql = "SELECT v.version, v.oldest_reader FROM _data d CROSS JOIN _schema_version v FOR UPDATE OF d";
    migrations::schema(&client.query_typed_one(sql, &[]).await?, 0)?.check()?;
    let mut unfinished: Vec<_> =
        unfinished(client).await?.into_iter().map(|run| run.status).collect();
    // The answer to the transaction that added it may have been lost.
    if let Some(added) = unfinished.iter().find(|run| run.request_id == status.request_id) {
        return Ok(Enqueued::New(RunStatus { position: added.position, ..status.clone() }));
    }
    unfinished.retain(|run| !except.contains(&run.request_id));
    let ahead = u32::try_from(unfinished.len()).unwrap_or(u32::MAX);
    let mut unfinished = unfinished.into_iter();
    if let Some(run) = unfinished.find(|run| run.parameters() == status.parameters()) {
        return Ok(Enqueued::Joined(run));
    }
    // One of them runs, or is about to.
    if ahead > max_waiting {
        return Ok(Enqueued::Full);
    }
    upsert(client, status, None).await?;
    Ok(Enqueued::New(RunStatus { position: Some(ahead), ..status.clone() }))
}
