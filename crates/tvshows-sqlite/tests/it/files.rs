//! Opening, closing and sharing a database file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{
    WITH_LEASE, WITH_LOCK, after, at, begin, pages, publish, running, show, success,
};
use tvshows_core::{Catalog, RunEvent, RunLock, RunQueue, RunState, ShowId, StoreError};
use tvshows_sqlite::SqliteStore;

async fn publish_one(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    publish(&store, vec![show(1)], &[1]).await;
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
    assert_eq!(store.show(ShowId(1).into()).await.unwrap(), Some(show(1)));
}

#[tokio::test]
async fn the_lock_of_a_process_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    assert!(one.acquire("one", None).await.unwrap());
    assert!(!other.acquire("other", None).await.unwrap());
    assert!(!other.acquire("one", None).await.unwrap(), "another handle is another holder");
    assert_eq!(other.holder().await.unwrap().as_deref(), Some("one"));
    drop(one);
    assert_eq!(other.holder().await.unwrap(), None);
    assert!(other.acquire("other", None).await.unwrap());
}

#[tokio::test]
async fn a_run_whose_process_died_is_interrupted_for_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    let status = running();
    let session = begin(&one, &status).await;
    let state = async || {
        let next = other.next(&[]).await.unwrap().unwrap();
        let listed = other.list(1).await.unwrap().remove(0);
        let found = other.get(status.request_id).await.unwrap().unwrap();
        assert_eq!((&listed, &found), (&next.status, &next.status));
        assert_eq!(next.ownership, WITH_LOCK);
        found.state
    };
    assert_eq!(state().await, RunState::Running);
    drop((one, session));
    assert_eq!(state().await, RunState::Interrupted);
}

#[cfg(unix)]
#[tokio::test]
async fn other_names_of_a_file_do_not_lead_around_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let one = SqliteStore::open(&path).await.unwrap();
    assert!(one.acquire("one", None).await.unwrap());
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let dots =
        folder.path().join("./../").join(folder.path().file_name().unwrap()).join("tvshows.db");
    for name in [link, dots] {
        let other = SqliteStore::open(&name).await.unwrap();
        assert!(!other.acquire("other", None).await.unwrap(), "{}", name.display());
    }
}

#[tokio::test]
async fn a_process_that_was_overtaken_stages_and_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let paused = SqliteStore::open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    let status = running();
    let late = paused.begin(&status, WITH_LEASE).await.unwrap();
    late.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.unwrap();
    let resumed = after(&after(&status, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    let session = other.begin(&resumed, WITH_LEASE).await.unwrap();

    let refused = late.commit(pages(vec![(1, vec![show(3)])], at(3)), &status).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    let refused = late.publish(&[], &[], at(3), success(&status)).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    let refused = late.staging().await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    assert_eq!(paused.show(ShowId(1).into()).await.unwrap(), None);
    assert_eq!(
        session.staged_show_count().await.unwrap(),
        1,
        "nothing of the other attempt is lost"
    );
    session.publish(&[], &[], at(4), success(&resumed)).await.unwrap();
    assert!(other.show(ShowId(1).into()).await.unwrap().is_some());
    let refused = late.publish(&[], &[], at(5), success(&status)).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_another_program_locks_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.begin(&running(), WITH_LOCK).await.err().unwrap();
    assert!(matches!(refused, StoreError::DatabaseBusy), "{refused:?}");
    other.execute_batch("ROLLBACK").unwrap();
    store.begin(&running(), WITH_LOCK).await.unwrap();
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
async fn a_file_of_another_program_is_refused_and_left_unchanged() {
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
async fn a_file_that_is_not_a_database_is_refused_and_left_unchanged() {
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

#[tokio::test]
async fn what_an_unpublished_run_staged_is_returned_to_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    publish_one(&path).await;
    let size = || fs::metadata(&path).unwrap().len();
    let before = size();
    let store = SqliteStore::open(&path).await.unwrap();
    for end in [RunEvent::Cancelled, RunEvent::Failed("no".into())] {
        let status = running();
        let session = begin(&store, &status).await;
        for page in 0..20 {
            let shows = (250 * page..250 * page + 250).map(show).collect();
            session.commit(pages(vec![(page, shows)], at(2)), &status).await.unwrap();
        }
        store.finish_unpublished(&after(&status, end)).await.unwrap();
        assert!(size() <= before, "{} after {before}", size());
        store.release("here").await;
    }
    assert_eq!(store.show(ShowId(1).into()).await.unwrap(), Some(show(1)));
    assert!(store.integrity_check().await.unwrap().is_empty());
}
