use std::ops::Deref;

use tempfile::TempDir;
use tvshows_sqlite::SqliteStore;

/// A store in a temporary folder of its own.
struct TempStore {
    store: SqliteStore,
    _folder: TempDir,
}

impl Deref for TempStore {
    type Target = SqliteStore;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

async fn new() -> TempStore {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
    TempStore { store, _folder: folder }
}

tvshows_core::store_conformance!(new);
