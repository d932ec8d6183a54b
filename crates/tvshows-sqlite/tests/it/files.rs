//! Opening, closing and sharing a database file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{BY_BOTH, BY_CLAIM, after, at, running, show, success};
use tvshows_core::{
    RunEvent, RunState, ShowFilter, ShowId, ShowQuery, ShowStore, Sort, StoreError,
};
use tvshows_sqlite::SqliteStore;

async fn publish_one(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    let status = running();
    store.begin(&status, BY_CLAIM).await.unwrap();
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.unwrap();
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

/// A database as an earlier version left it.
fn left_by(path: &Path, dump: &str) {
    Connection::open(path).unwrap().execute_batch(dump).unwrap();
}

/// Opens it with the present version, and checks that the file is sound.
async fn opened(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).await.unwrap();
    let check = "PRAGMA integrity_check";
    let sound: String =
        Connection::open(path).unwrap().query_row(check, [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    store
}

#[tokio::test]
async fn a_file_of_schema_1_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    left_by(&path, include_str!("../fixtures/schema-1.sql"));
    let store = opened(&path).await;
    assert_eq!(store.show(ShowId(7)).await.unwrap().unwrap().name, "Old");
    let run = store.runs(1).await.unwrap().remove(0);
    assert_eq!((run.state, run.shows_seen, run.added), (RunState::Succeeded, 1, 0));
    let published = store.published().await.unwrap();
    assert_eq!(published.shows[&ShowId(7)].updated, Some(5));
    assert!(published.pages.is_empty(), "so that every page is due");
    assert_eq!(published.casts[&ShowId(7)], None, "so that its cast is fetched again");
    assert_eq!(store.snapshot().await.unwrap().number, 1, "what is there is a snapshot");
    let filter = ShowFilter { text: "old".parse().ok(), ..ShowFilter::default() };
    let query = ShowQuery { filter, sort: Sort::default(), after: None, limit: 10 };
    let found = store.shows(query).await.unwrap().shows;
    assert_eq!(found[0].id, ShowId(7), "it is searched as well");
}

#[tokio::test]
async fn a_file_of_schema_2_keeps_its_rows_and_its_killed_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    left_by(&path, include_str!("../fixtures/schema-2.sql"));
    let store = opened(&path).await;
    let published = store.published().await.unwrap();
    assert_eq!((published.shows.len(), published.pages.len()), (14, 1));
    let top = store.top_shows(10).await.unwrap();
    assert_eq!((top.len(), top[0].name.as_str()), (1, "Bergen Letters: The Eriksen Detective"));

    let runs = store.runs(10).await.unwrap();
    let states: Vec<_> = runs.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Running, RunState::Failed, RunState::Succeeded]);
    assert!(runs[1].error.as_ref().unwrap().contains("stopped"), "nobody went on with it then");
    let mut killed = store.next_run(&[]).await.unwrap().unwrap();
    assert_eq!(killed.request_id, runs[0].request_id);
    killed.mark_interrupted("killed", at(5));
    store.begin(&after(&killed, RunEvent::Started), BY_CLAIM).await.unwrap();
    let staged = store.staged().await.unwrap();
    assert_eq!((staged.pages.len(), staged.snapshot.shows.len()), (1, 14));
}

#[tokio::test]
async fn the_claim_of_a_process_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    one.claim().await.unwrap();
    assert!(matches!(other.claim().await, Err(StoreError::RunLockHeld)));
    assert!(other.is_claimed().await.unwrap());
    drop(one);
    other.claim().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn other_names_of_a_file_do_not_lead_around_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    one.claim().await.unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let dots =
        folder.path().join("./../").join(folder.path().file_name().unwrap()).join("tvshows.db");
    for name in [link, dots] {
        let other = SqliteStore::open(&name).await.unwrap();
        assert!(matches!(other.claim().await, Err(StoreError::RunLockHeld)), "{}", name.display());
    }
}

#[tokio::test]
async fn a_process_that_was_overtaken_stages_and_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let paused = SqliteStore::open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    let status = running();
    paused.begin(&status, BY_BOTH).await.unwrap();
    paused.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.unwrap();
    let resumed = after(&after(&status, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    other.begin(&resumed, BY_BOTH).await.unwrap();

    let refused = paused.stage_pages(vec![(1, vec![show(3)])], at(3), &status).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    let refused = paused.publish(&[], at(3), success(&status)).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    assert_eq!(paused.show(ShowId(1)).await.unwrap(), None);
    assert_eq!(other.snapshot_size().await.unwrap(), 1, "the other attempt's rows are left alone");
    other.publish(&[], at(4), success(&resumed)).await.unwrap();
    assert!(other.show(ShowId(1)).await.unwrap().is_some());
    let refused = paused.publish(&[], at(5), success(&status)).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_another_program_locks_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.begin(&running(), BY_CLAIM).await;
    assert!(matches!(refused, Err(StoreError::DatabaseBusy)), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();
    store.begin(&running(), BY_CLAIM).await.unwrap();
}

#[tokio::test]
async fn a_name_that_looks_like_an_address_is_a_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:tvshows.db", ":memory:"] {
        let path = folder.path().join(name);
        publish_one(&path).await;
        assert!(path.exists(), "{name}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE Notes (text); INSERT INTO Notes VALUES ('mine')").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(error.to_string().contains("another program"), "{error}");
    assert!(fs::read(&path).unwrap() == before, "to the byte");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "just some text, long enough to be read as a header of a database file, or so\n";
    fs::write(&path, text.repeat(20)).unwrap();
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::InvalidDatabase { .. }), "{error:?}");
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
