//! A store that is unavailable for a while delays a run, or interrupts it, and never fails it.

use std::time::Duration;

use tokio::time::{pause, resume, sleep, timeout};
use tvshows_core::{Catalog, FetchMode, RunId, RunQueue, RunState, RunStatus, StoreError};
use tvshows_pipeline::{CancelError, DEFAULT_MAX_AGE, Schedule};

use crate::changing_upstream::ChangingUpstream;
use crate::faulty_store::{FaultyStore, Outage, PublishFault, unreachable};
use crate::harness::TestEnv;
use crate::incremental::ids;

/// Shorter than a run waits.
const SHORT: Duration = Duration::from_secs(10);
/// Longer than a run waits.
const LONG: Duration = Duration::from_secs(90);

/// Every kind of operation in which an update can lose its store: before the first one, and after some of them.
fn outages(duration: Duration) -> impl Iterator<Item = Outage> {
    let operations = [
        ("begin", 0),
        ("staging", 0),
        ("manifest", 0),
        ("start_incremental", 0),
        ("commit", 0),
        ("commit", 2),
        ("commit", 4),
        ("commit", 8),
        ("matching_shows", 0),
        ("rank_staged", 0),
        ("rank_staged", 1),
        ("staged_show_count", 0),
        ("publish", 0),
    ];
    operations.into_iter().map(move |(operation, after)| Outage {
        operation,
        after,
        duration,
        takes_effect: false,
    })
}

/// The status of an update of changed shows with this outage, and its requests in alphabetical order.
async fn update_with(store: &FaultyStore, outage: Option<Outage>) -> (RunStatus, Vec<String>) {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::with_outages(&server.uri(), store).await;
    env.change_details("id=161,251,1251", DEFAULT_MAX_AGE).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    // Two come with their details, and a new one gets them after all shows.
    upstream.change(1251);
    // Some are fetched individually, and most with their page.
    for id in ids().skip(4) {
        upstream.change(id);
    }
    upstream.delete(541);
    upstream.take_requests();
    if let Some(outage) = outage {
        store.plan(outage);
    }
    let status = env.update().await;
    assert!(!store.is_pending(), "the outage never happened: {outage:?}");
    let mut requests = upstream.take_requests();
    requests.sort();
    assert_eq!(env.ends().len(), 2, "each is reported once");
    env.stop().await;
    (status, requests)
}

#[tokio::test]
async fn a_short_outage_in_any_operation_costs_no_request() {
    let (expected, requests) = update_with(&FaultyStore::default(), None).await;
    assert_eq!(expected.state, RunState::Succeeded);
    for outage in outages(SHORT) {
        let store = FaultyStore::default();
        let (status, asked) = update_with(&store, Some(outage)).await;
        assert_eq!(status.state, RunState::Succeeded, "{outage:?}: {:?}", status.error);
        assert_eq!((status.attempt, status.changes), (1, expected.changes), "{outage:?}");
        assert_eq!(asked, requests, "{outage:?}");
        assert_eq!(store.snapshot_version().await.unwrap().number, 2);
    }
}

#[tokio::test]
async fn a_long_outage_interrupts_a_run_that_resumes_with_what_it_has_staged() {
    let (expected, _) = update_with(&FaultyStore::default(), None).await;
    for outage in outages(LONG) {
        let store = FaultyStore::default();
        let (status, asked) = update_with(&store, Some(outage)).await;
        assert_eq!(status.state, RunState::Succeeded, "{outage:?}: {:?}", status.error);
        let attempts = if outage.operation == "begin" { 1 } else { 2 };
        assert_eq!((status.attempt, status.changes), (attempts, expected.changes), "{outage:?}");
        for path in store.staged_before_outage() {
            let count = asked.iter().filter(|asked| **asked == path).count();
            assert_eq!(count, 1, "{path} was staged: {outage:?}");
        }
        assert_eq!(store.list(9).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_write_whose_response_is_lost_takes_effect_once() {
    let (expected, requests) = update_with(&FaultyStore::default(), None).await;
    // At the end of the outage, either the publish is repeated first, or the worker reads the history first.
    let publish = (0..10).map(|tenth| {
        let duration = SHORT + Duration::from_millis(100 * tenth);
        Outage { operation: "publish", after: 0, duration, takes_effect: true }
    });
    let outages = outages(SHORT).filter(|outage| outage.operation != "begin").chain(publish);
    for outage in outages {
        let store = FaultyStore::default();
        let lost = Outage { takes_effect: true, ..outage };
        let (status, asked) = update_with(&store, Some(lost)).await;
        assert_eq!(status.state, RunState::Succeeded, "{outage:?}: {:?}", status.error);
        assert_eq!((status.attempt, status.changes), (1, expected.changes), "{outage:?}");
        assert_eq!(status.pages_done, expected.pages_done, "{outage:?}");
        assert_eq!(asked, requests, "{outage:?}");
        assert_eq!(store.snapshot_version().await.unwrap().number, 2);
        assert_eq!(store.get(status.request_id).await.unwrap().unwrap().state, RunState::Succeeded);
    }
}

#[tokio::test]
async fn a_publish_whose_response_is_lost_for_long_is_reported_later() {
    let store = FaultyStore::default();
    let outage = Outage { operation: "publish", after: 0, duration: LONG, takes_effect: true };
    let (status, _) = update_with(&store, Some(outage)).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 1));
}

#[tokio::test]
async fn an_attempt_whose_begin_got_no_response_is_followed_by_another() {
    let store = FaultyStore::default();
    let outage = Outage { operation: "begin", after: 0, duration: SHORT, takes_effect: true };
    let (status, _) = update_with(&store, Some(outage)).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 2));
}

