use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tvshows_core::SnapshotVersion;

use crate::error::SqlResult;

/// Tells at every request whether the snapshot is still the one that was read last, whichever process publishes.
///
/// A connection of its own is asked for SQLite's `data_version`, which differs after every commit of another
/// connection. That looks at shared memory only, for a microsecond or two, so it is done on the caller's thread.
pub(crate) struct Freshness {
    /// None once it is closed.
    seen: Mutex<Option<Seen>>,
}

struct Seen {
    connection: Connection,
    last: Option<(DataVersion, SnapshotVersion)>,
}

/// What `data_version` was at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataVersion(i64);

impl Freshness {
    pub(crate) fn on(connection: Connection) -> SqlResult<Freshness> {
        // Who cannot be told at once reads.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Freshness { seen: Mutex::new(Some(Seen { connection, last: None })) })
    }

    /// The snapshot, where nothing was committed since it was read; else what to read it for.
    pub(crate) fn known(&self) -> Result<SnapshotVersion, Option<DataVersion>> {
        let mut seen = self.seen();
        let Some(Seen { connection, last }) = seen.as_mut() else { return Err(None) };
        let present = version(connection).ok();
        match last {
            Some((version, snapshot)) if present == Some(*version) => Ok(*snapshot),
            _ => Err(present),
        }
    }

    /// Keeps a snapshot that was read after [`known`](Self::known) gave `version`.
    pub(crate) fn keep(&self, version: Option<DataVersion>, snapshot: SnapshotVersion) {
        if let (Some(version), Some(seen)) = (version, self.seen().as_mut()) {
            seen.last = Some((version, snapshot));
        }
    }

    pub(crate) fn close(&self) {
        self.seen().take();
    }

    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(connection: &Connection) -> SqlResult<DataVersion> {
    let mut ask = connection.prepare_cached("PRAGMA data_version")?;
    ask.query_row([], |row| row.get(0)).map(DataVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_known_until_another_connection_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n)").unwrap();
        let freshness = Freshness::on(Connection::open(&path).unwrap()).unwrap();
        let snapshot = SnapshotVersion { number: 1, published_at: None };
        let version = freshness.known().unwrap_err();
        assert!(version.is_some());
        freshness.keep(version, snapshot);
        assert_eq!(freshness.known(), Ok(snapshot));

        writer.execute_batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(freshness.known(), Ok(snapshot), "nothing is committed yet");
        writer.execute_batch("COMMIT").unwrap();
        let later = freshness.known().unwrap_err();
        assert!(later.is_some() && later != version);
        freshness.keep(version, snapshot);
        assert_eq!(
            freshness.known(),
            Err(later),
            "what was read before the commit is not kept for after it"
        );

        freshness.close();
        assert_eq!(freshness.known(), Err(None));
    }
}
