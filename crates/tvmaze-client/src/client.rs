use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tokio::sync::Semaphore;

use crate::limit::Limiter;
use crate::retry::RetryPolicy;
use crate::stats::{Counters, Stats};
use crate::{ClientBuilder, Error};

/// A client for TVmaze. Clones share their connections, limits and counts.
///
/// Its methods make [requests](crate::Request), which are sent when they are awaited. Every call
/// retries by the client's [`RetryPolicy`] and may be dropped at any time.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

/// What the clones of a client share.
pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: Url,
    pub(crate) limiter: Limiter,
    pub(crate) concurrency: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) call_timeout: Duration,
    pub(crate) max_body_bytes: usize,
    /// A permit a core: more threads at it would be no faster, and each keeps memory of its own.
    pub(crate) decoders: Semaphore,
    pub(crate) counters: Counters,
}

impl Client {
    /// Settings for a new client, all at their defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// What this client and its clones have done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }

    /// Requests that may be under way at a time.
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
        let text = format!("{}{path}", self.base_url.as_str().trim_end_matches('/'));
        text.parse().map_err(|error| Error::Configuration { reason: format!("{text}: {error}") })
    }
}
