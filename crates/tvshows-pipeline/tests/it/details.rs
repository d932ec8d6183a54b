//! The episodes and the casts of the shows that `DETAILS` chooses.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{advance, pause, resume, timeout};
use tvshows_core::{FetchMode, RunId, RunParameters, RunState, ShowId, Step, StoreError, TopLimit};
use tvshows_pipeline::{DEFAULT_MAX_AGE, PlanError};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, ResponseTemplate};

use crate::changing_upstream::ChangingUpstream;
use crate::faulty_store::{FaultyStore, MakeError, Outage};
use crate::harness::TestEnv;

/// Much longer than a change of a run's status takes.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The requests for a show together with its details since the last call.
fn detailed(upstream: &ChangingUpstream) -> Vec<u32> {
    let detailed = |path: &String| {
        let (id, _) = path.strip_prefix("/shows/")?.split_once("?embed")?;
        id.parse().ok()
    };
    let mut ids: Vec<u32> = upstream.take_requests().iter().filter_map(detailed).collect();
    ids.sort_unstable();
    ids
}

/// The filter that chooses shows by their ids.
fn by_id(ids: impl IntoIterator<Item = u32>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("id={}", ids.join(","))
}

/// Checks that the stored details of these shows, and of no others, are what the upstream sends.
async fn check(env: &TestEnv, upstream: &ChangingUpstream, shows: impl IntoIterator<Item = u32>) {
    let shows: Vec<u32> = shows.into_iter().collect();
    for id in upstream.ids() {
        let episodes = env.store.episodes(ShowId(id)).await.unwrap();
        assert_eq!(episodes.is_some(), shows.contains(&id), "episodes of show {id}");
        let Some(episodes) = episodes else { continue };
        let cast = env.store.cast(ShowId(id)).await.unwrap().unwrap();
        let cast: Vec<Value> =
            cast.into_iter().map(|row| Value::from(row.member.to_object())).collect();
        assert_eq!(json!({"episodes": episodes, "cast": cast}), upstream.details(id), "show {id}");
    }
}

#[tokio::test]
async fn each_chosen_show_costs_one_request_and_the_next_day_only_if_it_changes() {
    let (upstream, server) = ChangingUpstream::start(1..=300).await;
    // All top shows are among them.
    let env = TestEnv::with_details(&server.uri(), "min_rating=7", None).await;
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    let mut chosen = Vec::new();
    for id in upstream.ids() {
        let show = env.store.show(ShowId(id).into()).await.unwrap().unwrap();
        if show.rating_average.is_some_and(|rating| rating >= 7.0) {
            chosen.push(id);
        }
    }
    assert!(chosen.len() > 50, "{chosen:?}");
    let number = u32::try_from(chosen.len()).unwrap();
    let expected = 1 /* updates */ + 2 /* pages */ + 1 /* the end */ + u64::from(number);
    assert_eq!(status.counts.requests, expected);
    assert_eq!((status.details_done, status.details_total), (number, Some(number)));
    assert_eq!((status.casts_done, status.casts_total), (0, Some(0)));
    assert_eq!(detailed(&upstream), chosen);
    check(&env, &upstream, chosen.iter().copied()).await;

    assert_eq!(env.update().await.counts.requests, 1, "nothing has changed");
    upstream.take_requests();

    let other = upstream.ids().into_iter().find(|id| !chosen.contains(id)).unwrap();
    for id in [chosen[3], chosen[30], other] {
        upstream.change(id);
    }
    let status = env.update().await;
    assert_eq!(status.state, RunState::Succeeded);
    assert!(status.details_done >= 2);
    let requested = detailed(&upstream);
    assert!(requested.contains(&chosen[3]) && requested.contains(&chosen[30]), "{requested:?}");
    assert!(requested.iter().all(|id| [chosen[3], chosen[30], other].contains(id)));
    // The map, and each changed show once, with its details or without. If the other one matches now, it needs both.
    let expected = 4 + u64::from(requested.contains(&other));
    assert_eq!(status.counts.requests, expected);
}

