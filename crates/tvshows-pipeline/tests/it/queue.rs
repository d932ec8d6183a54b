use std::time::Duration;

use tvshows_core::{FetchMode, RunId, RunParameters, RunState, RunStatus, TopLimit, Trigger};
use tvshows_pipeline::{CancelError, QUEUE_CAPACITY, SubmissionKind, SubmitError};
use tvshows_testkit::ScriptedSimulator;

use crate::harness::TestEnv;

fn parameters(top: u16) -> RunParameters {
    RunParameters { top: TopLimit::new(top).unwrap(), ..RunParameters::default() }
}

/// An environment whose runs cannot finish until the faults are cleared. Not every test gets as far as the fault.
async fn stalled() -> (ScriptedSimulator, TestEnv) {
    let simulator = ScriptedSimulator::start(&[]).await;
    simulator.set_optional_faults(&["hang@/shows?page=0"]);
    let env = TestEnv::new(&simulator.base_url()).await;
    (simulator, env)
}

async fn end_of(env: &TestEnv, run: &RunStatus) -> RunStatus {
    env.runner.wait_until_ended(run.request_id).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_same_parameters_join_and_others_wait() {
    let (_simulator, env) = stalled().await;
    let first = env.runner.submit(parameters(10), Trigger::Http).await.unwrap();
    assert_eq!(first.kind, SubmissionKind::Started);
    let joined = env.runner.submit(parameters(10), Trigger::Http).await.unwrap();
    assert_eq!(joined.kind, SubmissionKind::Joined);
    assert_eq!(joined.status.request_id, first.status.request_id);
    let other = env.runner.submit(parameters(20), Trigger::Http).await.unwrap();
    assert_eq!(other.kind, SubmissionKind::Queued { ahead: 1 });
    assert_eq!(other.status.state, RunState::Queued);
    let full = RunParameters { mode: FetchMode::Full, ..parameters(10) };
    assert_eq!(
        env.runner.submit(full, Trigger::Http).await.unwrap().kind,
        SubmissionKind::Queued { ahead: 2 }
    );
    let again = env.runner.submit(parameters(20), Trigger::Http).await.unwrap();
    assert_eq!(
        (again.kind, again.status.request_id),
        (SubmissionKind::Joined, other.status.request_id)
    );
}

#[tokio::test]
async fn runs_that_wait_are_done_in_order() {
    let (simulator, env) = stalled().await;
    let mut runs = Vec::new();
    for top in 1..=3 {
        runs.push(env.runner.submit(parameters(top), Trigger::Http).await.unwrap().status);
    }
    simulator.set_faults(&[]);
    env.runner.cancel(runs[0].request_id).await.unwrap();
    let (second, third) = (end_of(&env, &runs[1]).await, end_of(&env, &runs[2]).await);
    assert_eq!((second.state, third.state), (RunState::Succeeded, RunState::Succeeded));
    assert!(second.finished_at <= third.started_at);
    assert_eq!(env.store.top_shows(1000).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_full_queue_refuses_and_changes_nothing() {
    let (_simulator, env) = stalled().await;
    let runs = QUEUE_CAPACITY + 1;
    for top in 1..=u16::try_from(runs).unwrap() {
        env.runner.submit(parameters(top), Trigger::Http).await.unwrap();
    }
    let refused = env.runner.submit(parameters(100), Trigger::Http).await;
    assert!(matches!(refused, Err(SubmitError::QueueFull)), "{refused:?}");
    assert_eq!(
        env.runner.submit(parameters(1), Trigger::Http).await.unwrap().kind,
        SubmissionKind::Joined
    );
    assert_eq!(env.runner.runs(100).await.unwrap().len(), runs as usize);
}

#[tokio::test]
async fn a_cancelled_run_ends_and_is_not_joined() {
    let (_simulator, env) = stalled().await;
    let run = env.runner.submit(parameters(10), Trigger::Http).await.unwrap().status;
    env.runner.cancel(run.request_id).await.unwrap();
    let next = env.runner.submit(parameters(10), Trigger::Http).await.unwrap();
    assert_ne!(next.status.request_id, run.request_id);
    let ended = end_of(&env, &run).await;
    assert_eq!((ended.state, ended.running), (RunState::Cancelled, false));
    assert_eq!(env.store.get(run.request_id).await.unwrap().unwrap().state, RunState::Cancelled);
    let again = env.runner.cancel(run.request_id).await;
    assert!(matches!(again, Err(CancelError::Ended(_))), "{again:?}");
}

#[tokio::test]
async fn a_run_that_has_just_ended_is_not_joined() {
    let simulator = ScriptedSimulator::start(&["status:403@/shows?page=0"]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    for _ in 0..20 {
        let run = env.runner.submit(parameters(10), Trigger::Http).await.unwrap().status;
        end_of(&env, &run).await;
        let next = env.runner.submit(parameters(10), Trigger::Http).await.unwrap();
        assert_ne!(next.status.request_id, run.request_id);
        end_of(&env, &next.status).await;
    }
}

#[tokio::test]
async fn a_waiting_run_is_cancelled_at_once() {
    let (_simulator, env) = stalled().await;
    env.runner.submit(parameters(10), Trigger::Http).await.unwrap();
    let waiting = env.runner.submit(parameters(20), Trigger::Http).await.unwrap().status;
    env.runner.cancel(waiting.request_id).await.unwrap();
    let ended = env.runner.status(waiting.request_id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.started_at), (RunState::Cancelled, None));
    assert_eq!(env.store.get(waiting.request_id).await.unwrap(), Some(ended));
}

#[tokio::test]
async fn an_unknown_run_cannot_be_canceled() {
    let (_simulator, env) = stalled().await;
    let unknown = env.runner.cancel(RunId::random()).await;
    assert!(matches!(unknown, Err(CancelError::NotFound(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_stop_interrupts_what_runs_and_leaves_what_waits() {
    let (_simulator, env) = stalled().await;
    let running = env.runner.submit(parameters(10), Trigger::Http).await.unwrap().status;
    let waiting = env.runner.submit(parameters(20), Trigger::Http).await.unwrap().status;
    until(&env, &running, |status| status.counts.requests > 0).await;
    env.runner.shutdown().await;
    for (run, state) in [(running, RunState::Interrupted), (waiting, RunState::Queued)] {
        let stored = env.store.get(run.request_id).await.unwrap().unwrap();
        assert_eq!(stored.state, state);
    }
    let refused = env.runner.submit(parameters(30), Trigger::Http).await;
    assert!(matches!(refused, Err(SubmitError::ShuttingDown)), "{refused:?}");
}

/// Follows a run until `is_reached`.
async fn until(
    env: &TestEnv,
    run: &RunStatus,
    is_reached: impl Fn(&RunStatus) -> bool,
) -> RunStatus {
    let mut known = 0;
    loop {
        let status =
            env.runner.wait_for_change(run.request_id, known, Duration::from_mins(1)).await;
        let status = status.unwrap().unwrap();
        if is_reached(&status) {
            return status;
        }
        known = status.revision;
    }
}

#[tokio::test]
async fn a_change_is_waited_for_and_patience_ends() {
    let (_simulator, env) = stalled().await;
    let run = env.runner.submit(parameters(10), Trigger::Http).await.unwrap().status;
    let mut revision = run.revision;
    while revision < 3 {
        let status =
            env.runner.wait_for_change(run.request_id, revision, Duration::from_mins(1)).await;
        let status = status.unwrap().unwrap();
        assert!(status.revision > revision);
        revision = status.revision;
    }
    let known = u64::MAX;
    let news =
        env.runner.wait_for_change(run.request_id, known, Duration::from_mins(1)).await.unwrap();
    assert!(news.is_some(), "any other revision is news");
    // The updates map and the four pages that a concurrency of four requests while the first page hangs. After
    // those nothing changes for a while, so only the timeout ends the wait.
    let known = until(&env, &run, |status| status.counts.requests >= 5).await.revision;
    let last =
        env.runner.wait_for_change(run.request_id, known, Duration::from_millis(1)).await.unwrap();
    assert!(last.unwrap().revision >= known);
    let unknown =
        env.runner.wait_for_change(RunId::random(), 1, Duration::from_mins(1)).await.unwrap();
    assert_eq!(unknown, None);
}
