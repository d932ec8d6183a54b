//! Files that are rendered once per snapshot, so that clients can read parts of them.
//!
//! They are temporary files without a name, which the system deletes when they are closed, even after a crash.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use actix_web::http::header::EntityTag;
use actix_web::rt::task::spawn_blocking;
use actix_web::web::Bytes;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tvshows_core::{Catalog, RunId, SnapshotVersion, StoreError};

use crate::problem::Problem;

/// The total size of the files, including those of earlier snapshots that clients are still reading.
const CAPACITY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How often to check whether a new snapshot is published.
const SNAPSHOT_POLL_INTERVAL: Duration = Duration::from_secs(1);
const BUFFER_BYTES: usize = 64 * 1024;
/// How many threads read files, however many clients there are.
const MAX_READERS: usize = 4;

/// Caches files by name until a new snapshot is published.
pub(crate) struct RenderedFiles {
    /// Where the files are created, or in the system's temporary directory if it is read-only.
    folder: PathBuf,
    capacity: u64,
    entries: Mutex<HashMap<String, Entry>>,
    total_bytes: Arc<AtomicU64>,
    readers: Arc<Semaphore>,
}

struct Entry {
    version: FileVersion,
    file: Arc<OnceCell<Arc<RenderedFile>>>,
}

/// What the content of a file depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileVersion {
    pub(crate) snapshot: SnapshotVersion,
    /// The last run in the history, for a file that contains it.
    pub(crate) last_run: Option<RunId>,
}

/// A complete file.
pub(crate) struct RenderedFile {
    contents: Arc<Contents>,
    readers: Arc<Semaphore>,
    pub(crate) length: u64,
    /// Identifies the content, so that clients can combine parts that they read before and after a restart.
    pub(crate) tag: EntityTag,
}

impl RenderedFile {
    /// Reads `size` bytes at `offset` on a blocking thread.
    pub(crate) async fn read(&self, offset: u64, size: usize) -> io::Result<Bytes> {
        let _permit = self.readers.acquire().await.map_err(io::Error::other)?;
        let contents = Arc::clone(&self.contents);
        let read = move || {
            let mut chunk = vec![0; size];
            read_exact_at(&contents.file, &mut chunk, offset).map(|()| chunk.into())
        };
        spawn_blocking(read).await?
    }
}

impl RenderedFiles {
    pub(crate) fn new(folder: PathBuf) -> Arc<RenderedFiles> {
        RenderedFiles::with_capacity(folder, CAPACITY_BYTES)
    }

    fn with_capacity(folder: PathBuf, capacity: u64) -> Arc<RenderedFiles> {
        let (entries, total_bytes) = Default::default();
        let readers = Arc::new(Semaphore::new(MAX_READERS));
        Arc::new(RenderedFiles { folder, capacity, entries, total_bytes, readers })
    }

    /// Returns the cached file of this version, or else the one that `render` writes. Only one request renders it, while
    /// the others wait. Returns `None` if there is no space for it.
    pub(crate) async fn get_or_render<W>(
        self: &Arc<Self>,
        catalog: &Arc<dyn Catalog>,
        name: &str,
        version: FileVersion,
        render: impl FnOnce(Box<dyn Write + Send>) -> W,
    ) -> Result<Option<Arc<RenderedFile>>, Problem>
    where
        W: Future<Output = Result<(), StoreError>>,
    {
        let cell = self.cell(catalog, name, version);
        match cell.get_or_try_init(|| self.render(version, render)).await {
            Ok(file) => Ok(Some(Arc::clone(file))),
            Err(RenderError::Store(error)) => Err(error.into()),
            Err(RenderError::File(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, file = name, "cannot cache an export; ranges are ignored");
                Ok(None)
            }
        }
    }

