use deadpool_sqlite::InteractError;
use rusqlite::{ErrorCode, ffi};
use tvshows_core::StoreError;

/// The free space, in MB, with which an update of 90,000 shows, a few more than TVmaze has, does not fail.
///
/// Measured: the first update needs 190 MB (140 MB for the tables and the rest for the WAL), one that refetches every
/// page 130 MB, and any other less.
pub const UPDATE_FREE_MB: u32 = 200;

/// The result of a database operation, before conversion to [`StoreError`].
pub(crate) type SqlResult<T> = Result<T, rusqlite::Error>;

/// An error from work on a connection.
pub(crate) trait IntoStoreError: Send + 'static {
    fn into_store_error(self) -> StoreError;
}

impl IntoStoreError for StoreError {
    fn into_store_error(self) -> StoreError {
        self
    }
}

impl IntoStoreError for rusqlite::Error {
    fn into_store_error(self) -> StoreError {
        from_sql(self)
    }
}

pub(crate) fn unavailable(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { source: source.into() }
}

pub(crate) fn from_sql(error: rusqlite::Error) -> StoreError {
    let invalid = |reason: &str| StoreError::InvalidDatabase { reason: reason.into() };
    let extended = error.sqlite_extended_error_code().unwrap_or_default();
    match (error.sqlite_error_code(), extended) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => StoreError::DatabaseBusy,
        // The second: there is no space for the -shm file.
        (Some(ErrorCode::DiskFull), _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => {
            StoreError::DiskFull { needed_mb: UPDATE_FREE_MB }
        }
        (_, ffi::SQLITE_READONLY_DBMOVED) => {
            StoreError::DatabaseReplaced { change: "file was moved or deleted" }
        }
        (_, ffi::SQLITE_READONLY_ROLLBACK) => invalid(
            "another program was interrupted while it changed the file; open it with `sqlite3` and write access, \
             which undoes the change",
        ),
        (Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied), _) => StoreError::ReadOnly,
        (Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt), _) => invalid(
            "the file is not a database, or it is damaged; restore a copy or choose another DATABASE_PATH",
        ),
        (Some(ErrorCode::CannotOpen), _) => invalid(
            "the file cannot be opened; its folder must exist and be accessible to this user",
        ),
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => {
                StoreError::CorruptRow { what: error.to_string() }
            }
            error => unavailable(error),
        },
    }
}

/// A panic on the connection's thread, or a runtime that is shutting down.
#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err takes")]
pub(crate) fn from_interact(error: InteractError) -> StoreError {
    unavailable(error.to_string())
}

/// The error for stored text that its column should not contain.
pub(crate) fn invalid_text(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
