use std::path::Path;

use anyhow::{Context, bail};
use tvshows_core::{RunId, RunQueue, RunStatus};
use tvshows_sqlite::SqliteStore;

use crate::cli::Database;

/// Opens the database, and creates it if it is missing.
pub(crate) async fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(path).await.with_context(|| path.display().to_string())
}

/// Opens the database of a command that only reads.
pub(crate) async fn open_existing(database: &Database) -> anyhow::Result<SqliteStore> {
    let path = &database.database_path;
    // SQLite takes an empty file for a new database.
    if path.metadata().map_or(true, |file| file.len() == 0) {
        bail!("there is no database at {}; run `tvshows update` to create it", path.display());
    }
    open(path).await
}

/// The run with this id, or the newest one.
pub(crate) async fn find_run(
    store: &SqliteStore,
    id: Option<RunId>,
) -> anyhow::Result<Option<RunStatus>> {
    Ok(match id {
        Some(id) => store.get(id).await?,
        None => store.list(1).await?.pop(),
    })
}
