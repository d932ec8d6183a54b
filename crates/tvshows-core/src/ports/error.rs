use std::io;

use crate::RunId;

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another program holds a lock on the database.
    #[error("another program has locked the database; close it and try again")]
    DatabaseBusy,
    /// Another run, or a later attempt at this run, owns the staging area.
    #[error("another process has taken over this update; nothing was published")]
    Fenced,
    /// This process cannot write to the database. What is published can still be read.
    #[error(
        "the database is read-only for this user; make the file and its folder writable, or choose another \
         DATABASE_PATH"
    )]
    ReadOnly,
    /// There is no space for a change. What is published can still be read.
    #[error("the disk is full; free {needed_mb} MB, the most that an update needs, and try again")]
    DiskFull {
        /// The free space with which an update of TVmaze's catalog does not fail.
        needed_mb: u32,
    },
    /// The file that is open is no longer the one at its path. Nothing is read from it or written to it.
    #[error(
        "the database {change} while this program used it, so nothing is read or written; put it back, or restart \
         this program"
    )]
    DatabaseReplaced {
        /// What happened to the file.
        change: &'static str,
    },
    /// The server of the shared database did not respond, or refused the connection. It may be restarting.
    #[error("{backend} is unavailable")]
    Unreachable {
        /// The server with its address, such as `PostgreSQL at localhost:5432`.
        backend: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The copy of the shared database has not been updated for longer than the operator permits.
    #[error(
        "the data may be out of date: the shared database has not answered for {seconds} s, which is longer than \
         MAX_STALENESS"
    )]
    Stale { seconds: u64 },
    /// The limit of concurrent exports is reached.
    #[error("too many exports are in progress; try again later")]
    TooManyExports,
    /// The receiver of an export failed, for example because the client closed the connection.
    #[error("the export was aborted by its receiver")]
    ExportAborted { source: io::Error },
    /// A condition the operator can fix, such as a file of another program or a damaged one.
    #[error("the database cannot be used: {reason}")]
    InvalidDatabase { reason: String },
    /// Any other failure of the backend.
    #[error("the database cannot be used")]
    Unavailable { source: Box<dyn std::error::Error + Send + Sync> },
    /// A stored row holds a value that cannot be decoded.
    #[error("the database contains an invalid row: {what}")]
    CorruptRow { what: String },
}

impl StoreError {
    /// Whether the same operation may succeed in a few seconds, without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::DatabaseBusy | StoreError::Unreachable { .. })
    }
}

/// Why a progress tracker operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerError {
    /// The backend did not respond in time.
    #[error("{backend} is unavailable")]
    Unavailable {
        /// The backend with its address, such as `Redis at localhost:6379`.
        backend: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The stored value is not a run status.
    #[error("the stored progress of run {run} is invalid")]
    InvalidStatus { run: RunId, source: serde_json::Error },
}