#[tokio::test]
async fn shows_that_stop_matching_leave_and_others_come() {
    let (upstream, server) = ChangingUpstream::start(1..=60).await;
    let mut env = TestEnv::with_details(&server.uri(), "id=1,2,3,4", None).await;
    env.update().await;
    check(&env, &upstream, [1, 2, 3, 4]).await;
    upstream.take_requests();
    env.change_details("id=3,4,5", DEFAULT_MAX_AGE).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    assert_eq!(detailed(&upstream), [5]);
    check(&env, &upstream, [3, 4, 5]).await;
    env.change_details("top", DEFAULT_MAX_AGE).await;
    assert_eq!(env.update().await.counts.requests, 1);
    check(&env, &upstream, []).await;
    for top in env.store.top_shows(10).await.unwrap() {
        assert!(env.store.cast(top.id).await.unwrap().is_some(), "{top:?}");
    }
}

#[tokio::test]
async fn ratings_that_drift_decide_which_shows_match() {
    let (upstream, server) = ChangingUpstream::start(1..=60).await;
    let mut env = TestEnv::with_details(&server.uri(), "min_rating=5", None).await;
    env.update().await;
    let before = detailed(&upstream);
    upstream.drift();
    env.change_details("min_rating=5", Duration::ZERO).await;
    env.update().await;
    let requested = detailed(&upstream);
    assert!(!requested.is_empty(), "some newly match");
    assert!(requested.iter().all(|id| !before.contains(id)), "an unchanged show costs nothing");
    let mut matching = Vec::new();
    for id in upstream.ids() {
        let show = env.store.show(ShowId(id).into()).await.unwrap().unwrap();
        if show.rating_average.is_some_and(|rating| rating >= 5.0) {
            matching.push(id);
        }
    }
    assert!(before.iter().any(|id| !matching.contains(id)), "some no longer match");
    check(&env, &upstream, matching).await;
}

#[tokio::test]
async fn a_full_fetch_for_lack_of_a_map_retains_details() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_details(&server.uri(), "id=1,2,3", None).await;
    env.update().await;
    upstream.take_requests();
    upstream.remove_updates_map();
    upstream.change(2);
    assert_eq!(env.update().await.state, RunState::Succeeded);
    assert_eq!(detailed(&upstream), [2]);
    check(&env, &upstream, [1, 2, 3]).await;
    assert_eq!(env.update_fully().await.state, RunState::Succeeded);
    assert_eq!(detailed(&upstream), [1, 2, 3], "a full run fetches everything");
}

#[tokio::test]
async fn too_many_details_fail_the_run_before_the_first() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_details(&server.uri(), "language=English", Some(19)).await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed);
    let error = status.error.unwrap();
    assert!(error.contains("of 20 shows") && error.contains("MAX_DETAILS allows (19)"), "{error}");
    assert!(error.contains("1 min") && error.contains("tvshows update --yes"), "{error}");
    assert_eq!(detailed(&upstream), [0; 0]);
    let env = TestEnv::with_details(&server.uri(), "language=English", Some(20)).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
}

#[tokio::test]
async fn too_many_details_fail_a_run_before_changed_shows_are_fetched_with_theirs() {
    let (upstream, server) = ChangingUpstream::start(1..=60).await;
    let mut env = TestEnv::with_details(&server.uri(), &by_id(1..=20), Some(30)).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    for id in 1..=20 {
        upstream.change(id);
    }
    upstream.take_requests();
    env.change_details(&by_id(1..=40), DEFAULT_MAX_AGE).await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed);
    let error = status.error.unwrap();
    assert!(error.contains("of 40 shows") && error.contains("MAX_DETAILS allows (30)"), "{error}");
    assert_eq!(upstream.take_requests(), ["/updates/shows"]);

    // If pages are to be fetched, the unchanged shows on them may stop matching.
    env.change_details(&by_id(1..=40), Duration::ZERO).await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed);
    assert!(status.error.unwrap().contains("of 40 shows"));
    assert_eq!(upstream.take_requests(), ["/updates/shows", "/shows?page=0"]);

    env.limit_details(Some(40));
    env.change_details(&by_id(1..=40), DEFAULT_MAX_AGE).await;
    let status = env.update().await;
    assert_eq!((status.state, status.details_done), (RunState::Succeeded, 40));
    assert_eq!(detailed(&upstream), (1..=40).collect::<Vec<_>>());
    check(&env, &upstream, 1..=40).await;
}

