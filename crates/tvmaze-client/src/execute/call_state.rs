use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

use crate::error::{Error, RequestContext};

/// A call in progress: its URL, and its attempts so far.
pub(super) struct CallState {
    pub(super) url: Url,
    /// The label of its metrics.
    pub(super) endpoint: String,
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
    pub(super) fn new(url: Url, endpoint: String) -> CallState {
        CallState {
            url,
            endpoint,
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

    pub(super) fn transport_error(&self, source: reqwest::Error) -> Error {
        // reqwest's own message would repeat the URL.
        let (context, source) = (self.context(), source.without_url());
        if source.is_redirect() {
            Error::Redirect { context, source }
        } else {
            Error::Transport { context, source }
        }
    }
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> AttemptError {
        AttemptError { error, retry_after: None }
    }
}
