use std::time::Duration;

use tokio_postgres::NoTls;
use tvshows_core::conformance::fixtures::{
    after, at, cast_member, details_of, episode, pages, running, show, success,
};
use tvshows_core::{RunEvent, RunQueue, RunState, Show, ShowId, SnapshotSource, StoreError};
use tvshows_testkit::PostgresServer;

use crate::support::{Copy, TestStore, begin};

fn shows(range: std::ops::Range<u32>) -> Vec<Show> {
    range.map(show).collect()
}

/// Kills the server once the future has begun, and starts it again when the future has ended.
async fn kill_during<T>(server: &PostgresServer, work: impl Future<Output = T>) -> T {
    let (result, ()) = tokio::join!(work, server.kill());
    server.restart().await;
    result
}

#[tokio::test]
async fn what_is_staged_when_the_server_is_killed_is_complete_or_absent() {
    let server = PostgresServer::start().await;
    let store = TestStore::on(&server).await;
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, shows(1..100))], at(2)), &status).await.unwrap();
    let mut staged_pages = 1;
    for page in 1..6 {
        let next = after(&status, RunEvent::PagesStaged { pages: page, shows: 100 });
        let batch = pages(vec![(page, shows(page * 100..page * 100 + 100))], at(2));
        let commit = session.commit(batch, &next);
        let committed = kill_during(&server, commit).await;
        assert!(committed.as_ref().err().is_none_or(StoreError::is_transient), "{committed:?}");
        let state = session.staging().await.unwrap();
        let is_staged = state.pages.contains_key(&page);
        assert!(is_staged || committed.is_err());
        staged_pages += u32::from(is_staged);
        let first = tvshows_core::ShowId(page * 100);
        assert_eq!(state.snapshot.shows.contains_key(&first), is_staged);
        let count = session.staged_show_count().await.unwrap();
        assert_eq!(count, staged_pages * 100 - 1);
        let stored = store.get(status.request_id).await.unwrap().unwrap();
        assert_eq!(stored.pages_done == page, is_staged, "the status is saved with the page");
    }
}

#[tokio::test]
async fn what_is_published_when_the_server_is_killed_is_complete_or_absent() {
    let server = PostgresServer::start().await;
    let store = TestStore::on(&server).await;
    for round in 1..4_i64 {
        let status = running();
        let session = begin(&store, &status).await;
        let shows: Vec<_> = (1..400).map(|id| Show { weight: Some(round), ..show(id) }).collect();
        session.commit(pages(vec![(0, shows.clone())], at(2)), &status).await.unwrap();
        let number = u32::try_from(round).unwrap();
        for show in &shows[..20] {
            let episodes = vec![episode(show.id.0, number, "2026-11-23")];
            let cast = vec![cast_member(show.id.0, number, 1)];
            let details = details_of(show, cast, Some(episodes), at(round));
            session.commit(details, &status).await.unwrap();
        }
        let (top, detailed) = ([ShowId(1)], (1..=20).map(ShowId).collect::<Vec<_>>());
        let publish = session.publish(&top, &detailed, at(round), success(&status));
        let published = kill_and_restart_during(&server, publish).await;
        let done = published.expect("it is published once the server is back");
        assert_eq!(store.get(status.request_id).await.unwrap(), Some(done));
        assert_eq!(store.position().await.unwrap().version.number, u64::try_from(round).unwrap());
        let copy = Copy::full(&store).await;
        assert_eq!(copy.shows.into_values().collect::<Vec<_>>(), shows);
        assert!(copy.details.keys().eq(&detailed));
        assert!(copy.details.values().all(|stored| stored.processed_at == at(round)));
        assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    }
}

async fn kill_and_restart_during<T>(server: &PostgresServer, work: impl Future<Output = T>) -> T {
    let restart = async {
        server.kill().await;
        server.restart().await;
    };
    tokio::join!(work, restart).0
}

#[tokio::test]
async fn a_stopped_server_is_unavailable_and_then_used_again() {
    let server = PostgresServer::start().await;
    let store = TestStore::on(&server).await;
    let status = running();
    let session = begin(&store, &status).await;
    server.stop().await;
    let error = session.commit(None, &status).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(store.position().await.unwrap_err().is_transient());
    server.restart().await;
    session.commit(None, &status).await.unwrap();
    let stored = store.get(status.request_id).await.unwrap().unwrap();
    assert_eq!(stored.state, RunState::Running);
}

#[tokio::test]
async fn a_publish_ends_although_what_follows_its_commit_is_blocked() {
    let store = TestStore::new().await;
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, shows(1..9))], at(2)), &status).await.unwrap();
    let (blocker, connection) = tokio_postgres::connect(&store.url, NoTls).await.unwrap();
    tokio::spawn(connection);
    blocker.batch_execute("BEGIN; LOCK TABLE _replicas").await.unwrap();
    let ends = async {
        let published = session.publish(&[], &[], at(4), success(&status)).await.unwrap();
        assert_eq!(store.get(status.request_id).await.unwrap(), Some(published.clone()));
        assert_eq!(store.list(9).await.unwrap(), [published]);
    };
    tokio::time::timeout(Duration::from_secs(30), ends).await.expect("nobody waits for the lock");
    assert_eq!(store.position().await.unwrap().version.number, 1);
}