#[tokio::test]
async fn changed_shows_that_are_no_longer_chosen_are_fetched_with_their_page() {
    let (upstream, server) = ChangingUpstream::start(1..=60).await;
    let mut env = TestEnv::with_details(&server.uri(), &by_id(1..=20), None).await;
    env.update().await;
    for id in 1..=20 {
        upstream.change(id);
    }
    upstream.take_requests();
    env.change_details("id=1", DEFAULT_MAX_AGE).await;
    let plan = env.runner.plan(RunParameters::default()).await.unwrap();
    assert_eq!((plan.index_pages, plan.shows, plan.details), (Some(1), 0, Some(1)));
    upstream.take_requests();
    let status = env.update().await;
    assert_eq!((status.state, status.changes.changed), (RunState::Succeeded, 20));
    let map_and_page_and_details = 3;
    assert_eq!(status.counts.requests, map_and_page_and_details + u64::from(status.casts_done));
    assert_eq!(detailed(&upstream), [1]);
    check(&env, &upstream, [1]).await;
}

#[tokio::test]
async fn a_vanished_show_that_the_updates_map_lacks_costs_one_request() {
    let (upstream, server) = ChangingUpstream::start(1..=300).await;
    let env = TestEnv::with_details(&server.uri(), "language=English", None).await;
    // The map lacks more shows of the page than are looked up one by one.
    upstream.cache_page(0);
    for id in 1..=150 {
        upstream.delete(id);
    }
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert_eq!(status.shows_seen, 150);
    let details = 300;
    let expected = 1 /* updates */ + 2 /* pages */ + 1 /* the end */ + details;
    assert_eq!(status.counts.requests, expected);
    check(&env, &upstream, 151..=300).await;
}

#[tokio::test]
async fn a_mirror_that_has_a_show_without_details_fails_the_run() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let lacking = Mock::given(path("/shows/2")).and(query_param("embed[]", "cast"));
    let lacking = lacking.respond_with(ResponseTemplate::new(404));
    lacking.with_priority(1).mount(&server).await;
    let env = TestEnv::with_details(&server.uri(), "id=1,2,3", None).await;
    for _ in 0..2 {
        let status = env.update().await;
        assert_eq!(status.state, RunState::Failed);
        let error = status.error.unwrap();
        assert!(error.contains("has show 2") && error.contains("mirror of TVmaze"), "{error}");
        // Without a map, the mirror is asked for the show, too.
        upstream.remove_updates_map();
    }
}

#[tokio::test]
async fn a_show_that_vanishes_before_its_details_is_deleted() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_details(&server.uri(), "id=1,2,3", None).await;
    // Only its page still has it.
    upstream.cache_page(0);
    upstream.remove_updates_map();
    upstream.delete(2);
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert_eq!(status.shows_seen, 19);
    assert!(env.store.show(ShowId(2).into()).await.unwrap().is_none());
    assert!(env.store.episodes(ShowId(2)).await.unwrap().is_none());
    check(&env, &upstream, [1, 3]).await;
}

#[tokio::test]
async fn a_response_that_embeds_nothing_fails_the_run() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_details(&server.uri(), "id=1,2,3", None).await;
    upstream.withhold_details(2);
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed);
    let error = status.error.unwrap();
    assert!(error.contains("the episodes and the cast of show 2 cannot be fetched"), "{error}");
    assert!(error.contains("missing field `_embedded`"), "{error}");
    assert_eq!(detailed(&upstream).iter().filter(|id| **id == 2).count(), 3, "it is retried");
}

/// Waits until a run has staged the details of this many shows.
async fn details_staged(env: &TestEnv, run: RunId, shows: usize) {
    let mut status = env.runner.status(run).await.unwrap().unwrap();
    while (status.details_done as usize) < shows {
        let (step, done) = (status.step, status.details_done);
        assert!(!status.state.is_terminal(), "{:?} after the details of {done}", status.error);
        let changed = env.runner.wait_for_change(run, status.revision, TIMEOUT).await;
        let next = changed.unwrap().unwrap();
        assert!(next.revision > status.revision, "no change after {done} at {step:?}");
        status = next;
    }
}

