//! An interrupted run resumes, and ends as if it had not been interrupted.

use proptest::prelude::*;
use tvshows_core::{FetchMode, RunState, RunStatus};
use tvshows_testkit::ScriptedSimulator;

use crate::changing_upstream::ChangingUpstream;
use crate::harness::TestEnv;
use crate::incremental::{Move, apply, expected_content, ids, moves};

/// The index pages requested since the last call, with repetitions.
fn pages(upstream: &ChangingUpstream) -> Vec<u32> {
    let page = |path: &String| path.strip_prefix("/shows?page=")?.parse().ok();
    upstream.take_requests().iter().filter_map(page).collect()
}

/// Interrupts a run after some responses unless it needs no more, does `meanwhile`, and resumes the run in another
/// process. Checks that no staged page is requested again.
async fn interrupted(
    upstream: &ChangingUpstream,
    env: &mut TestEnv,
    mode: FetchMode,
    answers: usize,
    meanwhile: impl FnOnce(),
) -> RunStatus {
    upstream.stall_after(answers);
    let run = env.submit(mode).await;
    tokio::select! {
        () = upstream.stalled() => {}
        status = env.runner.wait_until_ended(run) => {
            upstream.withdraw_stall();
            meanwhile();
            return status.unwrap().unwrap();
        }
    }
    env.stop().await;
    let before = env.store.get(run).await.unwrap().unwrap();
    assert_eq!((before.state, before.running), (RunState::Interrupted, false));
    let staged = env.staging(run).await.pages;
    upstream.take_requests();
    meanwhile();
    upstream.resume();
    env.restart().await;
    let after = env.end_of(run).await;
    assert_eq!(after.attempt, 2);
    assert!(after.progress >= before.progress && after.revision > before.revision);
    assert!(
        after.counts.requests > before.counts.requests && after.started_at == before.started_at
    );
    for page in pages(upstream) {
        assert!(!staged.contains_key(&page), "page {page} was staged before the interruption");
    }
    after
}

#[tokio::test]
async fn a_full_run_resumes_under_its_id_from_its_checkpoint() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    let status = interrupted(&upstream, &mut env, FetchMode::Full, 4, || {}).await;
    assert_eq!((status.state, status.pages_done), (RunState::Succeeded, 5));
    assert_eq!((status.changes.added, status.shows_seen, status.progress), (30, 30, 100));
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn what_changed_while_nobody_worked_is_fetched_again() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    let meanwhile = || {
        // On the first page, which is staged, one show changes, one is deleted, and one is added.
        upstream.change(1);
        upstream.delete(41);
        upstream.change(2);
    };
    let status = interrupted(&upstream, &mut env, FetchMode::Full, 5, meanwhile).await;
    assert_eq!((status.state, status.changes.added), (RunState::Succeeded, 30));
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn without_a_map_the_404_at_the_end_still_tells() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    upstream.remove_updates_map();
    let status = interrupted(&upstream, &mut env, FetchMode::Full, 4, || {}).await;
    assert_eq!(
        (status.state, status.changes.added),
        (RunState::Succeeded, 30),
        "{:?}",
        status.error
    );
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn an_incremental_run_that_loses_the_map_starts_over() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    env.update().await;
    for id in ids() {
        upstream.change(id);
    }
    upstream.stall_after(3);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    env.stop().await;
    assert!(env.staging(run).await.is_incremental);
    upstream.remove_updates_map();
    upstream.resume();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!(
        (status.state, status.changes.changed),
        (RunState::Succeeded, 30),
        "{:?}",
        status.error
    );
    assert_eq!((status.pages_done, status.pages_total), (5, Some(5)));
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn a_cast_that_is_staged_is_not_fetched_again() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    // The updates map, five pages, the end of the index and four of ten casts; four more are in flight.
    let status = interrupted(&upstream, &mut env, FetchMode::Full, 11, || {}).await;
    assert_eq!((status.casts_done, status.casts_total), (10, Some(10)));
    assert_eq!(status.state, RunState::Succeeded);
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn a_run_that_resumes_in_vain_fails() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    upstream.hold("/shows?page=2");
    let run = env.submit(FetchMode::Full).await;
    while env.store.get(run).await.unwrap().unwrap().pages_done < 4 {}
    env.stop().await;
    // As if three processes had died before they could stage anything.
    let died = "UPDATE _Staged_Run SET stalled_resumes = 3";
    env.connection().execute(died, []).unwrap();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Failed, 1));
    let error = status.error.unwrap();
    assert!(error.contains("3 times in a row") && error.contains("`--mode full`"), "{error}");
    assert_eq!(env.tables().await, "");
    upstream.resume();
    assert_eq!(env.update_fully().await.state, RunState::Succeeded);
}

