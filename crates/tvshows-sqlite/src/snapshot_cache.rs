use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tvshows_core::SnapshotVersion;

use crate::error::SqlResult;

/// Caches the snapshot version until anything is committed to the database, by any process.
///
/// It reads SQLite's `data_version`, which changes when another connection commits. This only reads shared
/// memory and takes one or two microseconds, so it runs on the caller's thread, on a separate connection.
pub(crate) struct SnapshotCache {
    /// `None` once it is closed, or if nothing is cached.
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    connection: Connection,
    last: Option<(DataVersion, SnapshotVersion)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataVersion(i64);

impl SnapshotCache {
    pub(crate) fn new(connection: Connection) -> SqlResult<SnapshotCache> {
        // If the version is not available immediately, the caller reads the snapshot.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(SnapshotCache { cached: Mutex::new(Some(Cached { connection, last: None })) })
    }

    /// Returns a cache that is always empty.
    pub(crate) fn disabled() -> SnapshotCache {
        SnapshotCache { cached: Mutex::new(None) }
    }

    /// Returns the cached snapshot if nothing was committed since, or else the version to
    /// [`insert`](Self::insert) the snapshot with once it is read.
    pub(crate) fn get(&self) -> Result<SnapshotVersion, Option<DataVersion>> {
        let mut cached = self.cached();
        let Some(Cached { connection, last }) = cached.as_mut() else { return Err(None) };
        let present = data_version(connection).ok();
        match last {
            Some((version, snapshot)) if present == Some(*version) => Ok(*snapshot),
            _ => Err(present),
        }
    }

    /// Caches a snapshot that was read after [`get`](Self::get) had returned `version`.
    pub(crate) fn insert(&self, version: Option<DataVersion>, snapshot: SnapshotVersion) {
        if let (Some(version), Some(cached)) = (version, self.cached().as_mut()) {
            cached.last = Some((version, snapshot));
        }
    }

    pub(crate) fn close(&self) {
        self.cached().take();
    }

    fn cached(&self) -> MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn data_version(connection: &Connection) -> SqlResult<DataVersion> {
    let mut pragma = connection.prepare_cached("PRAGMA data_version")?;
    pragma.query_row([], |row| row.get(0)).map(DataVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_cached_until_another_connection_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n)").unwrap();
        let cache = SnapshotCache::new(Connection::open(&path).unwrap()).unwrap();
        let snapshot = SnapshotVersion { number: 1, published_at: None };
        let version = cache.get().unwrap_err();
        assert!(version.is_some());
        cache.insert(version, snapshot);
        assert_eq!(cache.get(), Ok(snapshot));

        writer.execute_batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(cache.get(), Ok(snapshot), "nothing is committed yet");
        writer.execute_batch("COMMIT").unwrap();
        let later = cache.get().unwrap_err();
        assert!(later.is_some() && later != version);
        cache.insert(version, snapshot);
        assert_eq!(
            cache.get(),
            Err(later),
            "a snapshot from before the commit is not used after it"
        );

        cache.close();
        assert_eq!(cache.get(), Err(None));
    }
}
