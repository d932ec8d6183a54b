use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tvshows_core::{Catalog, RunLock, RunQueue, StoreError};
use tvshows_sqlite::SqliteStore;

use crate::config_error::ConfigError;
use crate::location::{Location, SharedDatabase};

/// The database, by role.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) queue: Arc<dyn RunQueue>,
    pub(crate) lock: Arc<dyn RunLock>,
    /// Whether this process can change nothing.
    pub(crate) is_read_only: bool,
}

impl From<SqliteStore> for Stores {
    fn from(store: SqliteStore) -> Stores {
        let is_read_only = store.is_read_only();
        let store = Arc::new(store);
        Stores { catalog: store.clone(), queue: store.clone(), lock: store, is_read_only }
    }
}

/// The folder of the database, after links are resolved: a link may be on a read-only file system.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Opens the database of a command that updates it, and creates it if it is missing.
pub(crate) async fn open(location: &Location) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) => open_file(path).await,
        Location::Shared(shared) => unsupported(shared),
    }
}

fn unsupported<T>(shared: &SharedDatabase) -> anyhow::Result<T> {
    let problem = "this version does not support PostgreSQL yet".into();
    Err(ConfigError { setting: shared.setting, problem }.into())
}

async fn open_file(path: &Path) -> anyhow::Result<Stores> {
    let store = SqliteStore::open(path).await.with_context(|| path.display().to_string())?;
    Ok(store.into())
}

/// Opens the database of a service, which can serve what it cannot update.
pub(crate) async fn open_or_read_only(location: &Location) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) => open_file_or_read_only(path).await,
        Location::Shared(shared) => unsupported(shared),
    }
}

async fn open_file_or_read_only(path: &Path) -> anyhow::Result<Stores> {
    match SqliteStore::open(path).await {
        Err(error @ (StoreError::ReadOnly | StoreError::DiskFull { .. })) => {
            let store = SqliteStore::open_read_only(path).await;
            let store = store.with_context(|| format!("{}: {error}", path.display()))?;
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "serving the published data only, without updates; restart the service once the database is writable"
            );
            Ok(store.into())
        }
        opened => Ok(opened.with_context(|| path.display().to_string())?.into()),
    }
}

/// Opens the database of a command that only reads. Leaves the file as it is.
pub(crate) async fn open_existing(location: &Location) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) => open_file_read_only(path).await,
        Location::Shared(shared) => unsupported(shared),
    }
}

async fn open_file_read_only(path: &Path) -> anyhow::Result<Stores> {
    require_file(path)?;
    let store = SqliteStore::open_read_only(path).await;
    Ok(store.with_context(|| path.display().to_string())?.into())
}

/// Opens the database of a command that changes something, but does not create it.
pub(crate) async fn open_existing_writable(location: &Location) -> anyhow::Result<Stores> {
    if let Location::File(path) = location {
        require_file(path)?;
    }
    open(location).await
}

fn require_file(path: &Path) -> anyhow::Result<()> {
    // SQLite takes an empty file for a new database.
    if path.metadata().is_ok_and(|file| file.len() == 0) || !path.exists() {
        bail!("there is no database at {}; run `tvshows update` to create it", path.display());
    }
    Ok(())
}
