//! Reading a database without changing the file or its folder.
//!
//! An ordinary read-only connection to a file in WAL mode creates `-wal` and `-shm`: it fails where it cannot, and
//! does not remove them where it can. With `immutable`, SQLite creates no files and takes no locks. That is only
//! correct while nobody writes, so such a connection is given up as soon as the file looks different.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use crate::error::SqlResult;

/// The size of the -shm of a process that has a file in WAL mode open. It is smaller if a process could not open the
/// file, because the disk is full.
const MIN_SHM_BYTES: u64 = 32 * 1024;

/// What a write to a database file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    /// Returns the present state of the file; `None` if it cannot be examined.
    pub(crate) fn read(path: &Path) -> Option<FileState> {
        let file = path.metadata().ok()?;
        Some(FileState { bytes: file.len(), modified: file.modified().ok() })
    }

    /// Returns the present state of a file that contains everything and that nobody writes to; `None` if another
    /// process may have it open, or left changes in a journal.
    pub(crate) fn read_if_unused(path: &Path) -> Option<FileState> {
        let is_used = (companion(path, "-wal").exists()
            && bytes(&companion(path, "-shm")) >= MIN_SHM_BYTES)
            || bytes(&companion(path, "-wal")) > 0
            || bytes(&companion(path, "-journal")) > 0
            // Its file names have no simple translation to addresses.
            || cfg!(windows);
        if is_used { None } else { FileState::read(path) }
    }
}

/// Opens a connection that changes nothing. It must not outlive a change of `unused`, the state of a file that
/// nobody writes to.
pub(crate) fn open(path: &Path, unused: Option<FileState>) -> SqlResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match unused {
        None => Connection::open_with_flags(path, flags),
        Some(_) => {
            Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
    }
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri + "?immutable=1"
}

/// The path of a file next to the database, such as its `-wal`.
pub(crate) fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The size of a file; 0 if it does not exist.
pub(crate) fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_has_an_address() {
        assert_eq!(
            immutable_uri(Path::new("/a b/ü?#%.db")),
            "file:/a%20b/%C3%BC%3F%23%25.db?immutable=1"
        );
    }
}
