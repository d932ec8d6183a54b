//! A copy of a PostgreSQL database.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tvshows_core::conformance::fixtures::{
    WITH_LOCK, at, cast_member, cast_of, pages, running, show, success,
};
use tvshows_core::{
    Catalog, RunLock, RunQueue, Show, ShowId, SnapshotCopy, SnapshotSource, StoreError,
};
use tvshows_postgres::PostgresStore;
use tvshows_replica::ReplicaCatalog;
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::{PostgresServer, dump_content};

/// An empty database on the server that all tests share, and its URL.
pub(crate) async fn new_database() -> (PostgresStore, String) {
    let url = PostgresServer::shared().await.create_database().await;
    let store = PostgresStore::new(&url).unwrap();
    store.migrate().await.unwrap();
    (store, url)
}

pub(crate) async fn open_copy(source: &Arc<PostgresStore>, path: &Path) -> ReplicaCatalog {
    let copy = Arc::new(SqliteStore::open_copy(path).await.unwrap());
    let shared = Arc::<PostgresStore>::clone(source);
    ReplicaCatalog::new(shared, copy, "here".into(), Duration::from_mins(10)).await.unwrap()
}

/// Publishes these shows and nothing else, the first as the top show, with a cast.
async fn publish(store: &PostgresStore, shows: Vec<Show>, second: i64) {
    assert!(store.acquire("here", None).await.unwrap());
    let status = running();
    let session = store.begin(&status, WITH_LOCK).await.unwrap();
    let top = shows[0].clone();
    session.commit(pages(vec![(0, shows)], at(second)), &status).await.unwrap();
    let cast = cast_of(&top, vec![cast_member(top.id.0, 1, 10)], at(second));
    session.commit(cast, &status).await.unwrap();
    session.publish(&[top.id], &[], at(second), success(&status)).await.unwrap();
}

/// What a new copy has.
async fn content(source: &Arc<PostgresStore>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let catalog = open_copy(source, &path).await;
    catalog.catch_up().await.unwrap();
    catalog.close().await;
    dump_content(&path)
}

fn named(id: u32, name: &str) -> Show {
    Show { name: name.into(), ..show(id) }
}

#[tokio::test]
async fn a_copy_of_another_database_is_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let one = Arc::new(new_database().await.0);
    let other = Arc::new(new_database().await.0);
    publish(&one, vec![show(1), show(2)], 2).await;
    publish(&other, vec![named(1, "Other")], 2).await;
    assert_eq!(one.position().await.unwrap().version, other.position().await.unwrap().version);
    for source in [&one, &other] {
        let catalog = open_copy(source, &path).await;
        catalog.catch_up().await.unwrap();
        catalog.close().await;
        assert_eq!(dump_content(&path), content(source).await);
    }
}

/// After a failover to a standby that had not received the last publish, the next one has its number.
#[tokio::test]
async fn a_copy_of_a_publish_that_was_lost_is_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let server = PostgresServer::shared().await;
    let (store, url) = new_database().await;
    let source = Arc::new(store);
    publish(&source, vec![show(1), show(2)], 2).await;
    source.close().await;
    let standby = format!("{}_standby", url.rsplit('/').next().unwrap());
    let create = format!("CREATE DATABASE {standby} TEMPLATE {}", url.rsplit('/').next().unwrap());
    server.psql(&server.url("postgres"), &create).await;

    let primary = Arc::new(PostgresStore::new(&url).unwrap());
    publish(&primary, vec![named(1, "Lost"), show(3)], 12).await;
    let catalog = open_copy(&primary, &path).await;
    catalog.catch_up().await.unwrap();
    let lost = catalog.snapshot_version().await.unwrap();
    catalog.close().await;

    let promoted = Arc::new(PostgresStore::new(&server.url(&standby)).unwrap());
    let catalog = open_copy(&promoted, &path).await;
    assert_eq!(catalog.snapshot_version().await.unwrap(), lost);
    catalog.catch_up().await.unwrap();
    assert_eq!(catalog.snapshot_version().await.unwrap().number, lost.number - 1);
    assert_eq!(dump_content(&path), content(&promoted).await);

    publish(&promoted, vec![named(2, "Promoted")], 22).await;
    let published = promoted.position().await.unwrap().version;
    assert_eq!(published.number, lost.number);
    catalog.close().await;
    // As if it had not been open in the meantime.
    let catalog = open_copy(&primary, &path).await;
    catalog.catch_up().await.unwrap();
    catalog.close().await;
    let catalog = open_copy(&promoted, &path).await;
    catalog.catch_up().await.unwrap();
    assert_eq!(catalog.snapshot_version().await.unwrap(), published);
    assert_eq!(dump_content(&path), content(&promoted).await);
}

#[tokio::test]
async fn a_server_that_is_killed_during_a_copy_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let server = PostgresServer::start().await;
    let url = server.create_database().await;
    let source = Arc::new(PostgresStore::new(&url).unwrap());
    source.migrate().await.unwrap();
    publish(&source, vec![show(1), show(2)], 2).await;
    let catalog = open_copy(&source, &path).await;
    catalog.catch_up().await.unwrap();
    let before = dump_content(&path);

    // More than fits into the buffers of the connection.
    let text = "many words ".repeat(400);
    let many = (1..8_000).map(|id| Show { summary: Some(text.clone()), ..show(id) });
    publish(&source, many.collect(), 12).await;
    let copied = catalog.snapshot_version().await.unwrap();
    let changes = source.changes_since(None).await.unwrap();
    server.kill().await;
    let copy_path = folder.path().join("other.db");
    let copy = SqliteStore::open_copy(&copy_path).await.unwrap();
    let error = copy.apply(changes).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert_eq!(SnapshotCopy::position(&copy).await.unwrap(), None);
    let error = catalog.catch_up().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert_eq!(catalog.snapshot_version().await.unwrap(), copied);
    assert_eq!(dump_content(&path), before);
    assert!(catalog.show(ShowId(1).into()).await.unwrap().is_some());

    server.restart().await;
    catalog.catch_up().await.unwrap();
    assert_eq!(catalog.stats().await.unwrap().tables.all_shows, 7_999);
    assert_eq!(dump_content(&path), content(&source).await);
}
