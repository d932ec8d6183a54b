use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tvshows_core::SnapshotVersion;

use crate::error::SqlResult;
use crate::snapshot;

/// Caches an index that is read from each snapshot into memory.
pub(crate) struct IndexCache<T>(Mutex<Option<(SnapshotVersion, Arc<T>)>>);

impl<T> IndexCache<T> {
    /// Returns the index of the snapshot that the transaction reads, and reads it first unless it is cached.
    pub(crate) fn get_or_read(
        &self,
        transaction: &Connection,
        read: impl FnOnce(&Connection) -> SqlResult<T>,
    ) -> SqlResult<Arc<T>> {
        let snapshot = snapshot::current(transaction)?;
        // While one thread reads the index, others that need it wait.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, index)) = cached.as_ref()
            && *version == snapshot
        {
            return Ok(Arc::clone(index));
        }
        *cached = None;
        let index = Arc::new(read(transaction)?);
        *cached = Some((snapshot, Arc::clone(&index)));
        Ok(index)
    }
}

impl<T> Default for IndexCache<T> {
    fn default() -> IndexCache<T> {
        IndexCache(Mutex::default())
    }
}
