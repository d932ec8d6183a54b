use deadpool_sqlite::{HookError, InteractError, PoolError, TimeoutType};
use rusqlite::ErrorCode;
use tvshows_core::StoreError;

/// What work on a connection ends with before it leaves this crate.
pub(crate) type SqlResult<T> = Result<T, rusqlite::Error>;

pub(crate) fn unavailable(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { source: source.into() }
}

pub(crate) fn from_sql(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
        return StoreError::DatabaseBusy;
    }
    if let Some(reason) = code.and_then(advice) {
        return StoreError::InvalidDatabase { reason: reason.into() };
    }
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreError::CorruptRow { what: error.to_string() }
        }
        error => unavailable(error),
    }
}

/// What is wrong, and what a person can do about it.
fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            "the file is no database, or a damaged one; put a copy in its place or choose another DATABASE_PATH"
        }
        ErrorCode::CannotOpen => {
            "the file cannot be opened; its folder must exist, and this user must be allowed to write there"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            "the file or its folder is read-only for this user; change that or choose another DATABASE_PATH"
        }
        ErrorCode::DiskFull => {
            "the disk is full; make room, some three times the size of the database, and try again"
        }
        _ => return None,
    })
}

pub(crate) fn from_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            from_sql(error)
        }
        PoolError::Timeout(TimeoutType::Wait) => StoreError::TooManyExports,
        error => unavailable(error),
    }
}

/// A panic on the connection's thread, or a runtime that shuts down.
#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err takes")]
pub(crate) fn from_interact(error: InteractError) -> StoreError {
    unavailable(error.to_string())
}

/// A stored text that is not what its column should hold.
pub(crate) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
