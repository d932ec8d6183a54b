//! The promises of every [`RunQueue`](crate::RunQueue).

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::Store;
use super::fixtures::{after, at, begin, lock, pages, publish, running, show, success};
use crate::{
    Enqueued, LockExpiry, Ownership, RunEvent, RunId, RunParameters, RunState, RunStatus, TopLimit,
};

fn queued(top: u16) -> RunStatus {
    let top = TopLimit::new(top).expect("within the range");
    let parameters = RunParameters { top, ..RunParameters::default() };
    RunStatus::queued(RunId::random(), parameters, "here", at(0))
}

pub async fn requests_with_equal_parameters_share_a_run(store: &impl Store) {
    let (one, other) = (queued(1), queued(2));
    let position = |status: &RunStatus, position| {
        Enqueued::New(RunStatus { position: Some(position), ..status.clone() })
    };
    let enqueue = async |status: RunStatus, except: &'static [RunId]| {
        store.enqueue(&status, except, 2).await.expect("enqueue")
    };
    assert_eq!(enqueue(one.clone(), &[]).await, position(&one, 0));
    assert_eq!(enqueue(other.clone(), &[]).await, position(&other, 1));
    let Enqueued::Joined(joined) = enqueue(queued(2), &[]).await else { panic!("it is there") };
    assert_eq!((joined.request_id, joined.position), (other.request_id, Some(1)));
    let again = queued(1);
    let not_that_one = store.enqueue(&again, &[one.request_id], 2).await.expect("enqueue");
    assert_eq!(not_that_one, position(&again, 1));
    assert_eq!(enqueue(queued(3), &[]).await, Enqueued::Full);
    let Enqueued::Joined(_) = enqueue(queued(2), &[]).await else {
        panic!("there is room to join")
    };
}

pub async fn runs_wait_in_the_order_of_their_requests(store: &impl Store) {
    let runs = [queued(1), queued(2), queued(3)];
    for run in &runs {
        store.enqueue(run, &[], 9).await.expect("enqueue");
    }
    let next = async |except: &[RunId]| {
        store.next(except).await.expect("next").map(|next| next.status.request_id)
    };
    assert_eq!(next(&[]).await, Some(runs[0].request_id));
    assert_eq!(next(&[runs[0].request_id]).await, Some(runs[1].request_id));
    store.finish_unpublished(&after(&runs[0], RunEvent::Cancelled)).await.expect("abandon");
    let begun = after(&runs[2], RunEvent::Started);
    begin(store, &begun).await;
    assert_eq!(next(&[]).await, Some(runs[2].request_id), "what was begun comes first");
    let waiting = store.get(runs[1].request_id).await.expect("run").expect("it waits");
    assert_eq!((waiting.state, waiting.position), (RunState::Queued, Some(1)));
    store.finish_unpublished(&after(&begun, RunEvent::Cancelled)).await.expect("abandon");
    assert_eq!(next(&[]).await, Some(runs[1].request_id));
}

pub async fn the_data_has_one_name(store: &impl Store) {
    let name = store.database_id().await.expect("id");
    assert!(!name.is_empty());
    publish(store, vec![show(1)], &[]).await;
    assert_eq!(store.database_id().await.expect("id"), name);
}

pub async fn a_noted_run_is_in_the_history_and_disturbs_no_other(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.expect("stage");
    let cancelled = after(&running(), RunEvent::Cancelled);
    store.save_status(&cancelled).await.expect("note");
    assert_eq!(store.get(cancelled.request_id).await.expect("run"), Some(cancelled));
    assert_eq!(session.staged_show_count().await.expect("count"), 1);
    session.publish(&[], &[], at(4), success(&status)).await.expect("publish");
}

pub async fn history_is_newest_first(store: &impl Store) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let status = running();
        begin(store, &status).await;
        store.finish_unpublished(&after(&status, RunEvent::Cancelled)).await.expect("abandon");
        ids.insert(0, status.request_id);
    }
    let runs = store.list(2).await.expect("runs");
    assert_eq!(runs.iter().map(|run| run.request_id).collect::<Vec<_>>(), ids[..2]);
}

pub async fn a_running_run_is_interrupted_once_its_lock_is_free(store: &impl Store) {
    let status = running();
    begin(store, &status).await;
    let get = async || store.get(status.request_id).await.expect("get").expect("the run");
    assert_eq!(get().await.state, RunState::Running);
    store.release("here").await;
    let interrupted = get().await;
    assert_eq!((interrupted.state, interrupted.running), (RunState::Interrupted, false));
    assert!(interrupted.revision > status.revision && interrupted.error.is_some());
    assert_eq!(store.list(1).await.expect("list"), std::slice::from_ref(&interrupted));
    lock(store).await;
    match store.expiry() {
        LockExpiry::WithProcess => assert_eq!(get().await, status, "nothing was written"),
        // The lock was acquired again since, and its holder may be another process of the same name.
        LockExpiry::After(_) => assert_eq!(get().await, interrupted),
    }
}

pub async fn a_run_with_a_lease_alone_is_not_interrupted_by_a_free_lock(store: &impl Store) {
    let status = running();
    let ownership = Ownership { lock: false, lease: true };
    store.begin(&status, ownership).await.expect("begin");
    let stored = store.get(status.request_id).await.expect("get").expect("the run");
    assert_eq!(stored.state, RunState::Running);
}

/// A lock that ends with its process has no other holder while the process works.
pub async fn a_running_run_is_interrupted_once_another_process_has_its_lock(store: &impl Store) {
    if store.expiry() == LockExpiry::WithProcess {
        return;
    }
    let status = running();
    begin(store, &status).await;
    assert!(store.acquire("there", Some("here")).await.expect("acquire"));
    let stored = store.get(status.request_id).await.expect("get").expect("the run");
    assert_eq!(stored.state, RunState::Interrupted);
    assert_eq!(store.list(1).await.expect("list"), std::slice::from_ref(&stored));
    assert_eq!(store.next(&[]).await.expect("next").map(|next| next.status), Some(stored));
}
