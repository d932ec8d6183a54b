//! A run that was interrupted goes on, and ends as if it had not been.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tvshows_core::{FetchMode, RunState, RunStatus};

use crate::incremental::{Move, apply, ids, moves, truth};
use crate::moving::Moving;
use crate::world::World;

/// The index pages asked for since the last call, each as often as it was.
fn pages(moving: &Moving) -> Vec<u32> {
    let page = |path: &String| path.strip_prefix("/shows?page=")?.parse().ok();
    moving.requests().iter().filter_map(page).collect()
}

async fn staged_pages(world: &World) -> BTreeSet<u32> {
    world.store.staged().await.map(|staged| staged.pages.into_keys().collect()).unwrap_or_default()
}

/// Interrupts a run after so many answers, if it asks for more; does `meanwhile`, and lets the run go on in
/// another process. Checks that no staged page is asked for again.
async fn interrupted(
    moving: &Moving,
    world: &mut World,
    mode: FetchMode,
    answers: usize,
    meanwhile: impl FnOnce(),
) -> RunStatus {
    moving.stall_after(answers);
    let run = world.submit(mode).await;
    tokio::select! {
        () = moving.stalled() => {}
        status = world.runner.end_of(run) => {
            moving.stall_after(usize::MAX);
            meanwhile();
            return status.unwrap().unwrap();
        }
    }
    world.stop().await;
    let before = world.store.run(run).await.unwrap().unwrap();
    assert_eq!((before.state, before.running), (RunState::Interrupted, false));
    let staged = staged_pages(world).await;
    moving.requests();
    meanwhile();
    moving.stall_after(usize::MAX);
    world.restart().await;
    let after = world.end_of(run).await;
    assert_eq!(after.attempt, 2);
    assert!(after.progress >= before.progress && after.revision > before.revision);
    assert!(after.requests > before.requests && after.started_at == before.started_at);
    for page in pages(moving) {
        assert!(!staged.contains(&page), "page {page} was staged before the interruption");
    }
    after
}

#[tokio::test]
async fn a_full_run_goes_on_under_its_id_where_it_was() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    let status = interrupted(&moving, &mut world, FetchMode::Full, 4, || {}).await;
    assert_eq!((status.state, status.pages_done), (RunState::Succeeded, 5));
    assert_eq!((status.added, status.shows_seen, status.progress), (30, 30, 100));
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn what_changed_while_nobody_worked_is_fetched_again() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    let meanwhile = || {
        // Of the first page, which is staged: one changes, one goes, and one comes.
        moving.change(1);
        moving.delete(41);
        moving.change(2);
    };
    let status = interrupted(&moving, &mut world, FetchMode::Full, 5, meanwhile).await;
    assert_eq!((status.state, status.added), (RunState::Succeeded, 30));
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn without_a_map_the_404_at_the_end_still_tells() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    moving.lose_the_map();
    let status = interrupted(&moving, &mut world, FetchMode::Full, 4, || {}).await;
    assert_eq!((status.state, status.added), (RunState::Succeeded, 30), "{:?}", status.error);
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn an_incremental_run_that_loses_the_map_begins_anew() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    world.update().await;
    for id in ids() {
        moving.change(id);
    }
    moving.stall_after(3);
    let run = world.submit(FetchMode::Auto).await;
    moving.stalled().await;
    world.stop().await;
    assert!(world.store.staged().await.unwrap().keeps_published);
    moving.lose_the_map();
    moving.stall_after(usize::MAX);
    world.restart().await;
    let status = world.end_of(run).await;
    assert_eq!((status.state, status.changed), (RunState::Succeeded, 30), "{:?}", status.error);
    assert_eq!((status.pages_done, status.pages_total), (5, Some(5)));
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn a_cast_that_is_staged_is_not_asked_for_again() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    // The map, five pages, the end, four of ten casts; four more are under way.
    let status = interrupted(&moving, &mut world, FetchMode::Full, 11, || {}).await;
    assert_eq!((status.casts_done, status.casts_total), (10, Some(10)));
    assert_eq!(status.state, RunState::Succeeded);
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn a_run_that_goes_on_in_vain_ends_as_failed() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    moving.hold("/shows?page=2");
    let run = world.submit(FetchMode::Full).await;
    while world.store.run(run).await.unwrap().unwrap().pages_done < 4 {}
    world.stop().await;
    // As if three processes had died of what TVmaze answered, before they could stage it.
    world.sql("UPDATE _Staged_Run SET stalled_resumes = 3");
    world.restart().await;
    let status = world.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Failed, 2));
    assert!(status.error.unwrap().contains("3 times in a row"));
    assert_eq!(world.tables(), "");
    moving.hold("nothing");
    assert_eq!(world.update_fully().await.state, RunState::Succeeded);
}

