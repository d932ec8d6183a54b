use std::time::Duration;

use tvshows_core::{FetchMode, RunId, RunParameters, RunState, RunStatus, TopLimit};
use tvshows_pipeline::{CancelError, QUEUE_LENGTH, SubmissionKind, SubmitError};

use crate::world::{World, behaviour, simulator};

fn parameters(top: u16) -> RunParameters {
    RunParameters { top: TopLimit::new(top).unwrap(), ..RunParameters::default() }
}

/// A world whose runs stay in the fetching of pages until the faults are lifted.
async fn stuck() -> (tvmaze_sim::Simulator, World) {
    let simulator = simulator(&["hang@/shows?page=0"]).await;
    let world = World::new(&simulator.base_url()).await;
    (simulator, world)
}

async fn end_of(world: &World, run: &RunStatus) -> RunStatus {
    world.runner.end_of(run.request_id).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_same_parameters_join_and_others_wait() {
    let (_simulator, world) = stuck().await;
    let first = world.runner.submit(parameters(10)).await.unwrap();
    assert_eq!(first.kind, SubmissionKind::Started);
    let joined = world.runner.submit(parameters(10)).await.unwrap();
    assert_eq!(joined.kind, SubmissionKind::Joined);
    assert_eq!(joined.status.request_id, first.status.request_id);
    let other = world.runner.submit(parameters(20)).await.unwrap();
    assert_eq!(other.kind, SubmissionKind::Queued { ahead: 1 });
    assert_eq!(other.status.state, RunState::Queued);
    let full = RunParameters { mode: FetchMode::Full, ..parameters(10) };
    assert_eq!(world.runner.submit(full).await.unwrap().kind, SubmissionKind::Queued { ahead: 2 });
    let again = world.runner.submit(parameters(20)).await.unwrap();
    assert_eq!(
        (again.kind, again.status.request_id),
        (SubmissionKind::Joined, other.status.request_id)
    );
}

#[tokio::test]
async fn runs_that_wait_are_done_in_order() {
    let (simulator, world) = stuck().await;
    let mut runs = Vec::new();
    for top in 1..=3 {
        runs.push(world.runner.submit(parameters(top)).await.unwrap().status);
    }
    simulator.set_behaviour(behaviour(&[]));
    world.runner.cancel(runs[0].request_id).await.unwrap();
    let (second, third) = (end_of(&world, &runs[1]).await, end_of(&world, &runs[2]).await);
    assert_eq!((second.state, third.state), (RunState::Succeeded, RunState::Succeeded));
    assert!(second.finished_at <= third.started_at);
    assert_eq!(world.store.top_shows(1000).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_full_queue_refuses_and_changes_nothing() {
    let (_simulator, world) = stuck().await;
    let runs = QUEUE_LENGTH + 1;
    for top in 1..=u16::try_from(runs).unwrap() {
        world.runner.submit(parameters(top)).await.unwrap();
    }
    let refused = world.runner.submit(parameters(100)).await;
    assert!(matches!(refused, Err(SubmitError::QueueFull)), "{refused:?}");
    assert_eq!(world.runner.submit(parameters(1)).await.unwrap().kind, SubmissionKind::Joined);
    assert_eq!(world.runner.runs(100).await.unwrap().len(), runs as usize);
}

#[tokio::test]
async fn a_cancelled_run_ends_and_is_not_joined() {
    let (_simulator, world) = stuck().await;
    let run = world.runner.submit(parameters(10)).await.unwrap().status;
    world.runner.cancel(run.request_id).await.unwrap();
    let next = world.runner.submit(parameters(10)).await.unwrap();
    assert_ne!(next.status.request_id, run.request_id);
    let ended = end_of(&world, &run).await;
    assert_eq!((ended.state, ended.running), (RunState::Cancelled, false));
    assert_eq!(world.store.run(run.request_id).await.unwrap().unwrap().state, RunState::Cancelled);
    let again = world.runner.cancel(run.request_id).await;
    assert!(matches!(again, Err(CancelError::Ended(_))), "{again:?}");
}

#[tokio::test]
async fn a_run_that_has_just_ended_is_not_joined() {
    let simulator = simulator(&["status:403@/shows?page=0"]).await;
    let world = World::new(&simulator.base_url()).await;
    for _ in 0..20 {
        let run = world.runner.submit(parameters(10)).await.unwrap().status;
        end_of(&world, &run).await;
        let next = world.runner.submit(parameters(10)).await.unwrap();
        assert_ne!(next.status.request_id, run.request_id);
        end_of(&world, &next.status).await;
    }
}

#[tokio::test]
async fn a_waiting_run_is_cancelled_at_once() {
    let (_simulator, world) = stuck().await;
    world.runner.submit(parameters(10)).await.unwrap();
    let waiting = world.runner.submit(parameters(20)).await.unwrap().status;
    world.runner.cancel(waiting.request_id).await.unwrap();
    let ended = world.runner.status(waiting.request_id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.started_at), (RunState::Cancelled, None));
    assert_eq!(world.store.run(waiting.request_id).await.unwrap(), Some(ended));
}

#[tokio::test]
async fn a_run_that_nobody_knows_cannot_be_cancelled() {
    let (_simulator, world) = stuck().await;
    let unknown = world.runner.cancel(RunId::random()).await;
    assert!(matches!(unknown, Err(CancelError::NotFound(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_stop_interrupts_what_runs_and_leaves_what_waits() {
    let (_simulator, world) = stuck().await;
    let running = world.runner.submit(parameters(10)).await.unwrap().status;
    let waiting = world.runner.submit(parameters(20)).await.unwrap().status;
    until(&world, &running, |status| status.requests > 0).await;
    world.runner.shutdown().await;
    for (run, state) in [(running, RunState::Interrupted), (waiting, RunState::Queued)] {
        let stored = world.store.run(run.request_id).await.unwrap().unwrap();
        assert_eq!(stored.state, state);
    }
    let refused = world.runner.submit(parameters(30)).await;
    assert!(matches!(refused, Err(SubmitError::Stopping)), "{refused:?}");
}

/// Follows a run until `is_reached`.
async fn until(
    world: &World,
    run: &RunStatus,
    is_reached: impl Fn(&RunStatus) -> bool,
) -> RunStatus {
    let mut known = 0;
    loop {
        let status = world.runner.changed(run.request_id, known, Duration::from_mins(1)).await;
        let status = status.unwrap().unwrap();
        if is_reached(&status) {
            return status;
        }
        known = status.revision;
    }
}

#[tokio::test]
async fn a_change_is_waited_for_and_patience_ends() {
    let (_simulator, world) = stuck().await;
    let run = world.runner.submit(parameters(10)).await.unwrap().status;
    let mut revision = run.revision;
    while revision < 3 {
        let status = world.runner.changed(run.request_id, revision, Duration::from_mins(1)).await;
        let status = status.unwrap().unwrap();
        assert!(status.revision > revision);
        revision = status.revision;
    }
    let known = u64::MAX;
    let news = world.runner.changed(run.request_id, known, Duration::from_mins(1)).await.unwrap();
    assert!(news.is_some(), "any other revision is news");
    // The map, and the four pages that a concurrency of four asks for while the first one hangs: then
    // nothing more comes for a while, and only the end of the patience answers.
    let known = until(&world, &run, |status| status.requests >= 5).await.revision;
    let last = world.runner.changed(run.request_id, known, Duration::from_millis(1)).await.unwrap();
    assert!(last.unwrap().revision >= known);
    let unknown = world.runner.changed(RunId::random(), 1, Duration::from_mins(1)).await.unwrap();
    assert_eq!(unknown, None);
}
