//! Updates maps and indexes that cannot be TVmaze's cost few requests, and neither memory nor the published shows.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tvshows_core::{RunState, RunStatus};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::harness::TestEnv;

/// Shows 1 to 599, on three pages.
const SHOWS: std::ops::Range<u32> = 1..600;
/// The map, three pages, the end of the index and ten casts.
const FULL_RUN: u64 = 1 + 3 + 1 + 10;

/// What an upstream does besides serving the shows of three pages.
#[derive(Clone, Default)]
struct Behavior {
    /// The times in the updates map, by id.
    updates: Map<String, Value>,
    /// How many spaces the map begins with.
    padding: usize,
    /// Whether the pages after the last are empty instead of missing.
    is_endless: bool,
    /// Whether every show is on its page only.
    has_only_pages: bool,
}

struct Upstream(Arc<Mutex<Behavior>>);

fn honest_map() -> Map<String, Value> {
    SHOWS.map(|id| (id.to_string(), json!(10))).collect()
}

fn map_with(others: &[(&str, i64)]) -> Map<String, Value> {
    let mut map = honest_map();
    map.extend(others.iter().map(|(id, updated)| ((*id).to_owned(), json!(updated))));
    map
}

fn show(id: u32) -> Value {
    json!({"id": id, "name": format!("Show {id}"), "language": "English", "genres": ["Action"],
        "premiered": "2024-05-05", "rating": {"average": 5}, "updated": 10})
}

impl Respond for Upstream {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let behavior = self.0.lock().unwrap().clone();
        let segments: Vec<&str> = request.url.path_segments().unwrap().collect();
        let page = request.url.query().and_then(|query| query.strip_prefix("page=")?.parse().ok());
        let found = match (&segments[..], page) {
            (["updates", "shows"], _) => {
                let map = Value::Object(behavior.updates);
                let body = format!("{}{map}", " ".repeat(behavior.padding));
                return ResponseTemplate::new(200).set_body_raw(body, "application/json");
            }
            (["shows"], Some(page @ 0..3)) => {
                let shows = SHOWS.filter(|id| id / 250 == page).map(show);
                Some(Value::Array(shows.collect()))
            }
            (["shows"], _) => behavior.is_endless.then(|| json!([])),
            _ if behavior.has_only_pages => None,
            (["shows", id], _) => id.parse().ok().filter(|id| SHOWS.contains(id)).map(show),
            _ => Some(json!([])),
        };
        match found {
            Some(body) => ResponseTemplate::new(200).set_body_json(body),
            None => ResponseTemplate::new(404),
        }
    }
}

/// An upstream, and how it behaves.
async fn start(behavior: Behavior) -> (MockServer, Arc<Mutex<Behavior>>) {
    let server = MockServer::start().await;
    let behavior = Arc::new(Mutex::new(behavior));
    Mock::given(any()).respond_with(Upstream(Arc::clone(&behavior))).mount(&server).await;
    (server, behavior)
}

/// A first run, and a run of each mode after an honest one.
async fn runs(behavior: Behavior) -> [RunStatus; 3] {
    let honest = Behavior { updates: honest_map(), ..Behavior::default() };
    let (server, current) = start(behavior.clone()).await;
    let first = TestEnv::new(&server.uri()).await.update().await;
    *current.lock().unwrap() = honest;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    let content = env.content().await;
    *current.lock().unwrap() = behavior;
    let (incremental, full) = (env.update().await, env.update_fully().await);
    assert!(env.content().await == content);
    [first, incremental, full]
}

fn assert_complete(status: &RunStatus) {
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 599), "{:?}", status.error);
    assert!(status.max_requests >= Some(status.counts.requests), "{status:?}");
}

#[tokio::test]
async fn a_map_with_an_absurd_id_is_not_used() {
    for id in ["4294967295", "1000000", "30000"] {
        let updates = map_with(&[(id, 1)]);
        for status in runs(Behavior { updates, ..Behavior::default() }).await {
            assert_complete(&status);
            // Without a map, the end of the index is found with concurrent requests.
            assert!(status.counts.requests <= FULL_RUN + 4, "{id}: {status:?}");
        }
    }
}

#[tokio::test]
async fn an_index_that_has_empty_pages_for_ever_ends_soon_after_its_last_show() {
    for updates in [honest_map(), map_with(&[("4294967295", 1)]), Map::new()] {
        for status in runs(Behavior { updates, is_endless: true, ..Behavior::default() }).await {
            assert_complete(&status);
            assert!(status.counts.requests <= FULL_RUN + 20, "{status:?}");
        }
    }
}

#[tokio::test]
async fn a_map_that_is_newer_than_every_page_costs_no_request_for_each_show() {
    let all = SHOWS.map(|id| (id.to_string(), json!(11))).collect();
    // Even if some of its times are right.
    let most = SHOWS.map(|id| (id.to_string(), json!(if id < 300 { 10 } else { 11 }))).collect();
    for updates in [all, most] {
        for status in runs(Behavior { updates, ..Behavior::default() }).await {
            assert_complete(&status);
            assert!(status.counts.requests <= FULL_RUN + 4, "{status:?}");
        }
    }
}

#[tokio::test]
async fn a_map_with_many_shows_that_do_not_exist_costs_no_request_for_each() {
    let updates = (1..20_000).map(|id: u32| (id.to_string(), json!(10))).collect();
    let behavior = Behavior { updates, is_endless: true, ..Behavior::default() };
    for status in runs(behavior).await {
        assert_complete(&status);
        assert!(status.counts.requests <= FULL_RUN + 80 + 20, "{status:?}");
    }
}

#[tokio::test]
async fn a_map_that_is_too_large_is_not_used() {
    let behavior = Behavior { updates: honest_map(), padding: 48_000_000, ..Behavior::default() };
    let (server, _) = start(behavior).await;
    let status = TestEnv::new(&server.uri()).await.update().await;
    assert_complete(&status);
    assert!(status.counts.requests <= FULL_RUN + 4, "{status:?}");
}

#[tokio::test]
async fn a_run_that_would_need_ever_more_requests_fails_at_its_limit() {
    let honest = Behavior { updates: honest_map(), ..Behavior::default() };
    let (server, behavior) = start(honest.clone()).await;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    let tables = env.tables().await;
    // No top show has a cast, so that the next ones become the top shows, again and again.
    *behavior.lock().unwrap() = Behavior { has_only_pages: true, ..honest };
    let status = env.update_fully().await;
    assert_eq!(status.state, RunState::Failed);
    let error = status.error.unwrap();
    assert!(error.contains("requests, which is more than it can need"), "{error}");
    let (requests, max) = (status.counts.requests, status.max_requests.unwrap());
    assert!(requests <= max && max - requests < 10 && max < 600, "{requests} of {max}");
    assert!(env.tables().await == tables);
}