#[tokio::test]
async fn attempts_that_find_nothing_to_stage_are_not_in_vain() {
    let (moving, server) = Moving::start(ids()).await;
    let other = World::new(&server.uri()).await;
    other.update().await;
    let best = other.store.top_shows(1).await.unwrap()[0].id;
    let mut world = World::new(&server.uri()).await;
    moving.hold(&format!("/shows/{best}/cast"));
    let run = world.submit(FetchMode::Full).await;
    while world.store.run(run).await.unwrap().unwrap().casts_done < 9 {}
    for _ in 0..5 {
        world.stop().await;
        moving.requests();
        world.restart().await;
        // The end of the index is asked for again: an answer, but nothing to stage.
        let mut asked = Vec::new();
        while !asked.contains(&"/shows?page=5".to_owned()) {
            tokio::task::yield_now().await;
            asked.extend(moving.requests());
        }
        while world.store.run(run).await.unwrap().unwrap().state != RunState::Running {}
    }
    world.stop().await;
    assert_eq!(world.store.staged().await.unwrap().idle_resumes, 0);
    moving.hold("nothing");
    world.restart().await;
    assert_eq!(world.end_of(run).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn what_is_slow_keeps_nothing_else_from_being_staged() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    moving.hold("/shows?page=0");
    let run = world.submit(FetchMode::Full).await;
    while world.store.run(run).await.unwrap().unwrap().pages_done < 4 {}
    for attempt in 2..=5 {
        world.stop().await;
        world.restart().await;
        while world.store.run(run).await.unwrap().unwrap().attempt < attempt {}
    }
    world.stop().await;
    moving.hold("nothing");
    world.restart().await;
    let status = world.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 6), "{:?}", status.error);
    let asked = pages(&moving);
    assert_eq!(asked.iter().filter(|page| (1..5).contains(*page)).count(), 4, "each once");
}

#[tokio::test]
async fn an_interrupted_run_that_finds_tvmaze_away_tries_again_and_not_for_ever() {
    let simulator = crate::world::simulator(&["hang@/shows?page=5"]).await;
    let mut world = World::new(&simulator.base_url()).await;
    let run = world.submit(FetchMode::Full).await;
    while world.store.run(run).await.unwrap().unwrap().pages_done < 5 {}
    world.stop().await;
    simulator.stop().await;
    world.restart().await;
    let status = world.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Failed, 4));
    let error = status.error.unwrap();
    assert!(error.starts_with("TVmaze cannot be reached"), "{error}");
}

#[tokio::test]
async fn the_runs_that_waited_go_on_after_the_one_that_was_interrupted() {
    let (moving, server) = Moving::start(ids()).await;
    let mut world = World::new(&server.uri()).await;
    moving.stall_after(3);
    let (first, second) =
        (world.submit(FetchMode::Full).await, world.submit(FetchMode::Auto).await);
    moving.stalled().await;
    world.stop().await;
    moving.stall_after(usize::MAX);
    world.restart().await;
    assert_eq!(world.submit(FetchMode::Full).await, first, "it is joined while it is unfinished");
    let (first, second) = (world.end_of(first).await, world.end_of(second).await);
    assert_eq!((first.state, second.state), (RunState::Succeeded, RunState::Succeeded));
    assert!(first.finished_at <= second.started_at);
    assert_eq!((first.added, second.added, second.unchanged), (30, 0, 30));
}

#[tokio::test]
async fn an_interrupted_run_can_be_cancelled() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    moving.stall_after(3);
    let run = world.submit(FetchMode::Full).await;
    moving.stalled().await;
    world.stop().await;
    world.runner.cancel(run).await.unwrap();
    assert_eq!(world.store.run(run).await.unwrap().unwrap().state, RunState::Cancelled);
    assert_eq!(world.store.next_run(&[]).await.unwrap(), None);
    assert_eq!(world.store.snapshot_size().await.unwrap(), 0, "nothing stays staged");
}

#[tokio::test]
async fn another_process_goes_on_with_a_run_whose_process_is_stopped() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    moving.stall_after(3);
    let run = world.submit(FetchMode::Full).await;
    moving.stalled().await;
    let other = world.other().await;
    let seen = other.status(run).await.unwrap().unwrap();
    assert_eq!((seen.state, seen.instance.as_str()), (RunState::Running, "test"));
    moving.stall_after(usize::MAX);
    world.stop().await;
    let status = other.end_of(run).await.unwrap().unwrap();
    assert_eq!((status.state, status.instance.as_str()), (RunState::Succeeded, "other"));
    assert_eq!(world.runner.status(run).await.unwrap(), Some(status));
    other.shutdown().await;
}

/// A run, what happens before it, and perhaps its interruption after so many answers and what happens then.
type Episode = (Vec<Move>, bool, Option<(usize, Vec<Move>)>);

fn episodes() -> impl Strategy<Value = Vec<Episode>> {
    let interruption = prop::option::weighted(0.8, (0_usize..24, moves()));
    prop::collection::vec((moves(), any::<bool>(), interruption), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Wherever a run is interrupted and whatever happens meanwhile, it ends row for row as a full one.
    #[test]
    fn an_interrupted_run_ends_as_a_full_one_would(history in episodes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (moving, server) = Moving::start(ids()).await;
            let mut world = World::new(&server.uri()).await;
            for (before, is_full, interruption) in &history {
                let all = |moves: &[Move]| moves.iter().for_each(|each| apply(&moving, each));
                all(before);
                let mode = if *is_full { FetchMode::Full } else { FetchMode::Auto };
                let status = match interruption {
                    None => {
                        let run = world.submit(mode).await;
                        world.end_of(run).await
                    }
                    Some((answers, meanwhile)) => {
                        let mut ended_before = false;
                        let status = interrupted(&moving, &mut world, mode, *answers, || {
                            all(meanwhile);
                            ended_before = true;
                        })
                        .await;
                        assert!(ended_before);
                        if status.attempt == 1 {
                            // It was over before it could be interrupted, and what came after is news.
                            world.update_fully().await
                        } else {
                            status
                        }
                    }
                };
                assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
                assert_eq!(world.content(), truth(&server.uri()).await);
            }
        });
    }
}
