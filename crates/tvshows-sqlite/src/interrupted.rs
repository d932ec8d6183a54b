use rusqlite::Connection;
use tvshows_core::{RunState, RunStatus, StoreError};

use crate::error::DbError;
use crate::file_lock::FileLock;
use crate::{runs, staging};

/// Marks a stored `running` run as interrupted if the lock that its process held is free. Writes nothing.
pub(crate) fn mark_interrupted(
    connection: &Connection,
    lock: &FileLock,
    status: &mut RunStatus,
) -> Result<(), DbError> {
    if status.state != RunState::Running || lock.holder().map_err(StoreError::from)?.is_some() {
        return Ok(());
    }
    // A process that works with the lease alone, because the previous holder was paused, has no lock to lose.
    if !staging::ownership(connection, status)?.lock {
        return Ok(());
    }
    // Before the lock was checked, the run may have ended, or another process may have resumed it.
    let current = runs::find(connection, status.request_id)?;
    let attempt = status.attempt;
    if let Some(current) = current {
        *status = current;
    }
    if status.state == RunState::Running && status.attempt == attempt {
        status.mark_interrupted(status.updated_at);
    }
    Ok(())
}
