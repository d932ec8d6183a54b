use tvshows_core::conformance::fixtures::{WITH_LOCK, after, at, pages, running, show, success};
use tvshows_core::{
    Enqueued, RunEvent, RunId, RunLock, RunParameters, RunQueue, RunState, RunStatus,
    SnapshotSource, StoreError,
};

use crate::support::{TestStore, begin};

#[tokio::test]
async fn two_equal_requests_at_the_same_time_are_one_run() {
    let store = TestStore::new().await;
    let other = store.other();
    let queued = || RunStatus::queued(RunId::random(), RunParameters::default(), "here", at(0));
    for _ in 0..20 {
        let (one, two) = (queued(), queued());
        let both = tokio::join!(store.enqueue(&one, &[], 9), other.enqueue(&two, &[], 9));
        let (new, joined) = match (both.0.unwrap(), both.1.unwrap()) {
            (Enqueued::New(new), Enqueued::Joined(joined))
            | (Enqueued::Joined(joined), Enqueued::New(new)) => (new, joined),
            both => panic!("{both:?}"),
        };
        assert_eq!(new.request_id, joined.request_id);
        let again = store.enqueue(&new, &[], 9).await.unwrap();
        assert_eq!(again, Enqueued::New(new.clone()), "the answer may have been lost");
        store.finish_unpublished(&after(&new, RunEvent::Cancelled)).await.unwrap();
    }
}

/// After a failover that lost the beginning of an attempt, its number is given again.
#[tokio::test]
async fn an_attempt_with_a_repeated_number_is_fenced_by_its_holder() {
    let store = TestStore::new().await;
    let status = running();
    let lost = begin(&store, &status).await;
    store.psql("UPDATE _runs SET attempt = 0, status = replace(status, '\"attempt\":1', '\"attempt\":0')").await;
    store.psql("UPDATE _run_lock SET until = '-infinity'").await;
    let there = RunStatus { instance: "there".into(), ..status.clone() };
    let other = store.other();
    let session = begin(&other, &there).await;
    let late = lost.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    let late = lost.publish(&[], &[], at(2), success(&status)).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &there).await.unwrap();
    store.save_status(&after(&status, RunEvent::Interrupted("late".into()))).await.unwrap();
    store.finish_unpublished(&after(&status, RunEvent::Failed("late".into()))).await.unwrap();
    assert_eq!(store.get(status.request_id).await.unwrap().as_ref(), Some(&there));
    session.publish(&[], &[], at(2), success(&there)).await.unwrap();
}

#[tokio::test]
async fn a_process_without_the_lock_begins_nothing() {
    let store = TestStore::new().await;
    let begun = store.begin(&running(), WITH_LOCK).await;
    assert!(matches!(begun.map(|_| ()), Err(StoreError::Fenced)));
}

#[tokio::test]
async fn a_run_is_interrupted_once_another_process_has_its_lock() {
    let store = TestStore::new().await;
    let status = running();
    begin(&store, &status).await;
    let state = async || store.get(status.request_id).await.unwrap().unwrap().state;
    assert_eq!(state().await, RunState::Running);
    store.psql("UPDATE _run_lock SET until = '-infinity'").await;
    assert_eq!(state().await, RunState::Interrupted);
    assert!(store.acquire("there", None).await.unwrap());
    assert_eq!(state().await, RunState::Interrupted);
    let next = store.next(&[]).await.unwrap().unwrap();
    assert_eq!((next.status.state, next.ownership), (RunState::Interrupted, WITH_LOCK));
    let history = store.run_history().await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].status, next.status);
}

/// The commit of a publish may succeed although its answer is lost.
#[tokio::test]
async fn a_repeated_publish_is_published_once() {
    let store = TestStore::new().await;
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.unwrap();
    let done = session.publish(&[], &[], at(4), success(&status)).await.unwrap();
    let position = store.position().await.unwrap();
    let again = session.publish(&[], &[], at(5), success(&status)).await.unwrap();
    assert_eq!(again, done);
    assert_eq!(store.position().await.unwrap(), position);
}

#[tokio::test]
async fn an_attempt_whose_beginning_is_repeated_continues() {
    let store = TestStore::new().await;
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.unwrap();
    let again = begin(&store, &status).await;
    assert_eq!(again.staged_show_count().await.unwrap(), 1);
    session.publish(&[], &[], at(4), success(&status)).await.unwrap();
    let late = store.begin(&status, WITH_LOCK).await;
    assert!(matches!(late.map(|_| ()), Err(StoreError::Fenced)));
}
