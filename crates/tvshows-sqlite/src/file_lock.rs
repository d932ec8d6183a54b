use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tvshows_core::LockError;

use crate::read_only::companion;

/// The holder of the lock of a copy of a shared database.
const COPY_HOLDER: &str = "copy of a shared database";

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
    file: File,
}

impl Held {
    /// Best effort: the lock counts even if its name cannot be written, for example because the disk is full.
    fn write(&mut self, files: Option<&str>) {
        let content = format!("{}\n{}", self.holder, files.unwrap_or_default());
        let file = &mut self.file;
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        let _ = emptied.and_then(|()| file.write_all(content.as_bytes()));
    }
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

    /// Acquires the lock of a database that is, or becomes, a copy, but does not
    /// [record](Self::record_copy) that yet. `None` if another process holds it.
    pub(crate) fn lock_copy(database: &Path) -> Result<Option<FileLock>, LockError> {
        let lock = FileLock::new(database);
        let Some(file) = lock.try_lock()? else { return Ok(None) };
        *lock.held() = Some(Held { holder: COPY_HOLDER.to_owned(), file });
        Ok(Some(lock))
    }

    /// Records that the database is a copy, and which files belong together.
    pub(crate) fn record_copy(&self, files: Option<&str>) {
        if let Some(held) = &mut *self.held() {
            held.write(files);
        }
    }

    pub(crate) fn release_copy(&self) {
        self.release(COPY_HOLDER);
    }

    /// Tries to acquire the lock, and returns whether `holder` has it now.
    pub(crate) fn acquire(&self, holder: &str) -> Result<bool, LockError> {
        let mut held = self.held();
        if let Some(held) = &*held {
            return Ok(held.holder == holder);
        }
        let Some(file) = self.try_lock()? else { return Ok(false) };
        let new = held.insert(Held { holder: holder.to_owned(), file });
        new.write(self.files.as_deref());
        Ok(true)
    }

    /// Locks the file, unless another process or handle has locked it.
    fn try_lock(&self) -> Result<Option<File>, LockError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&self.path).map_err(|error| self.unavailable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.unavailable(&error)),
        }
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

/// Whether the last process to open the database for writing had it as a copy.
pub(crate) fn is_recorded_copy(database: &Path) -> bool {
    let content = fs::read_to_string(companion(database, "-lock")).unwrap_or_default();
    content.lines().next() == Some(COPY_HOLDER)
}
