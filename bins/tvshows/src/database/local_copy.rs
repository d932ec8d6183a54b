use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tvshows_core::{SnapshotCopy, SnapshotPosition, StoreError};
use tvshows_sqlite::SqliteStore;

/// A copy of a shared database in an SQLite file.
pub(super) struct LocalCopy {
    pub(super) store: Arc<SqliteStore>,
    /// The path of a copy that can be opened again if it is deleted.
    pub(super) path: Option<PathBuf>,
    /// The folder of a temporary copy.
    pub(super) folder: Option<TempDir>,
}

impl LocalCopy {
    /// Opens the file for this process alone, and creates it if it is missing.
    pub(super) async fn open(path: &Path) -> Result<LocalCopy, StoreError> {
        let store = Arc::new(SqliteStore::open_copy(path).await?);
        Ok(LocalCopy { store, path: Some(path.to_owned()), folder: None })
    }

    /// Opens a copy that a service may be using, read-only, with its position. `None` if the file is not a copy.
    pub(super) async fn existing(path: &Path) -> Option<(LocalCopy, SnapshotPosition)> {
        let store = SqliteStore::open_read_only(path).await.ok()?;
        let position = SnapshotCopy::position(&store).await.ok()??;
        Some((LocalCopy { store: Arc::new(store), path: None, folder: None }, position))
    }

    /// Creates an empty copy in a temporary folder.
    pub(super) async fn temporary() -> anyhow::Result<LocalCopy> {
        let folder = tempfile::Builder::new().prefix("tvshows-copy-").tempdir()?;
        let store = SqliteStore::open_copy(&folder.path().join("copy.db")).await?;
        Ok(LocalCopy { store: Arc::new(store), path: None, folder: Some(folder) })
    }
}
