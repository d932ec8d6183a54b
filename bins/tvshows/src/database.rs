mod local_copy;
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tvshows_core::{Catalog, RunLock, RunQueue, StoreError};
use tvshows_sqlite::SqliteStore;
use uuid::Uuid;

use crate::location::Location;
pub(crate) use shared::Replica;

/// The database, by role.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) queue: Arc<dyn RunQueue>,
    pub(crate) lock: Arc<dyn RunLock>,
    /// The name of this process among those that share the database.
    pub(crate) instance: String,
    /// Whether this process can change nothing.
    pub(crate) is_read_only: bool,
    /// The local copy of a shared database.
    pub(crate) replica: Option<Replica>,
}

impl From<SqliteStore> for Stores {
    fn from(store: SqliteStore) -> Stores {
        let is_read_only = store.is_read_only();
        let store = Arc::new(store);
        Stores {
            catalog: store.clone(),
            queue: store.clone(),
            lock: store,
            instance: instance_name(),
            is_read_only,
            replica: None,
        }
    }
}

impl Stores {
    pub(crate) async fn close(&self) {
        self.queue.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
    }
}

fn instance_name() -> String {
    format!("tvshows-{}", &Uuid::new_v4().simple().to_string()[..8])
}

/// What a command reads from a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Shows,
    /// The shows and their manifest, which a local copy does not have.
    Manifest,
    /// The history of updates.
    Runs,
    Everything,
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
        Location::File(path) => Ok(open_file(path).await?.into()),
        Location::Shared(shared) => shared::open(shared).await,
    }
}

/// Opens the database of a service, which can serve what it cannot update.
pub(crate) async fn open_service(
    location: &Location,
    max_staleness: Duration,
) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) => open_file_or_read_only(path).await,
        Location::Shared(shared) => shared::open_service(shared, max_staleness).await,
    }
}

/// Opens the database of a command that reads shows. Leaves a file as it is.
pub(crate) async fn open_reader(location: &Location, need: Need) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) => Ok(open_file_read_only(path).await?.into()),
        Location::Shared(shared) => shared::open_reader(shared, need).await,
    }
}

/// Opens the history of updates for a command that reads it. Leaves a file as it is.
pub(crate) async fn open_history(location: &Location) -> anyhow::Result<Arc<dyn RunQueue>> {
    match location {
        Location::File(path) => Ok(Arc::new(open_file_read_only(path).await?)),
        Location::Shared(shared) => Ok(shared::connect_existing(shared).await?),
    }
}

/// Opens the history of updates for a command that changes it, but does not create it.
pub(crate) async fn open_writable_history(
    location: &Location,
) -> anyhow::Result<Arc<dyn RunQueue>> {
    match location {
        Location::File(path) => {
            require_file(path)?;
            Ok(Arc::new(open_file(path).await?))
        }
        Location::Shared(shared) => Ok(shared::connect_existing(shared).await?),
    }
}

/// Creates or upgrades the schema, and returns its version.
pub(crate) async fn migrate(location: &Location) -> anyhow::Result<u32> {
    match location {
        Location::File(path) => schema_of_file(&open_file(path).await?).await,
        Location::Shared(shared) => shared::migrate(shared).await,
    }
}

/// Returns the version of the schema, or fails if this release cannot use it.
pub(crate) async fn require_schema(location: &Location) -> anyhow::Result<u32> {
    match location {
        Location::File(path) => schema_of_file(&open_file_read_only(path).await?).await,
        Location::Shared(shared) => shared::require_schema(shared).await,
    }
}

async fn schema_of_file(store: &SqliteStore) -> anyhow::Result<u32> {
    let schema = store.health().await?.schema;
    RunQueue::close(store).await;
    Ok(schema)
}

async fn open_file(path: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(path).await.with_context(|| path.display().to_string())
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

async fn open_file_read_only(path: &Path) -> anyhow::Result<SqliteStore> {
    require_file(path)?;
    SqliteStore::open_read_only(path).await.with_context(|| path.display().to_string())
}

fn require_file(path: &Path) -> anyhow::Result<()> {
    // SQLite takes an empty file for a new database.
    if path.metadata().is_ok_and(|file| file.len() == 0) || !path.exists() {
        bail!("there is no database at {}; run `tvshows update` to create it", path.display());
    }
    Ok(())
}