#[tokio::test]
async fn an_outage_while_what_was_staged_is_discarded_is_waited_out() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let store = FaultyStore::default();
    let mut env = TestEnv::with_outages(&server.uri(), &store).await;
    env.update().await;
    for id in ids() {
        upstream.change(id);
    }
    upstream.stall_after(3);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    env.stop().await;
    upstream.remove_updates_map();
    upstream.resume();
    let operation = "discard_staging";
    store.plan(Outage { operation, after: 0, duration: SHORT, takes_effect: true });
    env.restart().await;
    let status = env.end_of(run).await;
    assert!(!store.is_pending());
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 2), "{:?}", status.error);
}

/// A run that waits for its store.
async fn waiting(store: &FaultyStore) -> (ChangingUpstream, wiremock::MockServer, TestEnv, RunId) {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::with_outages(&server.uri(), store).await;
    let duration = Duration::from_secs(50);
    store.plan(Outage { operation: "commit", after: 2, duration, takes_effect: false });
    let run = env.submit(FetchMode::Full).await;
    while !store.is_away() {
        tokio::task::yield_now().await;
    }
    (upstream, server, env, run)
}

#[tokio::test]
async fn a_run_that_waits_is_running_and_can_be_cancelled() {
    let store = FaultyStore::default();
    let (_upstream, _server, env, run) = waiting(&store).await;
    assert_eq!(env.runner.status(run).await.unwrap().unwrap().state, RunState::Running);
    env.runner.cancel(run).await.unwrap();
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.error), (RunState::Cancelled, None));
    assert!(store.is_away(), "it is not waited for");
    store.end_outage();
    pause();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(store.get(run).await.unwrap().unwrap().state, RunState::Cancelled);
    let again = env.runner.cancel(run).await;
    assert!(matches!(again, Err(CancelError::Ended(_))), "{again:?}");
}

#[tokio::test]
async fn a_waiting_run_stops_with_its_process_and_resumes_in_the_next() {
    let store = FaultyStore::default();
    let (_upstream, _server, mut env, run) = waiting(&store).await;
    env.stop().await;
    assert!(store.is_away(), "it is not waited for");
    store.end_outage();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 2), "{:?}", status.error);
}

/// An environment whose next update publishes, and then fails.
async fn with_publish_fault(
    store: &FaultyStore,
    fault: PublishFault,
) -> (ChangingUpstream, wiremock::MockServer, TestEnv) {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::with_outages(&server.uri(), store).await;
    store.plan_publish(fault);
    (upstream, server, env)
}

#[tokio::test]
async fn a_run_that_was_published_has_succeeded_whatever_the_store_answered() {
    let store = FaultyStore::default();
    let fault = PublishFault { instance: None, error: || StoreError::ReadOnly };
    let (_upstream, _server, env) = with_publish_fault(&store, fault).await;
    let status = env.update().await;
    assert_eq!((status.state, status.error), (RunState::Succeeded, None));
    env.stop().await;
    assert_eq!(env.ends(), [RunState::Succeeded]);
    assert_eq!(store.snapshot_version().await.unwrap().number, 1);
}