#[tokio::test]
async fn what_is_staged_is_not_fetched_again() {
    for responses in [6, 6, 15, 22, 30] {
        let (upstream, server) = ChangingUpstream::start(1..=40).await;
        let filter = "premiered_from=2024&premiered_to=2024";
        let mut env = TestEnv::with_details_on_disk(&server.uri(), filter).await;
        upstream.stall_after(responses);
        let run = env.submit(FetchMode::Auto).await;
        upstream.stalled().await;
        // The map, one page and the end of the index; the rest are details. At first, the run is stopped while it
        // stages them.
        let responded = responses - 3;
        if responses > 10 {
            details_staged(&env, run, responded).await;
        }
        env.stop().await;
        let before = env.store.get(run).await.unwrap().unwrap();
        assert_eq!(before.state, RunState::Interrupted);
        let staged = env.staging(run).await.snapshot.details;
        assert!(staged.len() <= responded);
        assert!(responses <= 10 || staged.len() == responded, "{staged:?}");
        assert!(staged.values().all(|version| version.has_episodes));
        upstream.take_requests();
        upstream.resume();
        env.restart().await;
        let after = env.end_of(run).await;
        assert_eq!((after.state, after.attempt), (RunState::Succeeded, 2));
        assert_eq!((after.details_done, after.details_total), (40, Some(40)));
        let expected: Vec<u32> = (1..=40).filter(|id| !staged.contains_key(&ShowId(*id))).collect();
        assert_eq!(detailed(&upstream), expected, "after {responses} responses");
        check(&env, &upstream, 1..=40).await;
        let undisturbed = TestEnv::with_details(&server.uri(), filter, None).await;
        undisturbed.update().await;
        assert_eq!(env.content().await, undisturbed.content().await);
    }
}

#[tokio::test]
async fn a_resumed_run_is_allowed_what_it_was_allowed_before() {
    for (shows, error) in [(10, None), (12, Some("of 12 shows"))] {
        let (upstream, server) = ChangingUpstream::start(1..=40).await;
        let mut env = TestEnv::with_details_on_disk(&server.uri(), &by_id(1..=10)).await;
        // The map, one page, the end of the index, and four details.
        upstream.stall_after(3 + 4);
        let run = env.submit(FetchMode::Auto).await;
        upstream.stalled().await;
        details_staged(&env, run, 4).await;
        env.stop().await;
        upstream.take_requests();
        upstream.resume();
        env.limit_details(Some(5));
        env.change_details(&by_id(1..=shows), DEFAULT_MAX_AGE).await;
        let status = env.end_of(run).await;
        assert_eq!(status.attempt, 2);
        let Some(expected) = error else {
            assert_eq!((status.state, status.error), (RunState::Succeeded, None));
            check(&env, &upstream, 1..=shows).await;
            continue;
        };
        assert_eq!(status.state, RunState::Failed);
        let error = status.error.unwrap();
        assert!(error.contains(expected) && error.contains("(10)"), "{error}");
        assert_eq!(detailed(&upstream), [0; 0]);
    }
}

#[tokio::test]
async fn changes_during_an_interruption_are_fetched_with_the_details() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let mut env = TestEnv::with_details_on_disk(&server.uri(), "language=English").await;
    env.update().await;
    for id in 1..=20 {
        upstream.change(id);
    }
    upstream.stall_after(8);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    // All responses but that of the map.
    let staged = 7;
    details_staged(&env, run, staged).await;
    env.stop().await;
    upstream.take_requests();
    upstream.change(1);
    upstream.resume();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.changes.changed), (RunState::Succeeded, 20));
    let requested = detailed(&upstream);
    assert!(requested.len() <= 21 - staged, "{requested:?}");
    check(&env, &upstream, 1..=40).await;
}

