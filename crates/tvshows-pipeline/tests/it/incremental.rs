//! After the first run, an update costs what changed and ends as a full run would.

use std::time::Duration;

use proptest::prelude::*;
use tvshows_core::{RunState, RunStatus};

use crate::moving::Moving;
use crate::world::World;

/// Five pages of six shows each.
pub(crate) fn ids() -> impl Iterator<Item = u32> {
    (0..5).flat_map(|page| (0..6).map(move |show| 250 * page + 40 * show + 1))
}

fn counts(status: &RunStatus) -> (u32, u32, u32, u32) {
    assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
    (status.added, status.changed, status.deleted, status.unchanged)
}

/// What a full run into an empty store makes of the upstream.
pub(crate) async fn truth(base_url: &str) -> String {
    let world = World::new(base_url).await;
    assert_eq!(world.update_fully().await.state, RunState::Succeeded);
    world.content()
}

#[tokio::test]
async fn a_run_without_news_asks_once_and_succeeds() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    assert_eq!(counts(&world.update().await), (30, 0, 0, 0));
    let before = world.tables();
    moving.requests();
    let status = world.update().await;
    assert_eq!(counts(&status), (0, 0, 0, 30));
    assert_eq!((status.requests, status.shows_seen, status.progress), (1, 30, 100));
    assert_eq!(moving.requests(), ["/updates/shows"]);
    let shows = |tables: &str| tables.lines().take(30).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(shows(&world.tables()), shows(&before), "not even the times moved");
}

#[tokio::test]
async fn few_changes_are_fetched_alone_and_many_with_their_page() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    world.update().await;
    moving.requests();
    for id in [1, 41, 291, 331, 371, 1251] {
        moving.change(id);
    }
    moving.delete(541);
    let status = world.update().await;
    assert_eq!(counts(&status), (1, 5, 1, 24));
    let mut asked = moving.requests();
    asked.retain(|path| !path.ends_with("/cast"));
    asked.sort();
    assert_eq!(
        asked,
        ["/shows/1", "/shows/41", "/shows?page=1", "/shows?page=5", "/updates/shows"]
    );
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn what_is_still_old_on_its_cached_page_is_fetched_alone() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    world.update().await;
    moving.change(251);
    moving.change(291);
    moving.keep(1);
    for id in [291, 331, 371, 411] {
        moving.change(id);
    }
    moving.requests();
    world.update().await;
    let mut asked = moving.requests();
    asked.retain(|path| !path.ends_with("/cast"));
    asked.sort();
    let alone = ["/shows/291", "/shows/331", "/shows/371", "/shows/411"];
    assert_eq!(asked[..4], alone);
    assert_eq!(asked[4..], ["/shows?page=1", "/updates/shows"]);
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn a_cast_is_fetched_again_when_its_show_changed_or_entered_the_top() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::new(&server.uri()).await;
    world.update().await;
    let best = world.store.top_shows(10).await.unwrap();
    moving.requests();
    moving.change(best[3].id.0);
    world.update().await;
    let casts = |paths: Vec<String>| {
        paths.into_iter().filter(|path| path.ends_with("/cast")).collect::<Vec<_>>()
    };
    let now: Vec<_> = world.store.top_shows(10).await.unwrap();
    let news = now.iter().filter(|show| **show != best[3] && !best.contains(show));
    let mut expected: Vec<_> = news.map(|show| format!("/shows/{}/cast", show.id)).collect();
    let mut asked = casts(moving.requests());
    expected.sort();
    asked.sort();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn ratings_that_drift_are_found_when_their_page_is_due() {
    let (moving, server) = Moving::start(ids()).await;
    let world = World::aged(&server.uri(), Duration::ZERO).await;
    world.update().await;
    moving.drift();
    moving.requests();
    let status = world.update().await;
    assert_eq!(counts(&status), (0, 30, 0, 0));
    let pages = moving.requests().iter().filter(|path| path.contains("?page=")).count();
    assert_eq!(pages, 5, "every page, and none beyond the last");
    assert_eq!(world.content(), truth(&server.uri()).await);
}

#[tokio::test]
async fn a_map_that_lost_most_shows_is_not_believed() {
    let (moving, server) = Moving::start((1..=150).chain([400])).await;
    let world = World::new(&server.uri()).await;
    world.update().await;
    for id in 1..=120 {
        moving.delete(id);
    }
    moving.requests();
    let status = world.update().await;
    assert_eq!(counts(&status), (0, 0, 120, 31));
    let asked = moving.requests();
    assert!(asked.contains(&"/shows?page=0".to_owned()), "the whole index is asked: {asked:?}");
}

#[tokio::test]
async fn a_show_beyond_the_last_of_the_map_is_asked_for() {
    let (moving, server) = Moving::start([1, 2, 300]).await;
    let world = World::new(&server.uri()).await;
    world.update().await;
    moving.delete(300);
    moving.requests();
    assert_eq!(counts(&world.update().await), (0, 0, 1, 2));
    assert_eq!(moving.requests(), ["/updates/shows", "/shows/300"]);
}

/// What happens to the upstream between two runs.
#[derive(Debug, Clone)]
pub(crate) enum Move {
    Change(prop::sample::Index),
    Add(u32),
    Delete(prop::sample::Index),
    Keep(u32),
    Expire(u32),
    FailOnce(u32),
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => any::<prop::sample::Index>().prop_map(Move::Change),
        2 => (1_u32..1600).prop_map(Move::Add),
        2 => any::<prop::sample::Index>().prop_map(Move::Delete),
        2 => (0_u32..6).prop_map(Move::Keep),
        1 => (0_u32..6).prop_map(Move::Expire),
        1 => (0_u32..6).prop_map(Move::FailOnce),
    ];
    prop::collection::vec(one, 0..25)
}

pub(crate) fn apply(moving: &Moving, step: &Move) {
    let ids = moving.ids();
    match step {
        Move::Change(index) => moving.change(*index.get(&ids)),
        Move::Add(id) => moving.change(*id),
        // The last show stays: a page that is cached beyond the end is no page of TVmaze's.
        Move::Delete(index) if ids.len() > 1 => moving.delete(*index.get(&ids[..ids.len() - 1])),
        Move::Delete(_) => {}
        Move::Keep(page) => moving.keep(*page),
        Move::Expire(page) => moving.expire(*page),
        Move::FailOnce(page) => moving.fail_once(&format!("/shows?page={page}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens between runs, an incremental one ends row for row as a full one.
    #[test]
    fn ends_as_a_full_run_would(history in prop::collection::vec(moves(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (moving, server) = Moving::start(ids()).await;
            let world = World::new(&server.uri()).await;
            assert_eq!(world.update().await.state, RunState::Succeeded);
            for moves in &history {
                for step in moves {
                    apply(&moving, step);
                }
                let status = world.update().await;
                assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
                let known = moving.ids().len();
                assert_eq!((status.added + status.changed + status.unchanged) as usize, known);
                assert_eq!(world.content(), truth(&server.uri()).await);
            }
        });
    }
}
