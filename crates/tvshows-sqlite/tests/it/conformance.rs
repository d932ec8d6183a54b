use std::ops::Deref;

use tempfile::TempDir;
use tvshows_sqlite::SqliteStore;

/// A store in a folder that lives as long as the store.
struct Stored {
    store: SqliteStore,
    _folder: TempDir,
}

impl Deref for Stored {
    type Target = SqliteStore;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

async fn new() -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
    Stored { store, _folder: folder }
}

tvshows_core::store_conformance!(new);
