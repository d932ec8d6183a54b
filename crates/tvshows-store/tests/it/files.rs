//! Opening, closing and sharing a database file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{after, at, running, show, success};
use tvshows_core::{Event, RunState, ShowId, ShowStore, StoreError};
use tvshows_store::SqliteStore;

async fn publish_one(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    let status = running();
    store.begin(&status).await.unwrap();
    store.stage_page(0, vec![show(1)], at(2)).await.unwrap();
    store.publish(&[ShowId(1)], at(3), success(&status)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_closed_database_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    publish_one(&path).await;
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let name: String = Connection::open(&copy)
        .unwrap()
        .query_row("SELECT name FROM All_Shows WHERE id = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, show(1).name);
}

#[tokio::test]
async fn what_was_published_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    publish_one(&path).await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.show(ShowId(1)).await.unwrap(), Some(show(1)));
}

#[tokio::test]
async fn a_run_whose_process_died_is_interrupted_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let status = running();
    let died = SqliteStore::open(&path).await.unwrap();
    died.begin(&status).await.unwrap();
    died.stage_page(0, vec![show(1)], at(2)).await.unwrap();

    let next = SqliteStore::open(&path).await.unwrap();
    assert!(next.interrupt_unfinished(at(5)).await.unwrap().is_empty(), "it still runs");
    drop(died);
    let interrupted = next.interrupt_unfinished(at(5)).await.unwrap();
    assert_eq!(interrupted.len(), 1);
    assert_eq!(interrupted[0].state, RunState::Interrupted);
    assert!(interrupted[0].revision > status.revision);
    assert_eq!(next.run(status.request_id).await.unwrap().as_ref(), Some(&interrupted[0]));
    assert!(next.interrupt_unfinished(at(6)).await.unwrap().is_empty(), "once is enough");
    assert_eq!(next.show(ShowId(1)).await.unwrap(), None);
}

#[tokio::test]
async fn one_process_at_a_time_runs_an_update() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let (one, other) =
        (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    let status = running();
    one.begin(&status).await.unwrap();
    assert!(matches!(other.begin(&running()).await, Err(StoreError::Busy)));
    assert!(matches!(one.begin(&running()).await, Err(StoreError::Busy)));
    one.abandon(&after(&status, Event::Cancelled)).await.unwrap();
    other.begin(&running()).await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE Notes (text); INSERT INTO Notes VALUES ('mine')").unwrap();
    drop(other);
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(error.to_string().contains("another program"), "{error}");
    let tables: u32 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "just some text, long enough to be read as a header of a database file, or so\n";
    fs::write(&path, text.repeat(20)).unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text.repeat(20));
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    publish_one(&path).await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9999).unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(error.to_string().contains("version 9999"), "{error}");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/tvshows.db");
    assert!(SqliteStore::open(&path).await.is_err());
}
