use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::rate_limit::RateLimiter;
use crate::retry::RetryPolicy;
use crate::stats::{Counters, Stats};

/// A client for the TVmaze API. Clones share their connections, limits and [`Stats`].
///
/// Its methods return [requests](crate::Request), which are sent when awaited. Every call is retried
/// according to the client's [`RetryPolicy`] and can be dropped at any time.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

/// The state that the clones of a client share.
pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: Url,
    pub(crate) limiter: RateLimiter,
    pub(crate) concurrency: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) allow_cross_origin_redirects: bool,
    /// `None`: that of `http`.
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) request_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) max_body_bytes: usize,
    /// One permit per core: more threads would decode no faster, and each uses its own memory.
    pub(crate) decoders: Semaphore,
    pub(crate) counters: Counters,
}

impl Client {
    /// Counts of the requests that this client and its clones have sent.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }

    /// The maximum number of concurrent requests.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.inner.concurrency
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        let invalid = |reason: String| Error::InvalidPath { path: path.to_owned(), reason };
        if !path.starts_with('/') {
            // It could change the host: `.example.org` or `@example.org`.
            return Err(invalid("it must start with a slash".into()));
        }
        let base_url = self.base_url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base_url}{path}")).map_err(|error| invalid(error.to_string()))
    }
}