    fn cell(
        self: &Arc<Self>,
        catalog: &Arc<dyn Catalog>,
        name: &str,
        version: FileVersion,
    ) -> Arc<OnceCell<Arc<RenderedFile>>> {
        let mut entries = self.entries();
        if let Some(entry) = entries.get(name).filter(|entry| entry.version == version) {
            return Arc::clone(&entry.file);
        }
        let (files, catalog) = (Arc::downgrade(self), Arc::clone(catalog));
        // Ends with the entry, or with the server's worker.
        drop(actix_web::rt::spawn(remove_when_replaced(files, catalog, name.to_owned(), version)));
        let file = Arc::default();
        entries.insert(name.to_owned(), Entry { version, file: Arc::clone(&file) });
        file
    }

    async fn render<W>(
        &self,
        version: FileVersion,
        render: impl FnOnce(Box<dyn Write + Send>) -> W,
    ) -> Result<Arc<RenderedFile>, RenderError>
    where
        W: Future<Output = Result<(), StoreError>>,
    {
        let folder = self.folder.clone();
        let create = move || tempfile::tempfile_in(folder).or_else(|_| tempfile::tempfile());
        let file = spawn_blocking(create).await;
        let file = file.map_err(io::Error::from).flatten().map_err(RenderError::File)?;
        let (total_bytes, capacity) = (Arc::clone(&self.total_bytes), self.capacity);
        let contents = Arc::new(Contents { file, capacity, total_bytes, state: Mutex::default() });
        // If this request is dropped, writing fails, and a waiting request starts over.
        let cancelled = CancellationToken::new();
        let _cancel = cancelled.clone().drop_guard();
        let writer = FileWriter { contents: Arc::clone(&contents), cancelled };
        let rendered = render(Box::new(BufWriter::with_capacity(BUFFER_BYTES, writer))).await;
        let (error, length, hash) = {
            let mut state = contents.state();
            (state.error.take(), state.length, state.hasher.finish())
        };
        if let Some(error) = error {
            return Err(RenderError::File(error));
        }
        rendered.map_err(RenderError::Store)?;
        let tag = EntityTag::new_strong(format!("{}-{hash:x}", version.snapshot.etag()));
        let readers = Arc::clone(&self.readers);
        Ok(Arc::new(RenderedFile { contents, readers, length, tag }))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes an entry once a new snapshot is published, even if nobody requests the file again.
async fn remove_when_replaced(
    files: Weak<RenderedFiles>,
    catalog: Arc<dyn Catalog>,
    name: String,
    version: FileVersion,
) {
    loop {
        sleep(SNAPSHOT_POLL_INTERVAL).await;
        let published = catalog.snapshot_version().await;
        let Some(files) = files.upgrade() else { return };
        let mut entries = files.entries();
        if entries.get(&name).is_none_or(|entry| entry.version != version) {
            return;
        }
        if published.is_ok_and(|published| published != version.snapshot) {
            entries.remove(&name);
            return;
        }
    }
}

enum RenderError {
    Store(StoreError),
    /// The file could not be written.
    File(io::Error),
}

/// A file, and what is known about the bytes written so far.
struct Contents {
    file: File,
    capacity: u64,
    total_bytes: Arc<AtomicU64>,
    state: Mutex<WriteState>,
}

#[derive(Default)]
struct WriteState {
    length: u64,
    hasher: DefaultHasher,
    error: Option<io::Error>,
}

impl Contents {
    fn state(&self) -> MutexGuard<'_, WriteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = &self.file;
        let written = file.write(bytes)?;
        let mut state = self.state();
        state.length += written as u64;
        state.hasher.write(&bytes[..written]);
        let total = self.total_bytes.fetch_add(written as u64, Ordering::Relaxed);
        if total + written as u64 > self.capacity {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "the cache is full"));
        }
        Ok(written)
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        let length = self.state().length;
        self.total_bytes.fetch_sub(length, Ordering::Relaxed);
    }
}

