use rusqlite::{Connection, TransactionBehavior};
use tvshows_core::StoreError;

use crate::error::{SqlResult, from_sql};

/// In order; a released file never changes. `PRAGMA user_version` counts those that were applied.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_incremental.sql"),
    include_str!("../migrations/0003_resume.sql"),
    include_str!("../migrations/0004_data.sql"),
    include_str!("../migrations/0005_memory.sql"),
];

/// `tvsh`: tells a database of this project from one of another program.
const APPLICATION_ID: i32 = 0x7476_7368;

/// Brings the database to the present schema, from nothing or from an earlier version.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if is_foreign(connection).map_err(from_sql)? {
        let reason = "it belongs to another program; choose another DATABASE_PATH";
        return Err(StoreError::InvalidDatabase { reason: reason.into() });
    }
    let version = version(connection).map_err(from_sql)?;
    if version > MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        let reason = format!(
            "its schema is version {version} and this program knows {newest}; use the newer program"
        );
        return Err(StoreError::InvalidDatabase { reason });
    }
    // Only now: the file of another program is left as it is.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(from_sql)?;
    apply(connection).map_err(from_sql)
}

/// Applies what is pending in one transaction. Where nothing is, this still tells a file that cannot
/// be written.
fn apply(connection: &mut Connection) -> SqlResult<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have been faster.
    let applied = version(&transaction)?;
    for sql in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(sql)?;
    }
    if applied < MIGRATIONS.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit()
}

fn version(connection: &Connection) -> SqlResult<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn is_foreign(connection: &Connection) -> SqlResult<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id != APPLICATION_ID && tables > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain_text;

    #[test]
    fn a_database_of_schema_4_lists_its_shows() {
        let mut connection = Connection::open_in_memory().unwrap();
        plain_text::register(&connection).unwrap();
        for sql in &MIGRATIONS[..4] {
            connection.execute_batch(sql).unwrap();
        }
        let network = r#"{"id":2,"name":"CBS"}"#;
        connection
            .execute(
                "INSERT INTO All_Shows (id, name, genres, processed_at, web_channel) \
                 VALUES (7, 'Old', 'Drama', '', ?1)",
                [network],
            )
            .unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 4).unwrap();
        migrate(&mut connection).unwrap();
        let facets = "SELECT id || name || genres || network FROM Show_Facets";
        let facets: String = connection.query_row(facets, [], |row| row.get(0)).unwrap();
        assert_eq!(facets, "7OldDramaCBS");
    }
}
