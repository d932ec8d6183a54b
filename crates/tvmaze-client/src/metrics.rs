//! Metrics for the `metrics` recorder, if the application has installed one.

use metrics::{counter, gauge, histogram};
use reqwest::{StatusCode, Url};
use tokio::time::Instant;

use crate::error::Error;

/// A request in flight. It is recorded when it finishes or is dropped.
pub(crate) struct RequestTimer {
    endpoint: String,
    started: Instant,
    outcome: &'static str,
}

impl RequestTimer {
    pub(crate) fn start(endpoint: &str, attempt: u32) -> RequestTimer {
        if attempt > 1 {
            counter!("tvmaze_client_retries_total", "endpoint" => endpoint.to_owned()).increment(1);
        }
        let (endpoint, started) = (endpoint.to_owned(), Instant::now());
        RequestTimer { endpoint, started, outcome: "abandoned" }
    }

    pub(crate) fn finish(mut self, failure: Option<&Error>) {
        self.outcome = failure.map_or("ok", outcome);
    }
}

impl Drop for RequestTimer {
    fn drop(&mut self) {
        let (endpoint, outcome) = (std::mem::take(&mut self.endpoint), self.outcome);
        histogram!("tvmaze_client_request_duration_seconds", "endpoint" => endpoint.clone())
            .record(self.started.elapsed());
        counter!("tvmaze_client_requests_total", "endpoint" => endpoint, "outcome" => outcome)
            .increment(1);
    }
}

pub(crate) fn record_bytes(bytes: usize) {
    counter!("tvmaze_client_received_bytes_total").increment(bytes as u64);
}

/// Records a wait for the rate limit.
pub(crate) fn record_throttle(since: Instant) {
    histogram!("tvmaze_client_throttle_duration_seconds").record(since.elapsed());
}

/// Sets the current rate limit, in requests per second.
pub(crate) fn set_rate_limit(rate: f64) {
    gauge!("tvmaze_client_rate_limit").set(rate);
}

/// The path below the base URL, with placeholders for ids: `/shows/:id/cast`.
pub(crate) fn endpoint(url: &Url, base_url: &Url) -> String {
    let base = base_url.path().trim_end_matches('/');
    let path = url.path().strip_prefix(base).unwrap_or_default();
    let is_id =
        |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let label = |segment| if is_id(segment) { ":id" } else { segment };
    path.split('/').skip(1).fold(String::new(), |path, segment| path + "/" + label(segment))
}

fn outcome(failure: &Error) -> &'static str {
    match failure {
        Error::Status { status, .. } => match *status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::TOO_MANY_REQUESTS => "rate_limited",
            status if status.is_server_error() => "status_5xx",
            _ => "status_4xx",
        },
        Error::Transport { cause, .. } if cause.is_timeout() => "timeout",
        Error::Redirect { .. } | Error::CrossOriginRedirect { .. } | Error::Moved { .. } => {
            "redirect"
        }
        Error::TooLarge { .. } => "too_large",
        Error::ContentType { .. } => "content_type",
        Error::Decode { .. } => "decode",
        _ => "transport",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_neither_ids_nor_the_base() {
        for (base, path, expected) in [
            ("https://a/", "/shows?page=7", "/shows"),
            ("https://a/", "/shows/1/cast", "/shows/:id/cast"),
            ("https://a/api/", "/api/updates/shows?since=day", "/updates/shows"),
            (
                "https://a/api",
                "/api/alternatelists/7/alternateepisodes",
                "/alternatelists/:id/alternateepisodes",
            ),
        ] {
            let base: Url = base.parse().unwrap();
            assert_eq!(endpoint(&base.join(path).unwrap(), &base), expected);
        }
    }
}
