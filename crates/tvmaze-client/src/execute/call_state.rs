use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

use crate::error::{Error, RequestContext};
use crate::redirect;
use crate::request::BodyOptions;

/// A call in progress: its URL, and its attempts so far.
pub(super) struct CallState {
    pub(super) url: Url,
    /// The label of its metrics.
    pub(super) endpoint: String,
    /// Whether a redirect to another object is an error.
    pub(super) rejects_moved: bool,
    pub(super) body: BodyOptions,
    started: Instant,
    pub(super) attempts: u32,
    /// When the first 429 was received.
    pub(super) throttled_since: Option<Instant>,
    pub(super) last_error: Option<Error>,
}

/// Why an attempt failed.
pub(super) struct AttemptError {
    pub(super) error: Error,
    pub(super) retry_after: Option<Duration>,
}

impl CallState {
    pub(super) fn new(
        url: Url,
        endpoint: String,
        rejects_moved: bool,
        body: BodyOptions,
    ) -> CallState {
        CallState {
            url,
            endpoint,
            rejects_moved,
            body,
            started: Instant::now(),
            attempts: 0,
            throttled_since: None,
            last_error: None,
        }
    }

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "every variant of `Error` holds it in a box"
    )]
    pub(super) fn context(&self) -> Box<RequestContext> {
        let elapsed = self.started.elapsed();
        Box::new(RequestContext { url: self.url.clone(), attempts: self.attempts, elapsed })
    }

    /// Whether a response from `url` is about another object than the requested one.
    pub(super) fn is_moved(&self, url: &Url) -> bool {
        self.rejects_moved && has_other_id(self.url.path(), url.path())
    }

    pub(super) fn transport_error(&self, cause: reqwest::Error) -> Error {
        if let Some(location) = redirect::rejected_location(&cause) {
            return self.cross_origin_redirect(location.clone());
        }
        // reqwest's own message would repeat the URL.
        let (context, cause) = (self.context(), cause.without_url());
        if cause.is_redirect() {
            Error::Redirect { context, cause }
        } else {
            Error::Transport { context, cause }
        }
    }

    pub(super) fn cross_origin_redirect(&self, location: Url) -> Error {
        Error::CrossOriginRedirect { context: self.context(), location: Box::new(location) }
    }
}

/// Whether two paths end in the same endpoint with another id. A redirect to another endpoint (a login
/// page, a mirror with another prefix) says nothing about the object.
fn has_other_id(requested: &str, received: &str) -> bool {
    let is_id = |segment: &str| segment.parse::<u32>().is_ok();
    let mut pairs = std::iter::zip(
        requested.trim_end_matches('/').rsplit('/'),
        received.trim_end_matches('/').rsplit('/'),
    );
    let differing_ids =
        pairs.find(|(requested, received)| is_id(requested) || requested != received);
    let Some((requested, received)) = differing_ids else { return false };
    let is_same_collection =
        pairs.next().is_some_and(|(requested, received)| requested == received);
    is_id(requested) && is_id(received) && requested != received && is_same_collection
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> AttemptError {
        AttemptError { error, retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_id_at_the_same_endpoint_is_another_object() {
        for other in [("/shows/2", "/shows/1"), ("/shows/2/cast", "/v1/shows/1/cast/")] {
            assert!(has_other_id(other.0, other.1), "{other:?}");
        }
        for same in [
            ("/shows/2", "/shows/2"),
            ("/shows/2", "/shows/2/"),
            ("/api/1/shows/2", "/api/3/shows/2"),
            ("/shows/2", "/people/1"),
            ("/shows/2", "/login"),
            ("/shows/2/cast", "/shows/1"),
            ("/shows/2", "/1"),
            ("/lookup/shows", "/shows/1"),
            ("/shows", "/shows"),
        ] {
            assert!(!has_other_id(same.0, same.1), "{same:?}");
        }
    }
}
