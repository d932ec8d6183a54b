//! Databases that are moved, deleted or replaced while they are open.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tvshows_core::conformance::fixtures::{
    WITH_LOCK, at, begin, pages, publish, running, show, success,
};
use tvshows_core::{Catalog, RunQueue, ShowId, StoreError};
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::eventually;

/// A folder with an open database in which show 1 is published.
async fn opened() -> (TempDir, PathBuf, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1)], &[1]).await;
    (folder, path, store)
}

/// A closed database in which show 2 is published.
async fn other_database(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    publish(&store, vec![show(2)], &[2]).await;
    store.close().await;
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn assert_replaced<T>(result: Result<T, StoreError>) {
    let error = result.err().expect("the operation is refused");
    assert!(matches!(error, StoreError::DatabaseReplaced { .. }), "{error:?}");
}

async fn assert_unusable(store: &SqliteStore) {
    assert_replaced(store.health().await);
    assert_replaced(store.begin(&running(), WITH_LOCK).await);
    eventually(async || {
        matches!(store.show(ShowId(1).into()).await, Err(StoreError::DatabaseReplaced { .. }))
    })
    .await;
    assert_replaced(store.snapshot_version().await);
    assert_replaced(store.list(1).await);
    assert_replaced(store.backup_to(Box::new(std::io::sink())).await);
}

/// The error of another process that opens the path, which changes nothing there.
async fn assert_not_opened(path: &Path) {
    let before = fs::read(companion(path, "-wal")).unwrap();
    for error in
        [SqliteStore::open(path).await.err(), SqliteStore::open_read_only(path).await.err()]
    {
        assert!(matches!(error, Some(StoreError::InvalidDatabase { .. })), "{error:?}");
    }
    let error = SqliteStore::open(path).await.err().unwrap().to_string();
    assert!(error.contains("tvshows.db-wal belongs to a file that was moved"), "{error}");
    assert!(fs::read(companion(path, "-wal")).unwrap() == before);
}

fn shows(path: &Path) -> Vec<u32> {
    let connection = Connection::open(path).unwrap();
    let integrity: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut select = connection.prepare("SELECT id FROM All_Shows").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_moved_database_is_used_again_once_it_is_back() {
    let (folder, path, store) = opened().await;
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, vec![show(3)])], at(2)), &status).await.unwrap();
    let moved = folder.path().join("moved.db");
    fs::rename(&path, &moved).unwrap();
    assert_replaced(session.commit(pages(vec![(1, vec![show(300)])], at(2)), &status).await);
    assert_replaced(session.publish(&[], &[], at(3), success(&status)).await);
    assert_unusable(&store).await;
    assert!(!path.exists(), "no new file is created");

    fs::rename(&moved, &path).unwrap();
    store.health().await.unwrap();
    session.publish(&[], &[], at(3), success(&status)).await.unwrap();
    store.close().await;
    assert_eq!(shows(&path), [3]);
}

#[tokio::test]
async fn no_process_opens_the_path_of_a_moved_database_while_another_uses_it() {
    let (folder, path, store) = opened().await;
    let moved = folder.path().join("moved.db");
    fs::rename(&path, &moved).unwrap();
    assert_not_opened(&path).await;
    assert!(!path.exists(), "no new file is created");
    store.close().await;
    drop(store);
    assert_eq!(shows(&moved), [1], "nothing is missing in the moved file");
    assert_eq!(fs::metadata(companion(&path, "-wal")).unwrap().len(), 0);

    let new = SqliteStore::open(&path).await.unwrap();
    assert_eq!(new.show(ShowId(1).into()).await.unwrap(), None);
    new.close().await;
    assert_eq!(shows(&moved), [1]);
}

#[tokio::test]
async fn a_restored_database_gets_nothing_of_the_one_it_replaced() {
    let (folder, path, store) = opened().await;
    let new = folder.path().join("new.db");
    other_database(&new).await;
    fs::rename(&new, &path).unwrap();
    assert_unusable(&store).await;
    assert_not_opened(&path).await;
    store.close().await;
    drop(store);
    assert_eq!(shows(&path), [2]);
    let restored = SqliteStore::open(&path).await.unwrap();
    assert!(restored.show(ShowId(2).into()).await.unwrap().is_some());
    restored.close().await;
    assert_eq!(shows(&path), [2]);
}

#[tokio::test]
async fn a_deleted_database_is_not_written() {
    let (folder, path, store) = opened().await;
    fs::remove_file(&path).unwrap();
    assert_unusable(&store).await;
    store.close().await;
    assert!(!path.exists());
    drop(store);
    drop(SqliteStore::open(&path).await.unwrap());
    drop(folder);
}

#[tokio::test]
async fn closing_a_database_leaves_the_files_of_its_successor_alone() {
    let (folder, path, store) = opened().await;
    let away = folder.path().join("away");
    fs::create_dir(&away).unwrap();
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let file = companion(&path, suffix);
        fs::rename(&file, away.join(file.file_name().unwrap())).unwrap();
    }
    let successor = SqliteStore::open(&path).await.unwrap();
    publish(&successor, vec![show(2)], &[2]).await;
    let wal = fs::read(companion(&path, "-wal")).unwrap();
    assert!(!wal.is_empty());
    assert_unusable(&store).await;
    store.close().await;
    drop(store);
    assert!(fs::read(companion(&path, "-wal")).unwrap() == wal);
    assert_eq!(shows(&path), [2]);
    assert_eq!(shows(&away.join("tvshows.db")), [1]);
}

#[tokio::test]
async fn changes_do_not_go_to_a_deleted_wal() {
    let (_folder, path, store) = opened().await;
    fs::remove_file(companion(&path, "-wal")).unwrap();
    assert_unusable(&store).await;
    store.close().await;
    drop(store);
    let again = SqliteStore::open(&path).await.unwrap();
    assert!(again.show(ShowId(1).into()).await.unwrap().is_some(), "nothing was lost");
}

#[tokio::test]
async fn a_reader_follows_a_file_that_is_replaced() {
    let (folder, path, store) = opened().await;
    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    assert!(reader.show(ShowId(1).into()).await.unwrap().is_some());
    store.close().await;
    drop(store);
    let new = folder.path().join("new.db");
    other_database(&new).await;
    fs::rename(&new, &path).unwrap();
    assert!(reader.show(ShowId(2).into()).await.unwrap().is_some());
}
