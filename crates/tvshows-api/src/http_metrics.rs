//! Numbers of the requests, for the recorder of the `metrics` facade that the application may have installed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// The route of a request that has none.
const NO_ROUTE: &str = "none";

thread_local! {
    /// Looking a metric up by its labels takes longer than counting does. There are as many as there are
    /// routes, whatever clients ask for.
    static ROUTES: RefCell<HashMap<String, Vec<Answers>>> = RefCell::default();
    static IN_FLIGHT: Gauge = gauge!("tvshows_http_requests_in_flight");
}

/// The answers of a route to one method with one status.
struct Answers {
    method: &'static str,
    status: u16,
    count: Counter,
    duration: Histogram,
}

impl Answers {
    fn new(route: &str, method: &'static str, status: u16) -> Answers {
        let route = route.to_owned();
        let duration = histogram!(
            "tvshows_http_request_duration_seconds", "route" => route.clone(), "method" => method
        );
        let count = counter!(
            "tvshows_http_requests_total",
            "route" => route, "method" => method, "status" => status.to_string()
        );
        Answers { method, status, count, duration }
    }

    fn count(&self, elapsed: Duration) {
        self.count.increment(1);
        self.duration.record(elapsed);
    }
}

pub(crate) fn answered(
    route: Option<String>,
    method: &Method,
    status: StatusCode,
    elapsed: Duration,
) {
    let (method, status) = (word(method), status.as_u16());
    let route = route.unwrap_or_else(|| NO_ROUTE.to_owned());
    ROUTES.with_borrow_mut(|routes| {
        let is_it = |known: &&Answers| known.method == method && known.status == status;
        if let Some(known) = routes.get(&route).and_then(|known| known.iter().find(is_it)) {
            return known.count(elapsed);
        }
        let new = Answers::new(&route, method, status);
        new.count(elapsed);
        routes.entry(route).or_default().push(new);
    });
}

/// A method that nobody knows is as good as any other.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A request lives.
pub(crate) struct InFlight;

impl InFlight {
    pub(crate) fn begin() -> InFlight {
        IN_FLIGHT.with(|gauge| gauge.increment(1));
        InFlight
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.with(|gauge| gauge.decrement(1));
    }
}

/// A stream of events lives.
pub(crate) struct OpenStream;

impl OpenStream {
    pub(crate) fn begin() -> OpenStream {
        gauge!("tvshows_http_event_streams").increment(1);
        OpenStream
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!("tvshows_http_event_streams").decrement(1);
    }
}