struct FileWriter {
    contents: Arc<Contents>,
    cancelled: CancellationToken,
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancelled.is_cancelled() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.contents.write(bytes).inspect_err(|error| {
            self.contents.state().error = Some(io::Error::new(error.kind(), error.to_string()));
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, chunk: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, chunk, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut chunk: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !chunk.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, chunk, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                chunk = &mut chunk[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tvshows_core::memory::MemoryStore;

    use super::*;

    const CONTENT: &[u8] = &[7; 3 * BUFFER_BYTES];

    fn version(number: u64) -> FileVersion {
        let snapshot = SnapshotVersion { number, published_at: None };
        FileVersion { snapshot, last_run: None }
    }

    async fn write(mut file: Box<dyn Write + Send>) -> Result<(), StoreError> {
        let written = file.write_all(CONTENT).and_then(|()| file.flush());
        written.map_err(|source| StoreError::ExportAborted { source })
    }

    fn cache(capacity: u64) -> (tempfile::TempDir, Arc<RenderedFiles>, Arc<dyn Catalog>) {
        let folder = tempfile::tempdir().unwrap();
        let files = RenderedFiles::with_capacity(folder.path().to_owned(), capacity);
        (folder, files, Arc::new(MemoryStore::default()))
    }

    #[actix_web::test]
    async fn a_file_is_rendered_once_per_version() {
        let (_folder, files, catalog) = cache(u64::MAX);
        let count = AtomicUsize::new(0);
        let get = |number| {
            files.get_or_render(&catalog, "a", version(number), |file| {
                count.fetch_add(1, Ordering::Relaxed);
                write(file)
            })
        };
        let (first, second) = tokio::join!(get(1), get(1));
        let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(first.length, CONTENT.len() as u64);

        let next = get(2).await.unwrap().unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 2);
        assert_ne!(first.tag, next.tag);
        assert_eq!(first.read(5, 100).await.unwrap(), &CONTENT[5..105], "still readable");
        assert_eq!(files.total_bytes.load(Ordering::Relaxed), 2 * CONTENT.len() as u64);
        drop((first, second));
        assert_eq!(files.total_bytes.load(Ordering::Relaxed), CONTENT.len() as u64);
    }

    #[actix_web::test]
    async fn a_tag_identifies_the_content() {
        let (_folder, files, catalog) = cache(u64::MAX);
        let tag = async |name: &str, content: &'static [u8]| {
            let render = |mut file: Box<dyn Write + Send>| async move {
                let written = file.write_all(content).and_then(|()| file.flush());
                written.map_err(|source| StoreError::ExportAborted { source })
            };
            let file = files.get_or_render(&catalog, name, version(1), render).await;
            file.unwrap().unwrap().tag.clone()
        };
        assert_eq!(tag("a", b"1").await, tag("b", b"1").await);
        assert_ne!(tag("c", b"1").await, tag("d", b"2").await);
    }

    #[actix_web::test]
    async fn a_file_that_does_not_fit_is_not_cached() {
        let (_folder, files, catalog) = cache(CONTENT.len() as u64 - 1);
        let file = files.get_or_render(&catalog, "a", version(1), write).await;
        assert!(file.unwrap().is_none());
        assert_eq!(files.total_bytes.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn a_failure_is_not_cached() {
        let (_folder, files, catalog) = cache(u64::MAX);
        let fail = |_| async { Err(StoreError::TooManyExports) };
        let failed = files.get_or_render(&catalog, "a", version(1), fail).await;
        assert!(matches!(failed, Err(Problem::Store(StoreError::TooManyExports))));
        assert!(files.get_or_render(&catalog, "a", version(1), write).await.unwrap().is_some());
    }

    #[actix_web::test]
    async fn a_dropped_request_stops_its_rendering() {
        let (_folder, files, catalog) = cache(u64::MAX);
        let (send, receive) = tokio::sync::oneshot::channel();
        let hang = |file| async move {
            let _ = send.send(file);
            std::future::pending().await
        };
        let request = files.get_or_render(&catalog, "a", version(1), hang);
        let abandon = async { receive.await.unwrap() };
        let mut file = tokio::select! {
            _ = request => unreachable!("it hangs"),
            file = abandon => file,
        };
        assert_eq!(file.write_all(CONTENT).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(files.get_or_render(&catalog, "a", version(1), write).await.unwrap().is_some());
    }
}
