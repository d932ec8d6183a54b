use deadpool_sqlite::InteractError;
use rusqlite::ErrorCode;
use tvshows_core::StoreError;

/// The result of a database operation, before conversion to [`StoreError`].
pub(crate) type SqlResult<T> = Result<T, rusqlite::Error>;

/// A [`StoreError`] that `?` also creates from an SQLite error.
#[derive(Debug)]
pub(crate) struct DbError(StoreError);

impl From<StoreError> for DbError {
    fn from(error: StoreError) -> DbError {
        DbError(error)
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> DbError {
        let code = error.sqlite_error_code();
        if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
            return DbError(StoreError::DatabaseBusy);
        }
        if let Some(reason) = code.and_then(hint) {
            return DbError(StoreError::InvalidDatabase { reason: reason.into() });
        }
        DbError(match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => {
                StoreError::CorruptRow { what: error.to_string() }
            }
            error => unavailable(error),
        })
    }
}

impl From<DbError> for StoreError {
    fn from(DbError(error): DbError) -> StoreError {
        error
    }
}

pub(crate) fn unavailable(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { source: source.into() }
}

/// What is wrong, and what the operator can do about it.
fn hint(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            "the file is not a database, or it is damaged; restore a copy or choose another DATABASE_PATH"
        }
        ErrorCode::CannotOpen => {
            "the file cannot be opened; its folder must exist and be writable by this user"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            "the file or its folder is read-only for this user; change that or choose another DATABASE_PATH"
        }
        ErrorCode::DiskFull => {
            "the disk is full; free about three times the size of the database and try again"
        }
        _ => return None,
    })
}

/// A panic on the connection's thread, or a runtime that shuts down.
#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err takes")]
pub(crate) fn from_interact(error: InteractError) -> StoreError {
    unavailable(error.to_string())
}

/// A stored text that its column should not contain.
pub(crate) fn invalid_text(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
