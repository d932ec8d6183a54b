//! The run lock: one row, by the clock of the database.

use std::time::Duration;

use tokio_postgres::types::Type;
use tvshows_core::{LockError, StoreError};

use crate::database::Database;
use crate::migrations::Schema;

/// How long the lock is held after a renewal: longer than a failover of the server, and short enough that another
/// process takes over within 20 s.
pub const LOCK_TTL: Duration = Duration::from_secs(17);

/// The condition for a lock that has not expired. One that seems to be held for longer than any renewal permits has
/// expired as well: the clock was set back since.
macro_rules! is_held {
    ($until:literal) => {
        concat!($until, " BETWEEN clock_timestamp() AND clock_timestamp() + interval '34 s'")
    };
}
pub(crate) use is_held;
const _: () = assert!(LOCK_TTL.as_secs() * 2 == 34);

/// Takes the lock if it is free, if `holder` has it, or if `$2` does, which is dead. Not if a later release has upgraded
/// the schema to one that this program does not know.
const ACQUIRE: &str = concat!(
    "UPDATE _run_lock SET holder = $1, until = clock_timestamp() + make_interval(secs => $3), \
     term = CASE WHEN holder = $1 AND ",
    is_held!("until"),
    " THEN term ELSE term + 1 END WHERE (holder IS NULL OR holder = $1 OR holder = $2 OR NOT ",
    is_held!("until"),
    ") AND (SELECT oldest_reader FROM _schema_version) <= $4"
);

const RENEW: &str = "UPDATE _run_lock SET until = clock_timestamp() + make_interval(secs => $2) WHERE holder = $1 \
     AND (SELECT oldest_reader FROM _schema_version) <= $3";

const HOLDER: &str =
    concat!("SELECT holder FROM _run_lock WHERE holder IS NOT NULL AND ", is_held!("until"));

const RELEASE: &str = "UPDATE _run_lock SET holder = NULL, until = '-infinity' WHERE holder = $1";

pub(crate) async fn acquire(
    database: &Database,
    holder: &str,
    evict: Option<&str>,
) -> Result<bool, LockError> {
    let ttl = LOCK_TTL.as_secs_f64();
    let parameters = [
        (&holder as _, Type::TEXT),
        (&evict as _, Type::TEXT),
        (&ttl as _, Type::FLOAT8),
        (&i64::from(Schema::CURRENT) as _, Type::INT8),
    ];
    let changed = database.execute("acquire_lock", ACQUIRE, &parameters).await;
    changed.map(|rows| rows == 1).map_err(|error| lock_error(database, error))
}

pub(crate) async fn renew(database: &Database, holder: &str) -> Result<bool, LockError> {
    let ttl = LOCK_TTL.as_secs_f64();
    let schema = i64::from(Schema::CURRENT);
    let parameters =
        [(&holder as _, Type::TEXT), (&ttl as _, Type::FLOAT8), (&schema as _, Type::INT8)];
    let changed = database.execute("renew_lock", RENEW, &parameters).await;
    changed.map(|rows| rows == 1).map_err(|error| lock_error(database, error))
}

pub(crate) async fn holder(database: &Database) -> Result<Option<String>, LockError> {
    let rows = database.query("lock_holder", HOLDER, &[]).await;
    let rows = rows.map_err(|error| lock_error(database, error))?;
    Ok(rows.first().map(|row| row.get(0)))
}

pub(crate) async fn release(database: &Database, holder: &str) {
    let parameters = [(&holder as _, Type::TEXT)];
    let _ = database.execute("release_lock", RELEASE, &parameters).await;
}

fn lock_error(database: &Database, error: StoreError) -> LockError {
    // Its text would repeat that the backend is unavailable.
    let source = match error {
        StoreError::Unreachable { source, .. } => source,
        error => error.into(),
    };
    LockError { backend: database.backend.to_string(), source }
}