#[tokio::test]
async fn attempts_that_are_stopped_before_they_stage_anything_are_not_in_vain() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let other = TestEnv::on_disk(&server.uri()).await;
    other.update().await;
    let best = other.store.top_shows(1).await.unwrap()[0].id;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    upstream.hold(&format!("/shows/{best}/cast"));
    let run = env.submit(FetchMode::Full).await;
    while env.store.get(run).await.unwrap().unwrap().casts_done < 9 {}
    for _ in 0..5 {
        env.stop().await;
        upstream.take_requests();
        env.restart().await;
        // The end of the index is requested again: a response, but nothing to stage.
        let mut asked = Vec::new();
        while !asked.contains(&"/shows?page=5".to_owned()) {
            tokio::task::yield_now().await;
            asked.extend(upstream.take_requests());
        }
        while env.store.get(run).await.unwrap().unwrap().state != RunState::Running {}
    }
    env.stop().await;
    let next = env.store.next(&[]).await.unwrap().unwrap();
    assert_eq!((next.status.request_id, next.stalled_attempts), (run, 0));
    upstream.resume();
    env.restart().await;
    assert_eq!(env.end_of(run).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_slow_response_does_not_delay_staging_others() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    upstream.hold("/shows?page=0");
    let run = env.submit(FetchMode::Full).await;
    while env.store.get(run).await.unwrap().unwrap().pages_done < 4 {}
    for attempt in 2..=5 {
        env.stop().await;
        env.restart().await;
        while env.store.get(run).await.unwrap().unwrap().attempt < attempt {}
    }
    env.stop().await;
    upstream.resume();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 6), "{:?}", status.error);
    let asked = pages(&upstream);
    assert_eq!(asked.iter().filter(|page| (1..5).contains(*page)).count(), 4, "each once");
}

#[tokio::test]
async fn an_interrupted_run_that_cannot_reach_tvmaze_retries_but_not_forever() {
    let simulator = ScriptedSimulator::start(&["hang@/shows?page=5"]).await;
    let mut env = TestEnv::on_disk(&simulator.base_url()).await;
    let run = env.submit(FetchMode::Full).await;
    while env.store.get(run).await.unwrap().unwrap().pages_done < 5 {}
    env.stop().await;
    simulator.stop().await;
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Failed, 4));
    let error = status.error.unwrap();
    assert!(error.contains("TVmaze"), "{error}");
}

#[tokio::test]
async fn the_runs_that_waited_go_on_after_the_one_that_was_interrupted() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let mut env = TestEnv::on_disk(&server.uri()).await;
    upstream.stall_after(3);
    let (first, second) = (env.submit(FetchMode::Full).await, env.submit(FetchMode::Auto).await);
    upstream.stalled().await;
    env.stop().await;
    upstream.resume();
    env.restart().await;
    assert_eq!(env.submit(FetchMode::Full).await, first, "it is joined while it is unfinished");
    let (first, second) = (env.end_of(first).await, env.end_of(second).await);
    assert_eq!((first.state, second.state), (RunState::Succeeded, RunState::Succeeded));
    assert!(first.finished_at <= second.started_at);
    assert_eq!((first.changes.added, second.changes.added, second.changes.unchanged), (30, 0, 30));
}

#[tokio::test]
async fn an_interrupted_run_can_be_cancelled() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::on_disk(&server.uri()).await;
    upstream.stall_after(3);
    let run = env.submit(FetchMode::Full).await;
    upstream.stalled().await;
    env.stop().await;
    env.runner.cancel(run).await.unwrap();
    assert_eq!(env.store.get(run).await.unwrap().unwrap().state, RunState::Cancelled);
    assert_eq!(env.store.next(&[]).await.unwrap(), None);
    let staged = "SELECT count(*) FROM _Staged_Shows";
    let staged: u32 = env.connection().query_row(staged, [], |row| row.get(0)).unwrap();
    assert_eq!(staged, 0, "nothing stays staged");
}

#[tokio::test]
async fn another_process_continues_a_run_whose_process_is_stopped() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::on_disk(&server.uri()).await;
    upstream.stall_after(3);
    let run = env.submit(FetchMode::Full).await;
    upstream.stalled().await;
    let other = env.other().await;
    let seen = other.status(run).await.unwrap().unwrap();
    assert_eq!((seen.state, seen.instance.as_str()), (RunState::Running, "test"));
    upstream.resume();
    env.stop().await;
    let status = other.wait_until_ended(run).await.unwrap().unwrap();
    assert_eq!((status.state, status.instance.as_str()), (RunState::Succeeded, "other"));
    assert_eq!(env.runner.status(run).await.unwrap(), Some(status));
    other.shutdown().await;
}

/// What happens before a run, whether it is a full one, and perhaps after how many responses it is interrupted and
/// what happens then.
type Episode = (Vec<Move>, bool, Option<(usize, Vec<Move>)>);

fn episodes() -> impl Strategy<Value = Vec<Episode>> {
    let interruption = prop::option::weighted(0.8, (0_usize..24, moves()));
    prop::collection::vec((moves(), any::<bool>(), interruption), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Wherever a run is interrupted and whatever happens meanwhile, it ends with exactly the rows of a full one.
    #[test]
    fn an_interrupted_run_ends_as_a_full_one_would(history in episodes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (upstream, server) = ChangingUpstream::start(ids()).await;
            let mut env = TestEnv::on_disk(&server.uri()).await;
            for (before, is_full, interruption) in &history {
                let all = |moves: &[Move]| moves.iter().for_each(|each| apply(&upstream, each));
                all(before);
                let mode = if *is_full { FetchMode::Full } else { FetchMode::Auto };
                let status = match interruption {
                    None => {
                        let run = env.submit(mode).await;
                        env.end_of(run).await
                    }
                    Some((answers, meanwhile)) => {
                        let mut ended_before = false;
                        let status = interrupted(&upstream, &mut env, mode, *answers, || {
                            all(meanwhile);
                            ended_before = true;
                        })
                        .await;
                        assert!(ended_before);
                        if status.attempt == 1 {
                            // It ended before it could be interrupted, so what happened since is missing.
                            env.update_fully().await
                        } else {
                            status
                        }
                    }
                };
                assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
                assert_eq!(env.content().await, expected_content(&server.uri()).await);
            }
        });
    }
}
