//! After the first run, an update fetches what changed, and ends with the content of a full run.

use std::time::Duration;

use proptest::prelude::*;
use tvshows_core::{RunState, RunStatus};

use crate::changing_upstream::ChangingUpstream;
use crate::harness::TestEnv;

/// Five pages of six shows each.
pub(crate) fn ids() -> impl Iterator<Item = u32> {
    (0..5).flat_map(|page| (0..6).map(move |show| 250 * page + 40 * show + 1))
}

fn counts(status: &RunStatus) -> (u32, u32, u32, u32) {
    assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
    (status.changes.added, status.changes.changed, status.changes.deleted, status.changes.unchanged)
}

/// The content that a full run into an empty database produces.
pub(crate) async fn expected_content(base_url: &str) -> String {
    let env = TestEnv::new(base_url).await;
    assert_eq!(env.update_fully().await.state, RunState::Succeeded);
    env.content().await
}

#[tokio::test]
async fn a_run_without_news_asks_once_and_succeeds() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(counts(&env.update().await), (30, 0, 0, 0));
    let before = env.tables().await;
    upstream.take_requests();
    let status = env.update().await;
    assert_eq!(counts(&status), (0, 0, 0, 30));
    assert_eq!((status.counts.requests, status.shows_seen, status.progress), (1, 30, 100));
    assert_eq!(upstream.take_requests(), ["/updates/shows"]);
    let shows = |tables: &str| tables.lines().take(30).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(shows(&env.tables().await), shows(&before), "not even the times moved");
}

#[tokio::test]
async fn few_changes_are_fetched_alone_and_many_with_their_page() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::on_disk(&server.uri()).await;
    env.update().await;
    upstream.take_requests();
    for id in [1, 41, 291, 331, 371, 1251] {
        upstream.change(id);
    }
    upstream.delete(541);
    let status = env.update().await;
    assert_eq!(counts(&status), (1, 5, 1, 24));
    let mut asked = upstream.take_requests();
    asked.retain(|path| !path.ends_with("/cast"));
    asked.sort();
    assert_eq!(
        asked,
        ["/shows/1", "/shows/41", "/shows?page=1", "/shows?page=5", "/updates/shows"]
    );
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn what_is_still_old_on_its_cached_page_is_fetched_alone() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::new(&server.uri()).await;
    env.update().await;
    upstream.change(251);
    upstream.change(291);
    upstream.cache_page(1);
    for id in [291, 331, 371, 411] {
        upstream.change(id);
    }
    upstream.take_requests();
    env.update().await;
    let mut asked = upstream.take_requests();
    asked.retain(|path| !path.ends_with("/cast"));
    asked.sort();
    let alone = ["/shows/291", "/shows/331", "/shows/371", "/shows/411"];
    assert_eq!(asked[..4], alone);
    assert_eq!(asked[4..], ["/shows?page=1", "/updates/shows"]);
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn a_cast_is_fetched_again_when_its_show_changed_or_entered_the_top() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::new(&server.uri()).await;
    env.update().await;
    let best = env.store.top_shows(10).await.unwrap();
    upstream.take_requests();
    upstream.change(best[3].id.0);
    env.update().await;
    let casts = |paths: Vec<String>| {
        paths.into_iter().filter(|path| path.ends_with("/cast")).collect::<Vec<_>>()
    };
    let now: Vec<_> = env.store.top_shows(10).await.unwrap();
    let news = now.iter().filter(|show| **show != best[3] && !best.contains(show));
    let mut expected: Vec<_> = news.map(|show| format!("/shows/{}/cast", show.id)).collect();
    let mut asked = casts(upstream.take_requests());
    expected.sort();
    asked.sort();
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn ratings_that_drift_are_found_when_their_page_is_due() {
    let (upstream, server) = ChangingUpstream::start(ids()).await;
    let env = TestEnv::with_max_age(&server.uri(), Duration::ZERO).await;
    env.update().await;
    upstream.drift();
    upstream.take_requests();
    let status = env.update().await;
    assert_eq!(counts(&status), (0, 30, 0, 0));
    let pages = upstream.take_requests().iter().filter(|path| path.contains("?page=")).count();
    assert_eq!(pages, 5, "every page, and none beyond the last");
    assert_eq!(env.content().await, expected_content(&server.uri()).await);
}

#[tokio::test]
async fn a_map_that_lost_most_shows_is_not_believed() {
    let (upstream, server) = ChangingUpstream::start((1..=150).chain([400])).await;
    let env = TestEnv::new(&server.uri()).await;
    env.update().await;
    for id in 1..=120 {
        upstream.delete(id);
    }
    upstream.take_requests();
    let status = env.update().await;
    assert_eq!(counts(&status), (0, 0, 120, 31));
    let asked = upstream.take_requests();
    assert!(asked.contains(&"/shows?page=0".to_owned()), "the whole index is asked: {asked:?}");
}

#[tokio::test]
async fn a_show_beyond_the_last_of_the_map_is_asked_for() {
    let (upstream, server) = ChangingUpstream::start([1, 2, 300]).await;
    let env = TestEnv::new(&server.uri()).await;
    env.update().await;
    upstream.delete(300);
    upstream.take_requests();
    assert_eq!(counts(&env.update().await), (0, 0, 1, 2));
    assert_eq!(upstream.take_requests(), ["/updates/shows", "/shows/300"]);
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

pub(crate) fn apply(upstream: &ChangingUpstream, step: &Move) {
    let ids = upstream.ids();
    match step {
        Move::Change(index) => upstream.change(*index.get(&ids)),
        Move::Add(id) => upstream.change(*id),
        // The last show stays, because TVmaze has no cached page beyond the end of the index.
        Move::Delete(index) if ids.len() > 1 => upstream.delete(*index.get(&ids[..ids.len() - 1])),
        Move::Delete(_) => {}
        Move::Keep(page) => upstream.cache_page(*page),
        Move::Expire(page) => upstream.expire_page(*page),
        Move::FailOnce(page) => upstream.may_fail_once(&format!("/shows?page={page}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens between runs, an incremental run ends with exactly the rows of a full one.
    #[test]
    fn ends_as_a_full_run_would(history in prop::collection::vec(moves(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (upstream, server) = ChangingUpstream::start(ids()).await;
            let env = TestEnv::on_disk(&server.uri()).await;
            assert_eq!(env.update().await.state, RunState::Succeeded);
            for moves in &history {
                for step in moves {
                    apply(&upstream, step);
                }
                let status = env.update().await;
                assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
                let known = upstream.ids().len();
                assert_eq!((status.changes.added + status.changes.changed + status.changes.unchanged) as usize, known);
                assert_eq!(env.content().await, expected_content(&server.uri()).await);
            }
        });
    }
}
