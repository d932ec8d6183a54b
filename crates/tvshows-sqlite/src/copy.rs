//! The store as a copy of a shared database.

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use rusqlite::{Connection, OptionalExtension};
use tvshows_core::{
    FetchMode, Ownership, RunId, RunQueue, RunRecord, ShowId, SnapshotChanges, SnapshotCopy,
    SnapshotPosition, StoreError,
};

use crate::SqliteStore;
use crate::database::Database;
use crate::error::{SqlResult, from_sql};
use crate::session::SqliteSession;
use crate::staging::Attempt;
use crate::{copy_file, details, publish, runs, snapshot, staging};

#[async_trait]
impl SnapshotCopy for SqliteStore {
    async fn position(&self) -> Result<Option<SnapshotPosition>, StoreError> {
        self.database.read(position).await
    }

    async fn apply(&self, changes: SnapshotChanges) -> Result<(), StoreError> {
        apply(&self.database, changes).await
    }

    async fn replace_run_history(&self, runs: Vec<RunRecord>) -> Result<(), StoreError> {
        let replace = move |connection: &Connection| runs::replace(connection, &runs);
        self.database.write("replace_run_history", replace).await
    }

    async fn close(&self) {
        RunQueue::close(self).await;
        self.lock.release_copy();
    }
}

fn position(connection: &Connection) -> SqlResult<Option<SnapshotPosition>> {
    let transaction = connection.unchecked_transaction()?;
    let origin = origin(&transaction)?;
    let version = snapshot::current(&transaction)?;
    Ok(origin.map(|database_id| SnapshotPosition { database_id, version }))
}

fn origin(connection: &Connection) -> SqlResult<Option<String>> {
    connection.query_row("SELECT database_id FROM _Copy_Origin", [], |row| row.get(0)).optional()
}

/// Stages the shows and the details in batches, and publishes all changes in one transaction.
///
/// The staging tables belong to this call, as they belong to an attempt at a run: it discards what an earlier one left,
/// and a later one makes it fail.
async fn apply(database: &Database, changes: SnapshotChanges) -> Result<(), StoreError> {
    let SnapshotChanges { target, show_count, is_complete, deleted, top, detailed, shows, details } =
        changes;
    let attempt = Attempt { run: RunId::random(), number: 1 };
    let origin = target.database_id.clone();
    let begin = move |connection: &Connection| {
        copy_file::refuse_primary(connection)?;
        staging::take_over(connection, attempt, Ownership::default(), FetchMode::Full)
            .map_err(from_sql)?;
        if is_complete {
            return Ok(());
        }
        require_origin(connection, &origin)?;
        staging::start_incremental(connection).map_err(from_sql)?;
        staging::stage_deletions(connection, &deleted).map_err(from_sql)
    };
    database.write("begin_copy", begin).await?;

    let session = SqliteSession { database: database.clone(), attempt };
    stage_all(&session, shows, staging::stage_stored).await?;
    stage_all(&session, details, details::stage_stored).await?;

    let publish = move |connection: &Connection| {
        require_show_count(connection, show_count)?;
        publish::publish_copy(connection, &top, &detailed, target.version).map_err(from_sql)?;
        require_details(connection, &detailed)?;
        set_origin(connection, &target.database_id).map_err(from_sql)
    };
    session.write("publish_copy", publish).await
}

/// Stages batches, each in a transaction while the next one is received.
async fn stage_all<T: Send + 'static>(
    session: &SqliteSession,
    mut batches: BoxStream<'static, Result<Vec<T>, StoreError>>,
    stage: fn(&Connection, &[T]) -> SqlResult<()>,
) -> Result<(), StoreError> {
    let mut batch = batches.try_next().await?;
    while let Some(items) = batch {
        let stage = session.write("stage_copy", move |connection| stage(connection, &items));
        let (staged, next) = futures::future::join(stage, batches.try_next()).await;
        staged?;
        batch = next?;
    }
    Ok(())
}

/// Refuses changes to a snapshot of another database.
fn require_origin(connection: &Connection, database_id: &str) -> Result<(), StoreError> {
    if origin(connection).map_err(from_sql)?.as_deref() == Some(database_id) {
        return Ok(());
    }
    let reason = "the changes are those of a database that it is not a copy of";
    Err(StoreError::InvalidDatabase { reason: reason.into() })
}

fn require_show_count(connection: &Connection, expected: u32) -> Result<(), StoreError> {
    let count = staging::count_shows(connection).map_err(from_sql)?;
    if count == expected {
        return Ok(());
    }
    let reason =
        format!("the copy would have {count} shows, and the shared database has {expected}");
    Err(StoreError::InvalidDatabase { reason })
}

/// Refuses a copy that lacks the details of a show.
fn require_details(connection: &Connection, expected: &[ShowId]) -> Result<(), StoreError> {
    let stored = details::published_versions(connection).map_err(from_sql)?;
    match expected.iter().find(|show| !stored.contains_key(show)) {
        None => Ok(()),
        Some(show) => {
            let reason = format!("the copy would lack the details of show {show}");
            Err(StoreError::InvalidDatabase { reason })
        }
    }
}

/// Records which database this is a copy of. The history of runs of another one is deleted.
fn set_origin(connection: &Connection, database_id: &str) -> SqlResult<()> {
    if origin(connection)?.as_deref() == Some(database_id) {
        return Ok(());
    }
    connection.execute_batch("DELETE FROM Runs; DELETE FROM _Copy_Origin")?;
    connection.execute("INSERT INTO _Copy_Origin VALUES (?1)", [database_id]).map(|_| ())
}
