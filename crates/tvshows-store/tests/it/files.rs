//! Opening, closing and sharing a database file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{after, at, running, show, success};
use tvshows_core::{Event, RunState, ShowFilter, ShowId, ShowQuery, ShowStore, Sort, StoreError};
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
async fn a_file_of_the_first_version_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../migrations/0001_initial.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 0x74767368; PRAGMA user_version = 1;
         INSERT INTO All_Shows (id, name, genres, updated, processed_at)
             VALUES (7, 'Old', 'Drama', 5, '2026-01-01T00:00:00Z');
         INSERT INTO Top_Shows (id, name, language, genres, premiered, processed_at, rank)
             VALUES (7, 'Old', 'English', 'Drama', '2025-01-01', '2026-01-01T00:00:00Z', 1);
         INSERT INTO Runs (request_id, state, step, progress, pages_done, shows_seen, singles_done,
             casts_done, requests, retries, rate_limited, updated_at, years, top, mode, instance, revision)
             VALUES ('5f0c1a9e-0000-4000-8000-000000000000', 'succeeded', 'Completed', 100, 1, 1, 0,
             1, 3, 0, 0, '2026-01-01T00:00:00Z', 10, 10, 'auto', 'old', 9);",
    )
    .unwrap();
    drop(old);

    let store = SqliteStore::open(&path).await.unwrap();
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

#[cfg(unix)]
#[tokio::test]
async fn other_names_of_a_file_do_not_lead_around_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    let status = running();
    one.begin(&status).await.unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let dots =
        folder.path().join("./../").join(folder.path().file_name().unwrap()).join("tvshows.db");
    for name in [link, dots] {
        let other = SqliteStore::open(&name).await.unwrap();
        assert!(
            matches!(other.begin(&running()).await, Err(StoreError::Busy)),
            "{}",
            name.display()
        );
    }
}

#[tokio::test]
async fn a_run_whose_staging_area_was_taken_over_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let status = running();
    store.begin(&status).await.unwrap();
    store.stage_page(0, vec![show(1)], at(2)).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute("UPDATE Staged_Run SET request_id = 'another run'", []).unwrap();

    let refused = store.stage_page(1, vec![show(3)], at(3)).await;
    assert!(matches!(refused, Err(StoreError::Superseded)), "{refused:?}");
    let refused = store.publish(&[], at(3), success(&status)).await;
    assert!(matches!(refused, Err(StoreError::Superseded)), "{refused:?}");
    store.abandon(&after(&status, Event::Failed("superseded".into()))).await.unwrap();
    assert_eq!(store.show(ShowId(1)).await.unwrap(), None);
    assert_eq!(store.snapshot_size().await.unwrap(), 1, "the other run's rows are left alone");
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
    assert!(matches!(error, StoreError::Unusable { .. }), "{error:?}");
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
