use rusqlite::{Connection, MAIN_DB, TransactionBehavior};
use tvshows_core::StoreError;

use crate::error::{SqlResult, from_sql};

/// In order. `PRAGMA user_version` is the number of those applied, so the SQL of a released file never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_incremental.sql"),
    include_str!("../migrations/0003_resume.sql"),
    include_str!("../migrations/0004_search_index.sql"),
    include_str!("../migrations/0005_facets_table.sql"),
    include_str!("../migrations/0006_internal_names.sql"),
    include_str!("../migrations/0007_malformed_shows.sql"),
    include_str!("../migrations/0008_views_and_lookup.sql"),
    include_str!("../migrations/0009_facets.sql"),
    include_str!("../migrations/0010_max_requests.sql"),
    include_str!("../migrations/0011_run_steps.sql"),
    include_str!("../migrations/0012_copy_origin.sql"),
    include_str!("../migrations/0013_search_in_memory.sql"),
    include_str!("../migrations/0014_details.sql"),
    include_str!("../migrations/0015_facets_in_memory.sql"),
    include_str!("../migrations/0016_episode_ids.sql"),
];

/// What a file is to the process that opens it for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A database of its own.
    Primary,
    /// A copy of a shared database.
    Copy,
}

/// `tvsh`: identifies the databases of this program.
const APPLICATION_ID: i32 = 0x7476_7368;

/// Creates the schema in an empty database, or migrates an earlier version. Rejects the database of another
/// program or of a later version, and a copy of a shared database as a `Primary`, and leaves it unchanged.
pub(crate) fn migrate(connection: &mut Connection, kind: FileKind) -> Result<(), StoreError> {
    supported_version(connection)?;
    if kind == FileKind::Primary && is_copy(connection).map_err(from_sql)? {
        let reason =
            "it is a copy of a shared database; set DATABASE_URL, or choose another DATABASE_PATH";
        return Err(StoreError::InvalidDatabase { reason: reason.into() });
    }
    if connection.is_readonly(MAIN_DB).map_err(from_sql)? {
        return Err(StoreError::ReadOnly);
    }
    // Not before the checks: this changes the file.
    let pages: u32 =
        connection.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(from_sql)?;
    if pages == 0 {
        // Lets a run that fails return the space of what it staged. For an existing file, it would take a VACUUM.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(from_sql)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(from_sql)?;
    apply(connection).map_err(from_sql)
}

/// Refuses every database that does not have the current schema.
pub(crate) fn require_current(connection: &Connection) -> Result<(), StoreError> {
    let (version, current) = (supported_version(connection)?, MIGRATIONS.len());
    if version < current {
        let reason = format!(
            "it has schema version {version}, and this release reads version {current}; to upgrade it, run \
             `tvshows update` or `tvshows serve` with write access to it"
        );
        return Err(StoreError::InvalidDatabase { reason });
    }
    Ok(())
}

/// Returns the schema version of a database of this program, and of this or an earlier release.
fn supported_version(connection: &Connection) -> Result<usize, StoreError> {
    if is_foreign(connection).map_err(from_sql)? {
        return Err(foreign());
    }
    let version = version(connection).map_err(from_sql)?;
    if version > MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        let reason = format!(
            "it has schema version {version}, and this program supports up to {newest}; use a newer release"
        );
        return Err(StoreError::InvalidDatabase { reason });
    }
    Ok(version)
}

/// Applies the pending migrations in one transaction. Fails if the file is not writable, even if no migration
/// is pending.
fn apply(connection: &mut Connection) -> SqlResult<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again within the transaction: another process may have migrated the file.
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

pub(crate) fn has_current_version(connection: &Connection) -> SqlResult<bool> {
    Ok(version(connection)? == MIGRATIONS.len())
}

fn version(connection: &Connection) -> SqlResult<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the database is a copy of a shared one.
pub(crate) fn is_copy(connection: &Connection) -> SqlResult<bool> {
    has_rows(connection, "_Copy_Origin")
}

/// Whether a table exists and is not empty.
pub(crate) fn has_rows(connection: &Connection, table: &str) -> SqlResult<bool> {
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    if !connection.query_row(exists, [table], |row| row.get(0))? {
        return Ok(false);
    }
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
    connection.query_row(&sql, [], |row| row.get(0))
}

pub(crate) fn foreign() -> StoreError {
    let reason = "it belongs to another program; choose another DATABASE_PATH";
    StoreError::InvalidDatabase { reason: reason.into() }
}

pub(crate) fn is_foreign(connection: &Connection) -> SqlResult<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id != APPLICATION_ID && tables > 0)
}

#[cfg(test)]
mod tests {
    use tvshows_core::Facet;

    use super::*;
    use crate::facet_index::FacetIndex;
    use crate::index_cache::IndexCache;
    use crate::sql_functions;

    fn database(schema: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        sql_functions::register(&connection).unwrap();
        for sql in &MIGRATIONS[..schema] {
            connection.execute_batch(sql).unwrap();
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", schema).unwrap();
        connection
    }

    #[test]
    fn a_database_of_schema_4_lists_its_shows() {
        let mut connection = database(4);
        let network = r#"{"id":2,"name":"CBS"}"#;
        connection
            .execute(
                "INSERT INTO All_Shows (id, name, genres, processed_at, web_channel) \
                 VALUES (7, 'Old', 'Drama', '', ?1)",
                [network],
            )
            .unwrap();
        migrate(&mut connection, FileKind::Primary).unwrap();
        let index = FacetIndex::get(&IndexCache::default(), &connection).unwrap();
        assert_eq!(index.ids, [7]);
        let networks: Vec<_> = index.text_counts(Facet::Network).collect();
        assert_eq!(networks, [(Some("CBS"), 1)]);
    }

    #[test]
    fn schema_15_preserves_when_unchanged_shows_were_fetched() {
        let mut connection = database(14);
        connection
            .execute_batch(
                "INSERT INTO All_Shows (id, name, genres, updated, processed_at) VALUES (7, '', '', 5, 'then');
                 UPDATE _Show_Facets SET processed_at = 'later';",
            )
            .unwrap();
        migrate(&mut connection, FileKind::Primary).unwrap();
        let version = "SELECT id || updated || processed_at FROM _Show_Versions";
        let version: String = connection.query_row(version, [], |row| row.get(0)).unwrap();
        assert_eq!(version, "75later");
    }
}
