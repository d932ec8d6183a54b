//! Opening a file to read it, without changing anything and without write permission.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{WITH_LOCK, at, begin, publish, running, show};
use tvshows_core::{
    Catalog, CellValue, MakeRowWriter, RowWriter, RunId, RunLock, RunParameters, RunQueue,
    RunStatus, ShowFilter, ShowId, ShowQuery, Sort, StoreError, Table,
};
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::{ReadOnlyFolder, eventually};

/// Creates a database of two shows, and waits until every connection to it is closed.
async fn create(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    publish(&store, vec![show(1), show(2)], &[1]).await;
    store.close().await;
    drop(store);
    // The last connection deletes it last.
    let wal = path.with_extension("db-wal");
    eventually(async || !wal.exists()).await;
}

/// Every file of a folder with its content. A connection that closes in the background may remove its files
/// meanwhile.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = files.filter_map(|file| {
        Some((file.file_name().into_string().unwrap(), fs::read(file.path()).ok()?))
    });
    named.collect()
}

/// Calls everything that reads.
async fn read_everything(store: &SqliteStore) {
    assert_eq!(store.show(ShowId(1).into()).await.unwrap(), Some(show(1)));
    assert_eq!(store.top_shows(10).await.unwrap().len(), 1);
    assert_eq!(store.stats().await.unwrap().tables.all_shows, 2);
    assert_eq!(store.snapshot_version().await.unwrap().number, 1);
    assert_eq!(store.snapshot_version().await.unwrap().number, 1);
    assert_eq!(store.manifest().await.unwrap().shows.len(), 2);
    assert_eq!(store.list(10).await.unwrap().len(), 1);
    assert_eq!(store.database_id().await.unwrap().len(), 32);
    let (filter, sort) = (ShowFilter::default(), Sort::default());
    let query = ShowQuery { filter, sort, limit: 10, ..ShowQuery::default() };
    assert_eq!(store.shows(query).await.unwrap().shows.len(), 2);
    assert_eq!(store.integrity_check().await.unwrap(), [""; 0]);
    assert_eq!(store.holder().await.unwrap(), None);
    let rows = SharedRows::default();
    store.export(Table::AllShows, ShowFilter::default(), rows.writer()).await.unwrap();
    assert_eq!(rows.0.lock().unwrap().len(), 2);
    let copy = tempfile::NamedTempFile::new().unwrap();
    store.backup_to(Box::new(copy.reopen().unwrap())).await.unwrap();
    assert_eq!(count_shows(copy.path()), 2);
}

fn count_shows(path: &Path) -> u32 {
    let copy = Connection::open(path).unwrap();
    copy.query_row("SELECT count(*) FROM All_Shows", [], |row| row.get(0)).unwrap()
}

#[derive(Clone, Default)]
struct SharedRows(Arc<Mutex<Vec<String>>>);

impl SharedRows {
    fn writer(&self) -> MakeRowWriter {
        let rows = self.clone();
        Box::new(move |_| Ok(Box::new(rows)))
    }
}

impl RowWriter for SharedRows {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        self.0.lock().unwrap().push(format!("{cells:?}"));
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a database to `name.db`, with what its process has not yet written to the main file.
async fn copy_of_a_killed_process(folder: &Path, companions: &[&str], name: &str) {
    let source = tempfile::tempdir().unwrap();
    let path = source.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1), show(2)], &[1]).await;
    for suffix in [&[""], companions].concat() {
        let from = format!("{}{suffix}", path.display());
        fs::copy(from, folder.join(format!("{name}.db{suffix}"))).unwrap();
    }
}

/// One file for each state in which a database can be found.
async fn every_state(folder: &Path) {
    create(&folder.join("closed.db")).await;
    let copy = fs::File::create(folder.join("copy.db")).unwrap();
    let store = SqliteStore::open_read_only(&folder.join("closed.db")).await.unwrap();
    store.backup_to(Box::new(copy)).await.unwrap();
    copy_of_a_killed_process(folder, &["-wal", "-shm"], "killed").await;
    // What `sqlite3 -readonly` leaves.
    create(&folder.join("read before.db")).await;
    fs::write(folder.join("read before.db-wal"), "").unwrap();
    // What a process leaves that fails to open the file on a full disk.
    create(&folder.join("failed.db")).await;
    fs::write(folder.join("failed.db-wal"), "").unwrap();
    fs::write(folder.join("failed.db-shm"), "abc").unwrap();
    create(&folder.join("odd ?#%.db")).await;
}

const STATES: [&str; 6] = ["closed", "copy", "killed", "read before", "failed", "odd ?#%"];

#[tokio::test]
async fn reading_changes_no_file_and_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    every_state(folder.path()).await;
    let before = files(folder.path());
    for state in STATES {
        let path = folder.path().join(format!("{state}.db"));
        let store = SqliteStore::open_read_only(&path).await.unwrap();
        read_everything(&store).await;
        store.close().await;
    }
    eventually(async || before.keys().eq(files(folder.path()).keys())).await;
    let after = files(folder.path());
    for (name, content) in before {
        // SQLite's shared memory is rebuilt.
        assert!(name.ends_with("-shm") || after[&name] == content, "{name}");
    }
}