/// The shows with staged details.
fn staged(env: &TestEnv) -> BTreeSet<u32> {
    let connection = env.connection();
    let mut select = connection.prepare("SELECT show_id FROM _Staged_Details").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Performs a run that fails at the details of a show, which are available afterwards. Returns which details it staged.
async fn fail_at(env: &TestEnv, upstream: &ChangingUpstream, show: u32) -> BTreeSet<u32> {
    upstream.withhold_details(show);
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed, "{status:?}");
    upstream.provide_details(show);
    let staged = staged(env);
    assert_eq!(staged.len(), status.details_done as usize, "they are not discarded");
    assert!(!staged.contains(&show) && staged.len() + 8 > show as usize, "{staged:?}");
    let requested = detailed(upstream);
    assert!(staged.iter().all(|id| requested.contains(id)));
    staged
}

#[tokio::test]
async fn what_a_failed_run_staged_is_not_fetched_again() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let filter = "premiered_from=2024&premiered_to=2024";
    let mut env = TestEnv::with_details_on_disk(&server.uri(), filter).await;
    let staged = fail_at(&env, &upstream, 30).await;
    assert_eq!(env.tables().await, "");
    // Three of them change, and the next run is stopped after the map, the page, the end, and two details.
    for id in 1..=3 {
        upstream.change(id);
    }
    upstream.stall_after(3 + 2);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    details_staged(&env, run, 2).await;
    env.stop().await;
    let mut requested = detailed(&upstream);
    upstream.resume();
    env.restart().await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 2));
    requested.extend(detailed(&upstream));
    requested.sort_unstable();
    let needed: Vec<u32> = (1..=40).filter(|id| *id <= 3 || !staged.contains(id)).collect();
    assert_eq!(requested, needed);
    let number = u32::try_from(needed.len()).unwrap();
    assert_eq!((status.details_done, status.details_total), (number, Some(number)));
    check(&env, &upstream, 1..=40).await;
    let undisturbed = TestEnv::with_details(&server.uri(), filter, None).await;
    undisturbed.update().await;
    assert_eq!(env.content().await, undisturbed.content().await);
    assert_eq!(self::staged(&env), BTreeSet::new());
}

#[tokio::test]
async fn changed_shows_that_a_failed_run_staged_are_not_fetched_again() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let env = TestEnv::with_details_on_disk(&server.uri(), "language=English").await;
    env.update().await;
    for id in 1..=20 {
        upstream.change(id);
    }
    let before = env.content().await;
    upstream.take_requests();
    let staged = fail_at(&env, &upstream, 15).await;
    assert_eq!(env.content().await, before);
    upstream.delete(2);
    upstream.change(3);
    let status = env.update().await;
    assert_eq!((status.state, status.error), (RunState::Succeeded, None));
    assert_eq!((status.changes.changed, status.changes.deleted), (19, 1));
    let needed: Vec<u32> =
        (1..=20).filter(|id| *id != 2 && (*id == 3 || !staged.contains(id))).collect();
    let requests = upstream.take_requests();
    assert_eq!(requests.len(), 1 + needed.len(), "{requests:?}");
    check(&env, &upstream, upstream.ids()).await;
    let undisturbed = TestEnv::with_details(&server.uri(), "language=English", None).await;
    undisturbed.update().await;
    assert_eq!(env.content().await, undisturbed.content().await);
}

#[tokio::test]
async fn what_a_failed_run_staged_is_reused_with_another_filter_but_not_by_a_full_run() {
    for mode in [FetchMode::Auto, FetchMode::Full] {
        let (upstream, server) = ChangingUpstream::start(1..=40).await;
        let mut env = TestEnv::with_details_on_disk(&server.uri(), &by_id(1..=20)).await;
        let staged = fail_at(&env, &upstream, 15).await;
        env.change_details(&by_id(10..=25), DEFAULT_MAX_AGE).await;
        let run = env.submit(mode).await;
        assert_eq!(env.end_of(run).await.state, RunState::Succeeded);
        let is_needed = |id: &u32| mode == FetchMode::Full || !staged.contains(id);
        assert_eq!(detailed(&upstream), (10..=25).filter(is_needed).collect::<Vec<_>>());
        check(&env, &upstream, 10..=25).await;
    }
}

