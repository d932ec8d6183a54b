use std::error::Error as StdError;
use std::io;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::SqlState;
use tvshows_core::StoreError;

/// The free space, in MB, with which an update of 90,000 shows, a few more than TVmaze has, does not fail.
///
/// Twice the catalog, for its rows and for the write-ahead log, with room for the indexes.
const UPDATE_FREE_MB: u32 = 400;
const READ_ONLY: &str = "25006";

/// Why an operation failed, before conversion to [`StoreError`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the operation timed out")]
    Timeout,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What helps against an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The same transaction again.
    Repeat,
    /// The same transaction again, on another connection. It may have been committed.
    Reconnect,
    None,
}

impl Error {
    pub(crate) fn remedy(&self) -> Remedy {
        match self.sql_state() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
                Remedy::Repeat
            }
            Some(state) if is_away(state) => Remedy::Reconnect,
            None if self.is_connection_lost() => Remedy::Reconnect,
            _ => Remedy::None,
        }
    }

    /// Converts the error. `backend` names the server.
    pub(crate) fn into_store_error(self, backend: &str) -> StoreError {
        let invalid = |reason: String| StoreError::InvalidDatabase { reason };
        if let Error::Store(error) = self {
            return error;
        }
        let Some(state) = self.sql_state() else { return self.without_state(backend) };
        let message = self.message();
        match state.code() {
            READ_ONLY => unreachable(
                backend,
                "it is read-only, as a standby is that was not promoted; let DATABASE_URL name the primary, or all \
                 hosts and target_session_attrs=read-write",
            ),
            _ if is_away(state) => unreachable(backend, message),
            // These were repeated several times before.
            "55P03" | "40001" | "40P01" => StoreError::DatabaseBusy,
            "53100" => StoreError::DiskFull { needed_mb: UPDATE_FREE_MB },
            "28000" | "28P01" => invalid(format!(
                "{backend} refuses the login; check the user and the password in DATABASE_URL ({message})"
            )),
            "3D000" => invalid(format!("{message}; create it with CREATE DATABASE")),
            "42501" => invalid(format!(
                "{message}; the user in DATABASE_URL must own the tables, and may need GRANT CREATE ON SCHEMA public"
            )),
            "42P01" | "42703" => invalid(format!("{message}; run `tvshows migrate`")),
            "42P07" | "42710" => invalid(format!(
                "{message}, and is not of this program; let DATABASE_URL name a database of its own"
            )),
            "XX001" | "XX002" => StoreError::CorruptRow { what: message },
            _ => StoreError::Unavailable { source: message.into() },
        }
    }

    fn without_state(self, backend: &str) -> StoreError {
        if let Some(error) = self.source_of::<rustls::Error>() {
            let reason = format!(
                "{backend} cannot be trusted: {error}; add the certificate of its authority to the system's, or name \
                 it in SSL_CERT_FILE, and use the host name that the server's certificate has"
            );
            return StoreError::InvalidDatabase { reason };
        }
        if self.is_connection_lost() {
            return unreachable(backend, self.message());
        }
        match self {
            // The password is missing, for example, or the server does not offer TLS.
            Error::Pool(_) => {
                let advice = "check DATABASE_URL; on a private network, sslmode=disable permits a server without TLS";
                let reason = format!("{backend} cannot be used: {}; {advice}", self.message());
                StoreError::InvalidDatabase { reason }
            }
            _ => StoreError::CorruptRow { what: self.message() },
        }
    }

    fn postgres(&self) -> Option<&tokio_postgres::Error> {
        match self {
            // The hook sends the first query of a connection: a pooler accepts one even while its server is down.
            Error::Postgres(error)
            | Error::Pool(
                PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)),
            ) => Some(error),
            _ => None,
        }
    }

    fn sql_state(&self) -> Option<&SqlState> {
        self.postgres()?.code()
    }

    fn is_connection_lost(&self) -> bool {
        match self {
            Error::Timeout | Error::Pool(PoolError::Timeout(_) | PoolError::Closed) => true,
            Error::Store(_) => false,
            _ => {
                self.postgres().is_some_and(tokio_postgres::Error::is_closed)
                    || self.source_of::<io::Error>().is_some()
            }
        }
    }

    /// Returns the cause of a type, if there is one.
    fn source_of<T: StdError + 'static>(&self) -> Option<&T> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(self.postgres()?);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            // An I/O error is not the source of itself, but may contain an error of TLS.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
        }
        None
    }

    /// The message of the server, or else the innermost cause. Neither contains the password.
    fn message(&self) -> String {
        let Some(error) = self.postgres() else { return self.to_string() };
        if let Some(error) = error.as_db_error() {
            return error.message().to_owned();
        }
        let mut cause: &dyn StdError = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause.to_string()
    }
}

pub(crate) fn unreachable(
    backend: &str,
    source: impl Into<Box<dyn StdError + Send + Sync>>,
) -> StoreError {
    StoreError::Unreachable { backend: backend.to_owned(), source: source.into() }
}

pub(crate) fn corrupt(what: impl Into<String>) -> Error {
    Error::Store(StoreError::CorruptRow { what: what.into() })
}

/// Whether the server is stopping, starting, full, not promoted yet, or has closed the session.
fn is_away(state: &SqlState) -> bool {
    let code = state.code();
    code.starts_with("08")
        || code.starts_with("57P0")
        // Too many connections; canceled by a time limit; idle in a transaction for too long.
        || ["53300", "57014", "25P03", READ_ONLY].contains(&code)
}
