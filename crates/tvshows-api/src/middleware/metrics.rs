//! Request metrics, recorded through the `metrics` facade.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// The `route` label of requests that match no route.
const NO_ROUTE: &str = "none";

thread_local! {
    /// Cached handles, because looking up a metric by its labels costs more than incrementing it. Bounded by the
    /// number of routes, whatever paths clients request.
    static ROUTES: RefCell<HashMap<String, Vec<RouteMetrics>>> = RefCell::default();
    static IN_FLIGHT: Gauge = gauge!("tvshows_http_requests_in_flight");
}

/// The metrics for one route, method and status.
struct RouteMetrics {
    method: &'static str,
    status: u16,
    count: Counter,
    duration: Histogram,
}

impl RouteMetrics {
    fn new(route: &str, method: &'static str, status: u16) -> RouteMetrics {
        let route = route.to_owned();
        let duration = histogram!(
            "tvshows_http_request_duration_seconds", "route" => route.clone(), "method" => method
        );
        let count = counter!(
            "tvshows_http_requests_total",
            "route" => route, "method" => method, "status" => status.to_string()
        );
        RouteMetrics { method, status, count, duration }
    }

    fn record(&self, elapsed: Duration) {
        self.count.increment(1);
        self.duration.record(elapsed);
    }
}

pub(crate) fn record(
    route: Option<String>,
    method: &Method,
    status: StatusCode,
    elapsed: Duration,
) {
    let (method, status) = (method_label(method, status), status.as_u16());
    let route = route.unwrap_or_else(|| NO_ROUTE.to_owned());
    ROUTES.with_borrow_mut(|routes| {
        let is_same = |known: &&RouteMetrics| known.method == method && known.status == status;
        if let Some(known) = routes.get(&route).and_then(|known| known.iter().find(is_same)) {
            return known.record(elapsed);
        }
        let new = RouteMetrics::new(&route, method, status);
        new.record(elapsed);
        routes.entry(route).or_default().push(new);
    });
}

/// Methods that the route does not have share a label, so that clients cannot create many series.
fn method_label(method: &Method, status: StatusCode) -> &'static str {
    match *method {
        _ if status == StatusCode::METHOD_NOT_ALLOWED => "other",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        // CORS responds to it.
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts a request as in flight until dropped.
pub(crate) struct InFlightGuard;

impl InFlightGuard {
    pub(crate) fn new() -> InFlightGuard {
        IN_FLIGHT.with(|gauge| gauge.increment(1));
        InFlightGuard
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        IN_FLIGHT.with(|gauge| gauge.decrement(1));
    }
}

/// Counts an event stream as open until dropped.
pub(crate) struct OpenStreamGuard;

impl OpenStreamGuard {
    pub(crate) fn new() -> OpenStreamGuard {
        gauge!("tvshows_http_event_streams").increment(1);
        OpenStreamGuard
    }
}

impl Drop for OpenStreamGuard {
    fn drop(&mut self) {
        gauge!("tvshows_http_event_streams").decrement(1);
    }
}
