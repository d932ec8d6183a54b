use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;
use tvshows_core::SnapshotVersion;

use crate::error::SqlResult;

/// How long a check for commits by other processes is valid. What they publish is reported no sooner than that.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(1);

/// Caches the snapshot version until anything is committed to the database, by any process.
///
/// It reads SQLite's `data_version`, which changes when another connection commits. This takes two to three microseconds,
/// so it runs on the caller's thread, on a separate connection.
pub(crate) struct SnapshotCache {
    /// `None` once it is closed, or if nothing is cached.
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    connection: Connection,
    last: Option<(DataVersion, SnapshotVersion)>,
    /// When the last check began that found `last` current; `None` if this process has committed since.
    checked: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataVersion(i64);

impl SnapshotCache {
    pub(crate) fn new(connection: Connection) -> SqlResult<SnapshotCache> {
        // If the version is not available immediately, the caller reads the snapshot.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        let cached = Cached { connection, last: None, checked: None };
        Ok(SnapshotCache { cached: Mutex::new(Some(cached)) })
    }

    /// Returns a cache that is always empty.
    pub(crate) fn disabled() -> SnapshotCache {
        SnapshotCache { cached: Mutex::new(None) }
    }

    /// Returns the cached snapshot if the last check is still valid.
    pub(crate) fn recent(&self, now: Instant) -> Option<SnapshotVersion> {
        let cached = self.cached();
        let Cached { last, checked, .. } = cached.as_ref()?;
        let is_recent = checked.is_some_and(|checked| now.duration_since(checked) < CHECK_INTERVAL);
        last.filter(|_| is_recent).map(|(_, snapshot)| snapshot)
    }

    /// Returns the cached snapshot if nothing was committed since, or else the version to
    /// [`insert`](Self::insert) the snapshot with once it is read.
    pub(crate) fn check(&self, now: Instant) -> Result<SnapshotVersion, Option<DataVersion>> {
        let mut cached = self.cached();
        let Some(Cached { connection, last, checked }) = cached.as_mut() else { return Err(None) };
        let present = data_version(connection).ok();
        let current = last.filter(|(version, _)| present == Some(*version));
        *checked = current.map(|_| now);
        current.map(|(_, snapshot)| snapshot).ok_or(present)
    }

    /// Caches a snapshot that was read after [`check`](Self::check) had returned `version`.
    pub(crate) fn insert(&self, version: Option<DataVersion>, snapshot: SnapshotVersion) {
        if let (Some(version), Some(cached)) = (version, self.cached().as_mut()) {
            // Another one may be cached since.
            (cached.last, cached.checked) = (Some((version, snapshot)), None);
        }
    }

    /// Invalidates the last check, after a commit by this process.
    pub(crate) fn expire(&self) {
        if let Some(cached) = self.cached().as_mut() {
            cached.checked = None;
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
    use std::path::Path;

    use super::*;

    const FIRST: SnapshotVersion = SnapshotVersion { number: 1, published_at: None };

    /// A connection that writes, and a cache of the same file.
    fn opened(folder: &Path) -> (Connection, SnapshotCache) {
        let path = folder.join("a.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n)").unwrap();
        let cache = SnapshotCache::new(Connection::open(&path).unwrap()).unwrap();
        (writer, cache)
    }

    #[test]
    fn a_snapshot_is_cached_until_another_connection_commits() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, cache) = opened(folder.path());
        let now = Instant::now();
        let version = cache.check(now).unwrap_err();
        assert!(version.is_some());
        cache.insert(version, FIRST);
        assert_eq!(cache.check(now), Ok(FIRST));

        writer.execute_batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(cache.check(now), Ok(FIRST), "nothing is committed yet");
        writer.execute_batch("COMMIT").unwrap();
        let later = cache.check(now).unwrap_err();
        assert!(later.is_some() && later != version);
        cache.insert(version, FIRST);
        assert_eq!(
            cache.check(now),
            Err(later),
            "a snapshot from before the commit is not used after it"
        );

        cache.close();
        assert_eq!(cache.check(now), Err(None));
    }

    #[test]
    fn a_check_is_valid_for_a_while_unless_this_process_commits() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, cache) = opened(folder.path());
        let now = Instant::now();
        assert_eq!(cache.recent(now), None, "nothing is cached");
        let version = cache.check(now).unwrap_err();
        cache.insert(version, FIRST);
        assert_eq!(cache.recent(now), None, "it may be older than the last check");
        assert_eq!(cache.check(now), Ok(FIRST));
        assert_eq!(cache.recent(now), Some(FIRST));
        assert_eq!(cache.recent(now + CHECK_INTERVAL / 2), Some(FIRST));
        assert_eq!(cache.recent(now + CHECK_INTERVAL), None);
        cache.expire();
        assert_eq!(cache.recent(now), None);
        assert_eq!(cache.check(now), Ok(FIRST), "the commit was not one to this file");
    }

    #[test]
    fn a_check_that_finds_a_commit_is_not_valid() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, cache) = opened(folder.path());
        let now = Instant::now();
        let version = cache.check(now).unwrap_err();
        cache.insert(version, FIRST);
        assert_eq!(cache.check(now), Ok(FIRST));
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert!(cache.check(now).is_err());
        assert_eq!(cache.recent(now), None);
        assert_eq!(cache.check(now).ok(), None);
    }
}