#[tokio::test]
async fn details_that_a_full_run_staged_are_fetched_again_after_it_failed_and_the_map_is_wrong() {
    let (upstream, server) = ChangingUpstream::start((1..=150).chain([400])).await;
    let mut env = TestEnv::with_details_on_disk(&server.uri(), "id=150").await;
    env.update().await;
    env.change_details(&by_id(101..=140), DEFAULT_MAX_AGE).await;
    upstream.take_requests();
    upstream.withhold_details(140);
    assert_eq!(env.update_fully().await.state, RunState::Failed);
    upstream.provide_details(140);
    let staged = staged(&env);
    assert!(staged.range(121..).count() > 5, "{staged:?}");
    // The map lacks more shows than can have been deleted.
    for id in 1..=120 {
        upstream.delete(id);
    }
    upstream.take_requests();
    let status = env.update().await;
    assert_eq!((status.state, status.error), (RunState::Succeeded, None));
    check(&env, &upstream, 121..=140).await;
    let top = env.store.top_shows(10).await.unwrap();
    assert_eq!(top.len(), 10);
    for show in top {
        assert!(env.store.cast(show.id).await.unwrap().is_some(), "{show:?}");
    }
}

#[tokio::test]
async fn a_run_that_fails_because_the_disk_is_full_leaves_nothing_staged() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let store = FaultyStore::default();
    let mut env = TestEnv::with_outages(&server.uri(), &store).await;
    env.change_details(&by_id(1..=20), DEFAULT_MAX_AGE).await;
    let disk_full: MakeError = || StoreError::DiskFull { needed_mb: 200 };
    let read_only: MakeError = || StoreError::ReadOnly;
    for (error, reused) in [(disk_full, 0), (read_only, 20)] {
        store.fail("publish", error);
        let status = env.update_fully().await;
        assert_eq!((status.state, status.details_done), (RunState::Failed, 20), "{status:?}");
        store.recover();
        store.fail("publish", read_only);
        upstream.take_requests();
        assert_eq!(env.update().await.state, RunState::Failed);
        assert_eq!(detailed(&upstream).len(), 20 - reused);
        store.recover();
    }
}

#[tokio::test]
async fn shows_that_stop_matching_during_an_interruption_do_not_count_as_fetched() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let mut env = TestEnv::with_details_on_disk(&server.uri(), &by_id(1..=40)).await;
    // The map, one page, the end of the index, and ten details.
    upstream.stall_after(3 + 10);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    details_staged(&env, run, 10).await;
    env.stop().await;
    upstream.take_requests();
    upstream.resume();
    env.change_details(&by_id(1..=20), DEFAULT_MAX_AGE).await;
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.attempt), (RunState::Succeeded, 2));
    let fetched = 10 + detailed(&upstream).len();
    let batch = 4;
    assert!(
        status.details_done as usize <= fetched + batch,
        "{} of {fetched}",
        status.details_done
    );
    assert_eq!(status.details_total, Some(status.details_done));
    check(&env, &upstream, 1..=20).await;
}

#[tokio::test]
async fn a_new_show_that_is_probably_chosen_comes_with_its_details() {
    for filter in [by_id((1..=20).chain([41])), "language=English".to_owned()] {
        let (upstream, server) = ChangingUpstream::start(1..=40).await;
        let env = TestEnv::with_details(&server.uri(), &filter, None).await;
        env.update().await;
        upstream.change(41);
        let plan = env.runner.plan(RunParameters::default()).await.unwrap();
        assert_eq!((plan.shows, plan.details), (0, Some(1)), "{filter}");
        upstream.take_requests();
        assert_eq!(env.update().await.state, RunState::Succeeded);
        let requests = upstream.take_requests();
        let with_details = requests.iter().filter(|path| path.starts_with("/shows/41?embed"));
        assert_eq!((with_details.count(), requests[0].as_str()), (1, "/updates/shows"));
        assert!(!requests.contains(&"/shows/41".to_owned()), "{requests:?}");
        let chosen =
            upstream.ids().into_iter().filter(|id| filter.contains('E') || *id <= 20 || *id == 41);
        check(&env, &upstream, chosen).await;
    }
}

