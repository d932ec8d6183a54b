//! A TVmaze that moves on: shows come, change and go, and its edge cache lags behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const IDS_A_PAGE: u32 = 250;
/// Long ago, so that no clock matters.
const START: i64 = 1_600_000_000;

#[derive(Clone)]
pub(crate) struct Moving {
    state: Arc<Mutex<State>>,
    stalled: Arc<Notify>,
}

struct State {
    /// How often each show has changed.
    shows: BTreeMap<u32, i64>,
    /// Ids that were in use: TVmaze gives none of them again.
    deleted: BTreeSet<u32>,
    /// Ratings move without a change mark.
    drift: u32,
    /// Pages as the edge cache has them.
    cached: BTreeMap<u32, Vec<Value>>,
    requests: Vec<String>,
    /// Answered with 500, once each.
    faults: BTreeSet<String>,
    has_map: bool,
    /// How many more requests are answered.
    answers_left: usize,
    is_stalled: bool,
    held: String,
}

impl Moving {
    pub(crate) async fn start(ids: impl IntoIterator<Item = u32>) -> (Moving, MockServer) {
        let state = State {
            shows: ids.into_iter().map(|id| (id, 0)).collect(),
            deleted: BTreeSet::new(),
            drift: 0,
            cached: BTreeMap::new(),
            requests: Vec::new(),
            faults: BTreeSet::new(),
            has_map: true,
            answers_left: usize::MAX,
            is_stalled: false,
            held: String::new(),
        };
        let moving = Moving { state: Arc::new(Mutex::new(state)), stalled: Arc::default() };
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(moving.clone()).mount(&server).await;
        (moving, server)
    }

    /// Adds a show, or changes the one that is there, and its cast with it. A deleted one stays so.
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

    /// Moves every rating, without a change mark.
    pub(crate) fn drift(&self) {
        self.state().drift += 1;
    }

    /// Lets the edge cache keep a page as it is now, until `expire`.
    pub(crate) fn keep(&self, page: u32) {
        let mut state = self.state();
        if let Some(shows) = state.page(page) {
            state.cached.insert(page, shows);
        }
    }

    pub(crate) fn expire(&self, page: u32) {
        self.state().cached.remove(&page);
    }

    /// Has no map of updates any more.
    pub(crate) fn lose_the_map(&self) {
        self.state().has_map = false;
    }

    pub(crate) fn fail_once(&self, path: &str) {
        self.state().faults.insert(path.to_owned());
    }

    /// Answers so many requests more, and then none.
    pub(crate) fn stall_after(&self, answers: usize) {
        let mut state = self.state();
        (state.answers_left, state.is_stalled) = (answers, false);
    }

    /// Gives no answer to this path.
    pub(crate) fn hold(&self, path: &str) {
        path.clone_into(&mut self.state().held);
    }

    /// Comes when a request gets no answer.
    pub(crate) async fn stalled(&self) {
        loop {
            let stalled = self.stalled.notified();
            if self.state().is_stalled {
                return;
            }
            stalled.await;
        }
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.state().shows.keys().copied().collect()
    }

    /// The paths asked for since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// A show as it is now: English action all of them, so that each may be a top show.
    fn show(&self, id: u32) -> Option<Value> {
        let changes = *self.shows.get(&id)?;
        let seed =
            (u64::from(id) * 31 + changes.unsigned_abs() * 17 + u64::from(self.drift) * 7) % 90;
        Some(json!({"id": id, "name": format!("{id} after {changes} changes"), "type": "Scripted",
            "language": "English", "genres": ["Action"], "premiered": "2024-05-05",
            "rating": {"average": f64::from(u32::try_from(seed).unwrap() + 10) / 10.0},
            "weight": seed, "updated": START + changes, "summary": null}))
    }

    /// A page as it is now; `None` past the last.
    fn page(&self, page: u32) -> Option<Vec<Value>> {
        let last = self.shows.last_key_value().map(|(id, _)| id / IDS_A_PAGE)?;
        let ids = self.shows.range(page * IDS_A_PAGE..(page + 1) * IDS_A_PAGE);
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

    fn answer(&mut self, request: &Request) -> Option<Value> {
        let segments: Vec<&str> = request.url.path_segments()?.collect();
        match segments[..] {
            ["updates", "shows"] if !self.has_map => None,
            ["updates", "shows"] => {
                let moment = |(id, changes): (&u32, &i64)| (id.to_string(), json!(START + changes));
                Some(Value::Object(self.shows.iter().map(moment).collect()))
            }
            ["shows"] => {
                let page = request.url.query()?.strip_prefix("page=")?.parse().ok()?;
                let cached = self.cached.get(&page).cloned();
                cached.or_else(|| self.page(page)).map(Value::Array)
            }
            ["shows", id] => self.show(id.parse().ok()?),
            ["shows", id, "cast"] => self.cast(id.parse().ok()?),
            _ => None,
        }
    }
}

impl Respond for Moving {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state();
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", request.url.path());
        if state.answers_left == 0 || state.held == path {
            state.is_stalled = true;
            self.stalled.notify_waiters();
            return ResponseTemplate::new(500).set_delay(Duration::from_hours(1));
        }
        state.answers_left -= 1;
        let fails = state.faults.remove(&path);
        state.requests.push(path);
        if fails {
            return ResponseTemplate::new(500);
        }
        match state.answer(request) {
            Some(body) => ResponseTemplate::new(200).set_body_json(body),
            None => ResponseTemplate::new(404),
        }
    }
}
