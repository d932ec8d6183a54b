//! A TVmaze whose shows are added, changed and deleted, behind an edge cache that lags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const IDS_PER_PAGE: u32 = 250;
/// In the past, so that no clock matters.
const START: i64 = 1_600_000_000;
/// Longer than any run takes; only a hang lasts longer.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Dropping it fails the test if a scripted stall never happened.
pub(crate) struct ChangingUpstream(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    stalled: Notify,
}

struct Responder(Arc<Shared>);

struct State {
    /// How often each show has changed.
    shows: BTreeMap<u32, i64>,
    /// TVmaze never reuses an id.
    deleted: BTreeSet<u32>,
    /// Shows without `_embedded`.
    withheld: BTreeSet<u32>,
    /// Ratings change without a new `updated` time.
    drift: u32,
    /// Outdated pages in the edge cache.
    cached: BTreeMap<u32, Vec<Value>>,
    requests: Vec<String>,
    /// Paths that fail once with a 500.
    faults: BTreeSet<String>,
    has_updates_map: bool,
    stall: Option<Stall>,
    is_stalled: bool,
}

/// Which requests get no response.
enum Stall {
    /// All after this many more.
    After(usize),
    Path(String),
}

impl ChangingUpstream {
    pub(crate) async fn start(
        ids: impl IntoIterator<Item = u32>,
    ) -> (ChangingUpstream, MockServer) {
        let state = State {
            shows: ids.into_iter().map(|id| (id, 0)).collect(),
            deleted: BTreeSet::new(),
            withheld: BTreeSet::new(),
            drift: 0,
            cached: BTreeMap::new(),
            requests: Vec::new(),
            faults: BTreeSet::new(),
            has_updates_map: true,
            stall: None,
            is_stalled: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), stalled: Notify::new() });
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Responder(Arc::clone(&shared))).mount(&server).await;
        (ChangingUpstream(shared), server)
    }

    /// Adds or changes a show and its cast. A deleted show stays deleted.
    pub(crate) fn change(&self, id: u32) {
        let mut state = self.state();
        if !state.deleted.contains(&id) {
            state.shows.entry(id).and_modify(|changes| *changes += 1).or_default();
        }
    }

    pub(crate) fn delete(&self, id: u32) {
        let mut state = self.state();
        state.shows.remove(&id);
        state.deleted.insert(id);
    }

    /// Responds without the episodes and the cast that a request wants embedded.
    pub(crate) fn withhold_details(&self, id: u32) {
        self.state().withheld.insert(id);
    }

    /// Responds with the episodes and the cast again.
    pub(crate) fn provide_details(&self, id: u32) {
        self.state().withheld.remove(&id);
    }

    /// What is embedded in a show.
    pub(crate) fn details(&self, id: u32) -> Value {
        self.state().show_with_details(id).unwrap()["_embedded"].take()
    }

    /// Changes every rating, but no `updated` time.
    pub(crate) fn drift(&self) {
        self.state().drift += 1;
    }

    /// Caches a page as it is now until [`expire_page`](Self::expire_page).
    pub(crate) fn cache_page(&self, page: u32) {
        let mut state = self.state();
        if let Some(shows) = state.page(page) {
            state.cached.insert(page, shows);
        }
    }

    pub(crate) fn expire_page(&self, page: u32) {
        self.state().cached.remove(&page);
    }

    /// Removes the updates map for good.
    pub(crate) fn remove_updates_map(&self) {
        self.state().has_updates_map = false;
    }

    /// Fails the next request for a path, if there is one.
    pub(crate) fn may_fail_once(&self, path: &str) {
        self.state().faults.insert(path.to_owned());
    }

    /// Responds to this many more requests, and to none after them.
    pub(crate) fn stall_after(&self, responses: usize) {
        self.stall(Stall::After(responses));
    }

    /// Never responds to requests for a path.
    pub(crate) fn hold(&self, path: &str) {
        self.stall(Stall::Path(path.to_owned()));
    }

    fn stall(&self, stall: Stall) {
        let mut state = self.state();
        (state.stall, state.is_stalled) = (Some(stall), false);
    }

    /// Responds again after a stall, which must have happened.
    pub(crate) fn resume(&self) {
        assert!(self.state().is_stalled, "the scripted stall never happened");
        self.withdraw_stall();
    }

    /// Removes a stall that may not have happened.
    pub(crate) fn withdraw_stall(&self) {
        self.state().stall = None;
    }

    /// Waits until a request gets no response.
    pub(crate) async fn stalled(&self) {
        let stalled = async {
            loop {
                let stalled = self.0.stalled.notified();
                if self.state().is_stalled {
                    return;
                }
                stalled.await;
            }
        };
        timeout(TIMEOUT, stalled).await.expect("a request without a response");
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.state().shows.keys().copied().collect()
    }

    /// The paths requested since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Drop for ChangingUpstream {
    fn drop(&mut self) {
        let state = self.state();
        let is_pending = state.stall.is_some() && !state.is_stalled;
        // Releases the lock, so that a panic does not poison it.
        drop(state);
        assert!(!is_pending || std::thread::panicking(), "the scripted stall never happened");
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a request gets no response.
    fn stalls(&mut self, path: &str) -> bool {
        match &mut self.stall {
            None => false,
            Some(Stall::Path(held)) => held == path,
            Some(Stall::After(0)) => true,
            Some(Stall::After(responses)) => {
                *responses -= 1;
                false
            }
        }
    }

    /// A show as it is now. All are English action shows, so that each may be a top show.
    fn show(&self, id: u32) -> Option<Value> {
        let changes = *self.shows.get(&id)?;
        let seed =
            (u64::from(id) * 31 + changes.unsigned_abs() * 17 + u64::from(self.drift) * 7) % 90;
        Some(json!({"id": id, "name": format!("{id} after {changes} changes"), "type": "Scripted",
            "language": "English", "genres": ["Action"], "premiered": "2024-05-05",
            "rating": {"average": f64::from(u32::try_from(seed).unwrap() + 10) / 10.0},
            "weight": seed, "updated": START + changes, "summary": null}))
    }

    /// A page as it is now; `None` after the last.
    fn page(&self, page: u32) -> Option<Vec<Value>> {
        let last = self.shows.last_key_value().map(|(id, _)| id / IDS_PER_PAGE)?;
        let ids = self.shows.range(page * IDS_PER_PAGE..(page + 1) * IDS_PER_PAGE);
        (page <= last).then(|| ids.filter_map(|(id, _)| self.show(*id)).collect())
    }

    fn cast(&self, id: u32) -> Option<Value> {
        let changes = *self.shows.get(&id)?;
        let member = |number: i64| {
            let person = i64::from(id) * 10 + number;
            json!({"person": {"id": person, "name": format!("Person {person}")},
                "character": {"id": person + changes, "name": format!("After {changes}")}})
        };
        Some((0..changes % 3).map(member).collect())
    }

    fn episodes(&self, id: u32) -> Option<Value> {
        let changes = *self.shows.get(&id)?;
        let episode = |number: i64| {
            json!({"id": i64::from(id) * 100 + number, "season": 1, "number": number, "type": "regular",
                "name": format!("Episode {number} after {changes}"), "airdate": "2024-05-05",
                "airtime": "", "airstamp": "2024-05-05T12:00:00+00:00", "runtime": null,
                "rating": {"average": null}, "image": null, "summary": null,
                "_links": {"self": {"href": format!("episode {number}")}}})
        };
        Some((1..=changes + 2).map(episode).collect())
    }

    /// A show with its episodes and its cast; without them if the test withholds them.
    fn show_with_details(&self, id: u32) -> Option<Value> {
        let mut show = self.show(id)?;
        if !self.withheld.contains(&id) {
            show["_embedded"] = json!({"episodes": self.episodes(id)?, "cast": self.cast(id)?});
        }
        Some(show)
    }

    fn body(&mut self, request: &Request) -> Option<Value> {
        let segments: Vec<&str> = request.url.path_segments()?.collect();
        match segments[..] {
            ["updates", "shows"] if !self.has_updates_map => None,
            ["updates", "shows"] => {
                let moment = |(id, changes): (&u32, &i64)| (id.to_string(), json!(START + changes));
                Some(Value::Object(self.shows.iter().map(moment).collect()))
            }
            ["shows"] => {
                let page = request.url.query()?.strip_prefix("page=")?.parse().ok()?;
                let cached = self.cached.get(&page).cloned();
                cached.or_else(|| self.page(page)).map(Value::Array)
            }
            ["shows", id] if request.url.query().is_some() => {
                self.show_with_details(id.parse().ok()?)
            }
            ["shows", id] => self.show(id.parse().ok()?),
            ["shows", id, "cast"] => self.cast(id.parse().ok()?),
            _ => None,
        }
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.state();
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", request.url.path());
        if state.stalls(&path) {
            state.is_stalled = true;
            self.0.stalled.notify_waiters();
            return ResponseTemplate::new(500).set_delay(Duration::from_hours(1));
        }
        let fails = state.faults.remove(&path);
        state.requests.push(path);
        if fails {
            return ResponseTemplate::new(500);
        }
        match state.body(request) {
            Some(body) => ResponseTemplate::new(200).set_body_json(body),
            None => ResponseTemplate::new(404),
        }
    }
}
