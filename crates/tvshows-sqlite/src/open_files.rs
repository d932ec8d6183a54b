//! Which files are open, and whether their paths still lead to them.
//!
//! SQLite finds the `-wal` and `-shm` of a database by its path. After the database was moved or replaced, a process
//! that opens the path would use them with another file, which damages both: <https://sqlite.org/howtocorrupt.html>.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tvshows_core::StoreError;

use crate::error::unavailable;
use crate::file_lock;
use crate::read_only::{bytes, companion};

/// For how long a check counts for reads. A write always checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The files of a database that is open for writing.
pub(crate) struct OpenFiles {
    path: PathBuf,
    opened: OnceLock<Opened>,
    /// When the last check succeeded; `None` if it failed.
    checked: Mutex<Option<Instant>>,
}

struct Opened {
    /// Without links.
    path: PathBuf,
    database: Option<FileId>,
    wal: Option<FileId>,
    /// Shared by all processes that use the `-wal`. SQLite has no lock on this file that closing it would release.
    _wal_lock: Option<File>,
}

impl OpenFiles {
    /// Nothing is open yet.
    pub(crate) fn new(path: &Path) -> OpenFiles {
        OpenFiles { path: path.to_owned(), opened: OnceLock::new(), checked: Mutex::default() }
    }

    /// Remembers the files that SQLite has opened: `database`, and the `-wal` next to it.
    pub(crate) fn remember(&self, database: Option<FileId>) -> Result<(), StoreError> {
        let path = self.path.canonicalize().map_err(unavailable)?;
        let wal_path = companion(&path, "-wal");
        let wal = FileId::read(&wal_path).map_err(unavailable)?;
        let wal_lock = wal.and_then(|_| lock_shared(&wal_path).ok());
        let _ = self.opened.set(Opened { path, database, wal, _wal_lock: wal_lock });
        self.check()
    }

    /// What [`refuse_foreign_wal`] compares, as text.
    pub(crate) fn record(&self) -> Option<String> {
        let Opened { database, wal, .. } = self.opened.get()?;
        database.zip(*wal).map(|(database, wal)| format!("{} {}", database.record(), wal.record()))
    }

    /// Fails if one of the files was moved, deleted or replaced.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let checked = self.compare();
        *self.checked() = checked.is_ok().then(Instant::now);
        checked
    }

    fn compare(&self) -> Result<(), StoreError> {
        let Some(Opened { path, database, wal, .. }) = self.opened.get() else { return Ok(()) };
        match FileId::read(path).map_err(unavailable)? {
            present if present == *database => {}
            None => return Err(GONE),
            Some(_) => return Err(REPLACED),
        }
        if FileId::read(&companion(path, "-wal")).map_err(unavailable)? != *wal {
            return Err(WAL_GONE);
        }
        Ok(())
    }

    /// Like [`check`](Self::check), but at most once a second.
    pub(crate) fn check_recent(&self) -> Result<(), StoreError> {
        let is_recent = self.checked().is_some_and(|checked| checked.elapsed() < CHECK_INTERVAL);
        if is_recent { Ok(()) } else { self.check() }
    }

    /// Whether the `-wal` at the database's path is the one that SQLite has opened.
    pub(crate) fn has_own_wal(&self) -> bool {
        self.opened.get().is_some_and(|Opened { path, wal, .. }| {
            FileId::read(&companion(path, "-wal")).is_ok_and(|present| present == *wal)
        })
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const GONE: StoreError = StoreError::DatabaseReplaced { change: "file was moved or deleted" };
const REPLACED: StoreError =
    StoreError::DatabaseReplaced { change: "file was replaced by another one" };
const WAL_GONE: StoreError =
    StoreError::DatabaseReplaced { change: "file's -wal was moved, deleted, or replaced" };

/// Refuses to open a database with the `-wal` of another one, which a process left at its path or still uses. It would
/// become part of this one. An empty one that no process uses is harmless.
pub(crate) fn refuse_foreign_wal(path: &Path) -> Result<(), StoreError> {
    let wal_path = companion(path, "-wal");
    let Some(wal) = FileId::read(&wal_path).map_err(unavailable)? else { return Ok(()) };
    let database = FileId::read(path).map_err(unavailable)?.filter(|_| bytes(path) > 0);
    let is_foreign = match file_lock::recorded_files(path) {
        Some(record) if record.ends_with(&format!(" {}", wal.record())) => {
            let expected =
                database.map(|database| format!("{} {}", database.record(), wal.record()));
            Some(record) != expected
        }
        _ => database.is_none(),
    };
    if is_foreign && (bytes(&wal_path) > 0 || is_used(&wal_path)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let reason = format!(
            "{name}-wal belongs to a file that was moved, deleted, or replaced while a program used it; stop that \
             program, then put that file back, or delete {name}-wal and {name}-shm"
        );
        return Err(StoreError::InvalidDatabase { reason });
    }
    Ok(())
}

/// Whether the last process to open this very file for writing, or a file that is now gone, had it as a copy.
pub(crate) fn was_copy(path: &Path) -> bool {
    let is_same_file = match (FileId::read(path), file_lock::recorded_files(path)) {
        (Ok(Some(database)), Some(files)) => files.starts_with(&format!("{} ", database.record())),
        (Ok(None), _) => true,
        _ => false,
    };
    is_same_file && file_lock::is_recorded_copy(path)
}

fn lock_shared(wal: &Path) -> io::Result<File> {
    let file = File::open(wal)?;
    file.lock_shared()?;
    Ok(file)
}

/// Whether a process has the database of a `-wal` open for writing, as far as that can be found out.
fn is_used(wal: &Path) -> bool {
    File::open(wal).map_or(true, |file| file.try_lock().is_err())
}

/// Tells files apart. On Windows, where a file cannot be moved or deleted while it is open, there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    /// `None` if the file system does not have it. The number of a deleted file is used again.
    created: Option<SystemTime>,
}

impl FileId {
    /// Returns the id of the file at a path; `None` if there is none.
    #[cfg(unix)]
    pub(crate) fn read(path: &Path) -> io::Result<Option<FileId>> {
        use std::os::unix::fs::MetadataExt;

        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(file) => Ok(Some(FileId {
                device: file.dev(),
                inode: file.ino(),
                created: file.created().ok(),
            })),
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the signature on Unix")]
    pub(crate) fn read(_: &Path) -> io::Result<Option<FileId>> {
        Ok(None)
    }

    /// Without the device, whose number can change when the machine restarts.
    fn record(self) -> String {
        let created = self.created.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        format!("{}:{}", self.inode, created.unwrap_or_default().as_nanos())
    }
}
