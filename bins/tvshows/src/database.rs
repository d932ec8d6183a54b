use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tvshows_core::StoreError;
use tvshows_sqlite::SqliteStore;

use crate::cli::Database;

/// The folder of the database, after links are resolved: a link may be on a read-only file system.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Opens the database, and creates it if it is missing.
pub(crate) async fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(path).await.with_context(|| path.display().to_string())
}

/// Opens the database of a service, which can serve what it cannot update.
pub(crate) async fn open_or_read_only(path: &Path) -> anyhow::Result<SqliteStore> {
    match SqliteStore::open(path).await {
        Err(error @ (StoreError::ReadOnly | StoreError::DiskFull { .. })) => {
            let store = SqliteStore::open_read_only(path).await;
            let store = store.with_context(|| format!("{}: {error}", path.display()))?;
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "serving the published data only, without updates; restart the service once the database is writable"
            );
            Ok(store)
        }
        opened => opened.with_context(|| path.display().to_string()),
    }
}

/// Opens the database of a command that only reads. Leaves the file as it is.
pub(crate) async fn open_existing(database: &Database) -> anyhow::Result<SqliteStore> {
    let path = existing(database)?;
    SqliteStore::open_read_only(path).await.with_context(|| path.display().to_string())
}

/// Opens the database of a command that changes something, but does not create it.
pub(crate) async fn open_existing_writable(database: &Database) -> anyhow::Result<SqliteStore> {
    open(existing(database)?).await
}

fn existing(database: &Database) -> anyhow::Result<&Path> {
    let path = &database.database_path;
    // SQLite takes an empty file for a new database.
    if path.metadata().is_ok_and(|file| file.len() == 0) || !path.exists() {
        bail!("there is no database at {}; run `tvshows update` to create it", path.display());
    }
    Ok(path)
}
