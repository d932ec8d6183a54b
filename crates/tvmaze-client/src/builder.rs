use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

use crate::client::Inner;
use crate::limit::Limiter;
use crate::stats::Counters;
use crate::{Client, Error, RateLimit, RetryPolicy};

/// TVmaze itself.
pub const DEFAULT_BASE_URL: &str = "https://api.tvmaze.com";
/// Requests under way at a time.
pub const DEFAULT_CONCURRENCY: usize = 8;
/// The time that a connection may take to be made.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that an attempt may take, body included.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that a call may take, from its first request on: all attempts, the waits between them and
/// those after a 429. Waiting for its turn behind other calls does not count.
pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// An index page has half a MB, the map of updates two, the full schedule several.
pub const DEFAULT_MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

const CRATE: &str = concat!("tvmaze-client/", env!("CARGO_PKG_VERSION"));
/// A lookup has one redirect.
const MAX_REDIRECTS: usize = 5;

/// Settings of a [`Client`]. Made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    user_agent: Option<String>,
    connect_timeout: Duration,
    request_timeout: Duration,
    call_timeout: Duration,
    concurrency: usize,
    rate_limit: RateLimit,
    retry: RetryPolicy,
    max_body_bytes: usize,
}

impl Default for ClientBuilder {
    fn default() -> ClientBuilder {
        ClientBuilder {
            base_url: DEFAULT_BASE_URL.into(),
            user_agent: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            call_timeout: DEFAULT_CALL_TIMEOUT,
            concurrency: DEFAULT_CONCURRENCY,
            rate_limit: RateLimit::default(),
            retry: RetryPolicy::default(),
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
        }
    }
}

impl ClientBuilder {
    /// Where the API is; [`DEFAULT_BASE_URL`] unless set. `http` or `https`, a path is kept.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Who asks: please name your application and a contact, as in `my-app/1.0 (me@example.org)`.
    /// TVmaze would rather write a mail than block an address. The name of this crate is added.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The time that a connection may take to be made; [`DEFAULT_CONNECT_TIMEOUT`] unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The time that an attempt may take, body included; [`DEFAULT_REQUEST_TIMEOUT`] unless set.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// The time that a call may take, from its first request on; [`DEFAULT_CALL_TIMEOUT`] unless set.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Requests under way at a time, 1 or more; [`DEFAULT_CONCURRENCY`] unless set.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// How fast to send; [`RateLimit::Adaptive`] unless set.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = limit;
        self
    }

    /// What is tried again, and when; [`RetryPolicy::default`] unless set.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The size beyond which an answer is refused, decompressed; [`DEFAULT_MAX_BODY_BYTES`] unless set.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a base URL, a user agent or a concurrency that cannot work;
    /// [`Error::HttpClient`] where TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = parse_base_url(&self.base_url)?;
        let refuse = |reason: &str| Err(Error::Configuration { reason: reason.into() });
        if self.concurrency == 0 {
            return refuse("the concurrency must be 1 or more");
        }
        if matches!(self.rate_limit, RateLimit::Fixed { calls: 0, .. }) {
            return refuse("a fixed rate limit must allow 1 call or more");
        }
        let user_agent = match self.user_agent {
            Some(application) => format!("{application} {CRATE}"),
            None => format!("{CRATE} (no contact given)"),
        };
        let Ok(user_agent) = HeaderValue::from_str(&user_agent) else {
            return refuse("the user agent must be visible ASCII");
        };
        let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let mut http = reqwest::Client::builder()
            .user_agent(user_agent)
            .default_headers(accept)
            .redirect(Policy::limited(MAX_REDIRECTS))
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout);
        if is_loopback(&base_url) {
            // A proxy would look for a server on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|source| Error::HttpClient { source })?;
        let inner = Inner {
            http,
            base_url,
            limiter: Limiter::new(self.concurrency, self.rate_limit),
            concurrency: self.concurrency,
            retry: self.retry,
            call_timeout: self.call_timeout,
            max_body_bytes: self.max_body_bytes,
            decoders: Semaphore::new(available_parallelism().map_or(1, NonZero::get)),
            counters: Counters::default(),
        };
        Ok(Client { inner: Arc::new(inner) })
    }
}

fn parse_base_url(text: &str) -> Result<Url, Error> {
    let wrong = |why: &str| Error::Configuration { reason: format!("the base URL {text:?} {why}") };
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| wrong(&format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason = "the base URL must hold no user name and no password: errors show it";
        return Err(Error::Configuration { reason: reason.into() });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have no query and no fragment"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
