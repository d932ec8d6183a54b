use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tvshows_core::StoreError;

use crate::error::unavailable;

/// The right to work on the runs of a database: a lock on a file beside it, which the system gives
/// back when the process dies.
pub(crate) struct RunLock {
    path: PathBuf,
    held: Mutex<Option<File>>,
}

impl RunLock {
    pub(crate) fn beside(database: &Path) -> RunLock {
        let mut path = database.as_os_str().to_owned();
        path.push("-lock");
        RunLock { path: path.into(), held: Mutex::new(None) }
    }

    /// Takes the lock. [`StoreError::RunLockHeld`] where this or another process has it.
    pub(crate) fn acquire(&self) -> Result<(), StoreError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Err(StoreError::RunLockHeld);
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&self.path).map_err(|error| {
            unavailable(format!("the lock file beside it cannot be opened: {error}"))
        })?;
        match file.try_lock() {
            Ok(()) => *held = Some(file),
            Err(TryLockError::WouldBlock) => return Err(StoreError::RunLockHeld),
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
        Ok(())
    }

    /// Whether this or another process has the lock.
    pub(crate) fn is_held(&self) -> Result<bool, StoreError> {
        match self.acquire() {
            Ok(()) => {
                self.release();
                Ok(false)
            }
            Err(StoreError::RunLockHeld) => Ok(true),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn release(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
