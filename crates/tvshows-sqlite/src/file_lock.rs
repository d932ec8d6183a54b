use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tvshows_core::LockError;

use crate::read_only::companion;

/// The run lock of a database: a lock on a file next to it, which the system releases when the process
/// ends. The file contains the name of the holder and, on a second line, which files belong together.
pub(crate) struct FileLock {
    path: PathBuf,
    /// See [`OpenFiles::record`](crate::open_files::OpenFiles::record).
    files: Option<String>,
    held: Mutex<Option<Held>>,
}

struct Held {
    holder: String,
    _file: File,
}

impl FileLock {
    /// A lock of a database that is not open for writing.
    pub(crate) fn new(database: &Path) -> FileLock {
        FileLock { path: companion(database, "-lock"), files: None, held: Mutex::new(None) }
    }

    /// A lock that records which files belong together.
    pub(crate) fn with_files(database: &Path, files: Option<String>) -> FileLock {
        let lock = FileLock { files, ..FileLock::new(database) };
        // Acquiring it writes the record. If another process holds it, that has done so.
        if lock.files.is_some() && matches!(lock.acquire(""), Ok(true)) {
            lock.release("");
        }
        lock
    }

    /// Tries to acquire the lock, and returns whether `holder` has it now.
    pub(crate) fn acquire(&self, holder: &str) -> Result<bool, LockError> {
        let mut held = self.held();
        if let Some(held) = &*held {
            return Ok(held.holder == holder);
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let mut file = options.open(&self.path).map_err(|error| self.unavailable(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(self.unavailable(&error)),
        }
        // The lock counts even if its name cannot be written, for example because the disk is full.
        let files = self.files.as_deref().unwrap_or_default();
        let content = format!("{holder}\n{files}");
        let _ = file.set_len(0).and_then(|()| file.write_all(content.as_bytes()));
        *held = Some(Held { holder: holder.to_owned(), _file: file });
        Ok(true)
    }

    /// Returns the holder: this handle, another one of this process, or another process.
    pub(crate) fn holder(&self) -> Result<Option<String>, LockError> {
        // Held until this function returns, so that the check does not make `acquire` fail.
        let held = self.held();
        if let Some(held) = &*held {
            return Ok(Some(held.holder.clone()));
        }
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| self.unavailable(&error))?,
        };
        // A shared lock, so that two processes checking at the same time do not see each other's.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let content = fs::read_to_string(&self.path).unwrap_or_default();
                Ok(Some(content.lines().next().unwrap_or_default().to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(self.unavailable(&error)),
        }
    }

    pub(crate) fn release(&self, holder: &str) {
        self.held().take_if(|held| held.holder == holder);
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, error: &io::Error) -> LockError {
        LockError {
            backend: format!("the lock file {}", self.path.display()),
            source: error.to_string().into(),
        }
    }
}

/// Returns the record that the last process to open the database for writing has left.
pub(crate) fn recorded_files(database: &Path) -> Option<String> {
    let content = fs::read_to_string(companion(database, "-lock")).ok()?;
    content.lines().nth(1).map(str::to_owned)
}
