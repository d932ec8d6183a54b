use std::path::Path;

use anyhow::{Context, bail};
use tvshows_core::{RunId, RunStatus, ShowStore};
use tvshows_pipeline::mark_interrupted;
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

/// The latest runs, newest first.
pub(crate) async fn list_runs(store: &SqliteStore, limit: u32) -> anyhow::Result<Vec<RunStatus>> {
    let mut runs = store.runs(limit).await?;
    for status in &mut runs {
        mark_interrupted(store, status).await?;
    }
    Ok(runs)
}

/// The run with this id, or the newest one.
pub(crate) async fn find_run(
    store: &SqliteStore,
    id: Option<RunId>,
) -> anyhow::Result<Option<RunStatus>> {
    let Some(id) = id else { return Ok(list_runs(store, 1).await?.pop()) };
    let mut status = store.run(id).await?;
    if let Some(status) = &mut status {
        mark_interrupted(store, status).await?;
    }
    Ok(status)
}
