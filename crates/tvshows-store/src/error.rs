use deadpool_sqlite::{InteractError, PoolError};
use tvshows_core::StoreError;

/// What work on a connection ends with before it leaves this crate.
pub(crate) type SqlResult<T> = Result<T, rusqlite::Error>;

pub(crate) fn unavailable(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { source: source.into() }
}

pub(crate) fn from_sql(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreError::Unreadable { what: error.to_string() }
        }
        error => unavailable(error),
    }
}

pub(crate) fn from_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => from_sql(error),
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