#[tokio::test]
async fn a_read_only_folder_is_read() {
    let folder = tempfile::tempdir().unwrap();
    every_state(folder.path()).await;
    copy_of_a_killed_process(folder.path(), &["-wal"], "without -shm").await;
    let Some(_read_only) = ReadOnlyFolder::new("a_read_only_folder_is_read", folder.path()) else {
        return;
    };
    for state in STATES {
        let path = folder.path().join(format!("{state}.db"));
        let store = SqliteStore::open_read_only(&path).await.unwrap();
        read_everything(&store).await;
        let refused = SqliteStore::open(&path).await.err();
        assert!(matches!(refused, Some(StoreError::ReadOnly)), "{state}: {refused:?}");
    }
    let path = folder.path().join("without -shm.db");
    let error = SqliteStore::open_read_only(&path).await.err().unwrap().to_string();
    assert!(error.contains("-wal") && error.contains("copy"), "{error}");
    let missing = folder.path().join("missing.db");
    let error = SqliteStore::open(&missing).await.err().unwrap();
    assert!(error.to_string().contains("cannot be opened"), "{error}");
}

#[tokio::test]
async fn what_would_change_something_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    create(&path).await;
    let writable = SqliteStore::open(&path).await.unwrap();
    let waiting = RunStatus::queued(RunId::random(), RunParameters::default(), "here", at(1));
    writable.enqueue(&waiting, &[], 1).await.unwrap();
    writable.close().await;

    let store = SqliteStore::open_read_only(&path).await.unwrap();
    assert!(store.is_read_only());
    assert!(!store.health().await.unwrap().is_writable);
    assert_eq!(store.next(&[]).await.unwrap(), None, "nobody could work on it");
    for refused in [
        store.enqueue(&waiting, &[], 1).await.err(),
        store.save_status(&waiting).await.err(),
        store.finish_unpublished(&waiting).await.err(),
        store.begin(&running(), WITH_LOCK).await.err(),
    ] {
        assert!(matches!(refused, Some(StoreError::ReadOnly)), "{refused:?}");
    }
}

#[tokio::test]
async fn what_another_process_publishes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    create(&path).await;
    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    read_everything(&reader).await;
    let number = async || reader.snapshot_version().await.unwrap().number;

    let writer = SqliteStore::open(&path).await.unwrap();
    assert_eq!(number().await, 1);
    publish(&writer, vec![show(3)], &[]).await;
    assert_eq!(number().await, 2, "from the WAL");
    publish(&writer, vec![show(4)], &[]).await;
    assert_eq!(number().await, 3);
    assert_eq!(reader.show(ShowId(3).into()).await.unwrap(), None);
    writer.close().await;
    drop(writer);
    assert_eq!(number().await, 3, "from the file alone");
    assert_eq!(reader.show(ShowId(4).into()).await.unwrap(), Some(show(4)));
}

/// Waits for permission before it accepts a row.
struct Gate(Receiver<()>);

impl RowWriter for Gate {
    fn write_row(&mut self, _: &[CellValue<'_>]) -> io::Result<()> {
        self.0.recv().map_err(io::Error::other)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_read_that_another_process_disturbs_fails_instead_of_mixing_two_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    create(&path).await;
    let reader = Arc::new(SqliteStore::open_read_only(&path).await.unwrap());
    let (permit, permits) = channel();
    let (opened, was_opened) = channel();
    let export = tokio::spawn({
        let reader = reader.clone();
        let gate: MakeRowWriter = Box::new(move |_| {
            opened.send(()).map_err(io::Error::other)?;
            Ok(Box::new(Gate(permits)))
        });
        async move { reader.export(Table::AllShows, ShowFilter::default(), gate).await }
    });
    tokio::task::spawn_blocking(move || was_opened.recv().unwrap()).await.unwrap();
    let writer = SqliteStore::open(&path).await.unwrap();
    publish(&writer, vec![show(3)], &[]).await;
    writer.close().await;
    for _ in 0..2 {
        let _ = permit.send(());
    }
    let error = export.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("changed the file"), "{error}");
    assert_eq!(reader.show(ShowId(3).into()).await.unwrap(), Some(show(3)));
}

#[tokio::test]
async fn a_file_of_another_schema_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older.db");
    let dump = include_str!("../fixtures/schema-5.sql");
    Connection::open(&older).unwrap().execute_batch(dump).unwrap();
    let newer = folder.path().join("newer.db");
    create(&newer).await;
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 9999).unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE Notes (text)").unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "just some text, long enough to be read as a header\n".repeat(20)).unwrap();
    fs::write(folder.path().join("empty.db"), "").unwrap();
    let before = files(folder.path());
    for (name, expected) in [
        ("older.db", "version 5"),
        ("older.db", "`tvshows update` or `tvshows serve`"),
        ("newer.db", "version 9999"),
        ("other.db", "another program"),
        ("notes.txt", "not a database"),
        ("empty.db", "version 0"),
        ("missing.db", "cannot be opened"),
    ] {
        let refused = SqliteStore::open_read_only(&folder.path().join(name)).await;
        let error = refused.err().unwrap().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    assert!(files(folder.path()) == before);
}

#[tokio::test]
async fn an_interrupted_run_is_seen_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let killed = SqliteStore::open(&path).await.unwrap();
    let status = running();
    let session = begin(&killed, &status).await;
    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    let state = async || reader.get(status.request_id).await.unwrap().unwrap().state.to_string();
    assert_eq!(state().await, "running");
    drop((killed, session));
    assert_eq!(state().await, "interrupted");
}