#[tokio::test]
async fn a_show_that_no_longer_matches_needs_no_details_from_a_mirror() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_details(&server.uri(), "max_rating=8", None).await;
    env.update().await;
    assert!(env.store.episodes(ShowId(2)).await.unwrap().is_some());
    // Its rating rises to 8.9, so the mirror removes its details.
    upstream.change(2);
    let lacking = Mock::given(path("/shows/2")).and(query_param("embed[]", "cast"));
    let lacking = lacking.respond_with(ResponseTemplate::new(404));
    lacking.with_priority(1).mount(&server).await;
    let status = env.update().await;
    assert_eq!((status.state, status.error), (RunState::Succeeded, None));
    assert_eq!(env.store.show(ShowId(2).into()).await.unwrap().unwrap().rating_average, Some(8.9));
    assert!(env.store.episodes(ShowId(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn the_chosen_shows_are_queried_once() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let store = FaultyStore::default();
    let mut env = TestEnv::with_outages(&server.uri(), &store).await;
    env.change_details("min_rating=5", DEFAULT_MAX_AGE).await;
    env.update().await;
    upstream.change(1);
    upstream.change(2);
    upstream.delete(3);
    // A second query would fail.
    let duration = Duration::from_mins(1);
    store.plan(Outage { operation: "matching_shows", after: 1, duration, takes_effect: false });
    assert_eq!(env.update().await.state, RunState::Succeeded);
    assert!(store.is_pending());
    let mut matching = Vec::new();
    for id in upstream.ids() {
        let show = env.store.show(ShowId(id).into()).await.unwrap().unwrap();
        if show.rating_average.is_some_and(|rating| rating >= 5.0) {
            matching.push(id);
        }
    }
    check(&env, &upstream, matching).await;
}

#[tokio::test]
async fn a_run_that_fetches_details_can_be_canceled() {
    let (upstream, server) = ChangingUpstream::start(1..=40).await;
    let env = TestEnv::with_details(&server.uri(), "language=English", None).await;
    upstream.stall_after(20);
    let run = env.submit(FetchMode::Auto).await;
    upstream.stalled().await;
    env.runner.cancel(run).await.unwrap();
    let status = env.end_of(run).await;
    assert_eq!((status.state, status.step), (RunState::Cancelled, Step::FetchingShows));
    assert_eq!(env.tables().await, "");
}

#[tokio::test]
async fn a_plan_is_what_a_run_fetches() {
    let (upstream, server) = ChangingUpstream::start(1..=300).await;
    let mut env = TestEnv::with_details(&server.uri(), "id=1,2,3,299", None).await;
    let parameters = RunParameters::default();
    let plan = env.runner.plan(parameters).await.unwrap();
    assert_eq!((plan.mode, plan.index_pages, plan.details), (FetchMode::Full, Some(3), Some(4)));
    assert_eq!(plan.requests, 1 + 3 + 4 + 10);
    assert_eq!(plan.seconds, 9);
    assert_eq!(upstream.take_requests(), ["/updates/shows"]);
    assert_eq!(env.tables().await, "");
    env.update().await;

    for id in [1, 2, 100, 299] {
        upstream.change(id);
    }
    upstream.delete(50);
    let plan = env.runner.plan(parameters).await.unwrap();
    assert_eq!((plan.mode, plan.index_pages, plan.shows), (FetchMode::Auto, Some(0), 1));
    assert_eq!((plan.details, plan.deletions), (Some(3), 1));
    let status = env.update().await;
    assert_eq!(status.details_done, 3);
    // Shows whose rating changed can enter the top.
    let casts = u64::from(status.casts_done.saturating_sub(plan.casts));
    assert_eq!(status.counts.requests, plan.requests + casts);

    let plan = env.runner.plan(parameters).await.unwrap();
    assert_eq!((plan.requests, plan.seconds), (1, 1), "{plan:?}");
    env.change_details("language=English", DEFAULT_MAX_AGE).await;
    let plan = env.runner.plan(parameters).await.unwrap();
    assert_eq!((plan.details, plan.requests), (Some(295), 296), "{plan:?}");

    let empty = TestEnv::with_details(&server.uri(), "language=English", None).await;
    let plan = empty.runner.plan(parameters).await.unwrap();
    assert_eq!((plan.details, plan.requests), (None, 1 + 3 + 10));
}

#[tokio::test]
async fn plans_within_a_minute_share_one_request() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::new(&server.uri()).await;
    let plans = (0..20).map(|top| {
        let top = TopLimit::new(top + 1).unwrap();
        env.runner.plan(RunParameters { top, ..RunParameters::default() })
    });
    let plans = futures::future::try_join_all(plans).await.unwrap();
    assert!(plans.iter().enumerate().all(|(index, plan)| plan.casts as usize == index + 1));
    assert_eq!(upstream.take_requests(), ["/updates/shows"]);
    env.update().await;
    upstream.take_requests();
    assert_eq!(env.runner.plan(RunParameters::default()).await.unwrap().requests, 1);
    assert_eq!(upstream.take_requests(), ["/updates/shows"], "there is another snapshot");
    let refused = env.reader().await.plan(RunParameters::default()).await.unwrap_err();
    assert!(refused.to_string().contains("UPDATES=off"), "{refused}");
}

#[tokio::test]
async fn plans_share_the_error_of_an_outage_for_some_seconds() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let env = TestEnv::new(&format!("http://{closed}")).await;
    let error = async || match env.runner.plan(RunParameters::default()).await {
        Err(PlanError::Upstream(error)) => error,
        other => panic!("{other:?}"),
    };
    let errors = futures::future::join_all((0..20).map(|_| error())).await;
    let last = error().await;
    assert!(errors.iter().all(|error| Arc::ptr_eq(error, &last)), "one attempt");
    pause();
    advance(Duration::from_secs(11)).await;
    resume();
    assert!(!Arc::ptr_eq(&error().await, &last), "another attempt");
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_the_request_that_plans_share() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::with_short_timeout(&server.uri()).await;
    upstream.hold("/updates/shows");
    tokio::select! {
        plan = env.runner.plan(RunParameters::default()) => panic!("{plan:?}"),
        () = upstream.stalled() => {}
    }
    upstream.resume();
    upstream.hold("/updates/shows");
    let retried = timeout(Duration::from_mins(1), upstream.stalled()).await;
    assert!(retried.is_ok(), "the request ended with its client");
    upstream.resume();
    env.runner.plan(RunParameters::default()).await.unwrap();
    assert_eq!(upstream.take_requests(), ["/updates/shows"], "the last retry is for both");
}