#[tokio::test]
async fn the_end_of_a_run_that_may_be_published_is_what_the_history_says_later() {
    // The end is waited for, or read later.
    for duration in [SHORT, LONG] {
        let store = FaultyStore::default();
        let fault = PublishFault { instance: None, error: || StoreError::ReadOnly };
        let (_upstream, _server, env) = with_publish_fault(&store, fault).await;
        let operation = "finish_unpublished";
        store.plan(Outage { operation, after: 0, duration, takes_effect: false });
        let status = env.update().await;
        assert_eq!((status.state, status.attempt), (RunState::Succeeded, 1), "{:?}", status.error);
        pause();
        sleep(Duration::from_secs(6)).await;
        assert_eq!(env.ends(), [RunState::Succeeded]);
        resume();
    }
}

#[tokio::test]
async fn a_final_write_that_succeeds_later_does_not_replace_another_end() {
    let store = FaultyStore::default();
    let fault = PublishFault { instance: None, error: || StoreError::ReadOnly };
    let (_upstream, _server, env) = with_publish_fault(&store, fault).await;
    store.fail("finish_unpublished", || StoreError::ReadOnly);
    let run = env.submit(FetchMode::Auto).await;
    assert_eq!(env.end_of(run).await.state, RunState::Failed, "as far as is known");
    pause();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(env.ends(), []);
    store.recover();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(env.ends(), [RunState::Succeeded]);
    assert_eq!(env.end_of(run).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn an_end_by_another_process_is_not_reported() {
    let store = FaultyStore::default();
    let fault = PublishFault { instance: Some("other"), error: || StoreError::Fenced };
    let (_upstream, _server, env) = with_publish_fault(&store, fault).await;
    let status = env.update().await;
    assert_eq!((status.state, status.instance.as_str()), (RunState::Succeeded, "other"));
    pause();
    sleep(Duration::from_secs(6)).await;
    assert_eq!(env.ends(), []);
}

#[tokio::test]
async fn an_operation_that_never_succeeds_ends_the_run_after_three_attempts() {
    let (_upstream, server) = ChangingUpstream::start(ids()).await;
    let store = FaultyStore::default();
    let env = TestEnv::with_outages(&server.uri(), &store).await;
    store.fail("staging", unreachable);
    let run = env.submit(FetchMode::Full).await;
    pause();
    let status = timeout(Duration::from_hours(1), env.end_of(run)).await.expect("an end");
    assert_eq!((status.state, status.attempt), (RunState::Failed, 3));
    assert!(status.error.unwrap().contains("3 times in a row"));
}

#[tokio::test]
async fn a_database_that_another_program_locks_for_long_fails_no_run() {
    let (_upstream, server) = ChangingUpstream::start(ids()).await;
    let store = FaultyStore::default();
    let env = TestEnv::with_outages(&server.uri(), &store).await;
    store.fail("staging", || StoreError::DatabaseBusy);
    let run = env.submit(FetchMode::Full).await;
    pause();
    assert!(timeout(Duration::from_mins(20), env.end_of(run)).await.is_err());
    assert!(store.get(run).await.unwrap().unwrap().attempt > 3);
    store.recover();
    resume();
    assert_eq!(env.end_of(run).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn an_outage_does_not_end_the_subscription_to_a_run_of_another_process() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let store = FaultyStore::default();
    let env = TestEnv::with_outages(&server.uri(), &store).await;
    upstream.stall_after(3);
    let run = env.submit(FetchMode::Full).await;
    upstream.stalled().await;
    let reader = env.reader().await;
    assert_eq!(reader.status(run).await.unwrap().unwrap().state, RunState::Running);
    let subscriber = {
        let reader = reader.clone();
        tokio::spawn(async move { reader.wait_until_ended(run).await })
    };
    store.plan(Outage { operation: "get", after: 0, duration: SHORT, takes_effect: false });
    while store.is_pending() {
        tokio::task::yield_now().await;
    }
    while store.is_away() {
        sleep(Duration::from_millis(100)).await;
    }
    env.runner.cancel(run).await.unwrap();
    let end = subscriber.await.unwrap().expect("the subscription continues").unwrap();
    assert_eq!(end.state, RunState::Cancelled);
    reader.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_process_without_work_polls_the_queue_every_two_seconds_and_never_the_lock() {
    let store = FaultyStore::default();
    let env = TestEnv::with_outages("http://localhost:9", &store).await;
    env.runner.schedule(Schedule::cron("0 0 1 1 *").unwrap()).await;
    let before = store.operations();
    sleep(Duration::from_mins(1)).await;
    let after = store.operations();
    assert!(after.0 - before.0 <= 32, "{before:?} {after:?}");
    assert_eq!(after.1, 0);
}
