//! The schema of the database. Each migration is a file of SQL in `migrations`.

use tvshows_core::StoreError;

use crate::database::{Connection, Database, Limit};
use crate::error::Error;

/// The migrations, each with the oldest version of the schema whose programs can still read and write afterwards. A
/// migration only adds to what they use; what they no longer use is removed in a later release.
const MIGRATIONS: [(&str, u32); Schema::CURRENT as usize] = [
    (include_str!("../migrations/0001_initial.sql"), 1),
    (include_str!("../migrations/0002_covering_indexes.sql"), 1),
    (include_str!("../migrations/0003_details.sql"), 1),
];

/// Serializes migrations: its row is locked.
const CREATE_VERSION_TABLE: &str = "CREATE TABLE IF NOT EXISTS _schema_version (\
     one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL, oldest_reader bigint NOT NULL); \
     INSERT INTO _schema_version (version, oldest_reader) VALUES (0, 0) ON CONFLICT DO NOTHING";

/// The schema of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// How many migrations it has; 0 for an empty database.
    pub version: u32,
    /// The oldest version of this program's schema that can use it.
    pub oldest_reader: u32,
}

impl Schema {
    /// The version that this program needs.
    pub const CURRENT: u32 = 3;

    /// Whether [`migrate`](crate::PostgresStore::migrate) would change something.
    #[must_use]
    pub fn is_outdated(self) -> bool {
        self.version < Schema::CURRENT
    }

    /// Fails unless this program can use the database as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidDatabase`] with a reason that says what to do.
    pub fn check(self) -> Result<(), StoreError> {
        let invalid = |reason| Err(StoreError::InvalidDatabase { reason });
        if self.version == 0 {
            let reason = "it has no tables yet; run `tvshows migrate` or `tvshows update`";
            return invalid(reason.into());
        }
        if self.is_outdated() {
            return invalid(format!(
                "its schema has version {}, and this program needs version {}; run `tvshows migrate`",
                self.version,
                Schema::CURRENT
            ));
        }
        if self.oldest_reader > Schema::CURRENT {
            return invalid(format!(
                "its schema has version {}, which this program, with version {}, does not know; install a later \
                 release",
                self.version,
                Schema::CURRENT
            ));
        }
        Ok(())
    }
}

/// Returns the schema of a database without changing it.
pub(crate) async fn read(database: &Database) -> Result<Schema, StoreError> {
    let exists = "SELECT to_regclass('_schema_version') IS NOT NULL";
    let row = database.query("schema", exists, &[]).await?;
    let exists = row.first().is_some_and(|row| row.get(0));
    if !exists {
        return Ok(Schema { version: 0, oldest_reader: 0 });
    }
    let sql = "SELECT version, oldest_reader FROM _schema_version";
    let rows = database.query("schema", sql, &[]).await?;
    rows.first().map_or(Ok(Schema { version: 0, oldest_reader: 0 }), |row| {
        schema(row, 0).map_err(|error| error.into_store_error(&database.backend))
    })
}

/// Applies all missing migrations. Several processes may do so at the same time.
pub(crate) async fn migrate(database: &Database) -> Result<(), StoreError> {
    // Two processes that create the first table at the same time can fail with a duplicate in the system's catalog.
    let created = database.run("migrate", Limit::Bulk.timeout(), || create_version_table(database));
    if created.await.is_err() {
        database.run("migrate", Limit::Bulk.timeout(), || create_version_table(database)).await?;
    }
    database.run("migrate", Limit::Bulk.timeout(), || apply(database)).await
}

async fn create_version_table(database: &Database) -> Result<(), Error> {
    let connection = database.connection().await?;
    connection.batch_execute(CREATE_VERSION_TABLE).await?;
    connection.release();
    Ok(())
}

async fn apply(database: &Database) -> Result<(), Error> {
    let connection = database.connection().await?;
    // Without the time limits of other transactions: another process may be migrating.
    connection.batch_execute("BEGIN").await?;
    let schema = lock_version(&connection).await?;
    let applied = usize::try_from(schema.version).unwrap_or(usize::MAX);
    for (sql, _) in MIGRATIONS.iter().skip(applied) {
        connection.batch_execute(sql).await?;
    }
    if let Some((_, oldest_reader)) = MIGRATIONS.get(applied..).and_then(<[_]>::last) {
        let sql = format!(
            "UPDATE _schema_version SET version = {}, oldest_reader = {oldest_reader}",
            Schema::CURRENT
        );
        connection.batch_execute(&sql).await?;
    }
    connection.commit().await?;
    Ok(())
}

async fn lock_version(connection: &Connection) -> Result<Schema, Error> {
    let sql = "SELECT version, oldest_reader FROM _schema_version FOR UPDATE";
    schema(&connection.query_typed_one(sql, &[]).await?, 0)
}

/// Reads a row with the version and the oldest reader in two columns from `first` on.
pub(crate) fn schema(row: &tokio_postgres::Row, first: usize) -> Result<Schema, Error> {
    let number = |column| -> Result<u32, Error> {
        let number: i64 = row.try_get(column)?;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    };
    Ok(Schema { version: number(first)?, oldest_reader: number(first + 1)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_used_if_it_is_as_old_as_this_program_or_permits_it() {
        let check = |version, oldest_reader| {
            let reason = Schema { version, oldest_reader }.check().err();
            reason.map(|error| error.to_string())
        };
        let current = Schema::CURRENT;
        assert_eq!(check(current, current), None);
        assert_eq!(check(current + 1, current), None, "a later program has only added something");
        assert!(check(current - 1, 0).unwrap().contains("run `tvshows migrate`"));
        assert!(check(current + 2, current + 1).unwrap().contains("install a later release"));
    }
}