#[tokio::test]
async fn a_plan_waits_no_longer_than_half_a_minute() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let env = TestEnv::new(&server.uri()).await;
    upstream.hold("/updates/shows");
    let half_a_minute = async {
        upstream.stalled().await;
        pause();
        advance(Duration::from_secs(31)).await;
        resume();
    };
    let (plan, ()) = tokio::join!(env.runner.plan(RunParameters::default()), half_a_minute);
    assert!(matches!(plan, Err(PlanError::UpstreamTimeout)), "{plan:?}");
    let again = env.runner.plan(RunParameters::default()).await;
    assert!(matches!(again, Err(PlanError::UpstreamTimeout)), "{again:?}");
}

#[tokio::test]
async fn a_show_that_was_merged_into_another_one_is_deleted() {
    let (upstream, server) = ChangingUpstream::start(1..=20).await;
    let moved = Mock::given(path("/shows/2"));
    // As TVmaze does, without the query.
    let moved =
        moved.respond_with(ResponseTemplate::new(301).insert_header("location", "/shows/1"));
    moved.with_priority(1).mount(&server).await;
    let env = TestEnv::with_details(&server.uri(), "id=1,2,3", None).await;
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert!(env.store.show(ShowId(2).into()).await.unwrap().is_none());
    assert!(env.store.episodes(ShowId(2)).await.unwrap().is_none());
    upstream.delete(2);
    check(&env, &upstream, [1, 3]).await;
}
