use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;

use crate::client::{Client, Inner};
use crate::error::Error;
use crate::rate_limit::{RateLimit, RateLimiter};
use crate::redirect;
use crate::retry::RetryPolicy;
use crate::stats::Counters;

/// The public TVmaze API.
pub const DEFAULT_BASE_URL: &str = "https://api.tvmaze.com";
/// The default maximum number of concurrent requests.
pub const DEFAULT_CONCURRENCY: usize = 8;
/// The default timeout for establishing a connection.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The default timeout of an attempt, including its body.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The default timeout of a call, from its first request on. It covers all attempts and the waits
/// between them, including those after a 429, but not the wait for other calls before the first one.
pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The default maximum size of a response body. An index page has about 0.5 MB, the updates map 2 MB,
/// the full schedule several, and a daily soap with its 15,000 episodes 12 MB.
pub const DEFAULT_MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

const CRATE_NAME: &str = concat!("tvmaze-client/", env!("CARGO_PKG_VERSION"));

/// Settings of a [`Client`]; see [`Client::builder`].
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
    allow_cross_origin_redirects: bool,
    http_client: Option<reqwest::Client>,
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
            allow_cross_origin_redirects: false,
            http_client: None,
        }
    }
}

impl Client {
    /// Starts to configure a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl ClientBuilder {
    /// Sets the URL of the API, `http` or `https`, with or without a path. Default:
    /// [`DEFAULT_BASE_URL`].
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets the user agent. Name your application and a contact, as in `my-app/1.0 (me@example.org)`, so
    /// that TVmaze can write to you instead of blocking your address. The crate's name is appended.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the timeout for establishing a connection. Default: [`DEFAULT_CONNECT_TIMEOUT`].
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of an attempt, including its body. Default: [`DEFAULT_REQUEST_TIMEOUT`].
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets the timeout of a call, including retries. Default: [`DEFAULT_CALL_TIMEOUT`].
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Sets the maximum number of concurrent requests, 1 or more. Default: [`DEFAULT_CONCURRENCY`].
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Sets the rate limit. Default: [`RateLimit::Adaptive`].
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = limit;
        self
    }

    /// Sets the retry policy. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the maximum size of a response body, decompressed. Default: [`DEFAULT_MAX_BODY_BYTES`].
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Sets whether redirects to another scheme, host or port are followed, too. Default: `false`, which
    /// makes them an [`Error::CrossOriginRedirect`].
    ///
    /// Redirects within the origin, up to five in a row, are always followed, because TVmaze's lookups
    /// need them. A redirect from `http` to `https` leads to another origin: change the base URL, which
    /// also saves a request per call.
    pub fn allow_cross_origin_redirects(mut self, allow: bool) -> Self {
        self.allow_cross_origin_redirects = allow;
        self
    }

    /// Sends the requests with `client`, for example to use a proxy, other headers or other TLS settings.
    ///
    /// What `client` determines is then its own affair: the connect timeout, compression, proxies (a
    /// loopback address is otherwise never requested through one), its default headers (including the
    /// user agent, unless [`user_agent`](ClientBuilder::user_agent) is set) and redirects. Let it follow
    /// redirects, without `Referer`, or lookups fail. If it has followed one to another origin, the
    /// call fails nevertheless, unless that is
    /// [allowed](ClientBuilder::allow_cross_origin_redirects). All other settings apply.
    ///
    /// ```
    /// use tvmaze_client::{Client, reqwest};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::builder()
    ///     .proxy(reqwest::Proxy::https("http://proxy.example.org:3128")?)
    ///     .referer(false)
    ///     .build()?;
    /// let client = Client::builder().http_client(http).user_agent("my-app/1.0 (me@example.org)").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Builds the client, without sending anything.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if a setting is invalid; [`Error::HttpClient`] if TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = parse_base_url(&self.base_url)?;
        let invalid = |reason: &str| Err(Error::Configuration { reason: reason.into() });
        if self.concurrency == 0 {
            return invalid("concurrency must be at least 1");
        }
        if matches!(self.rate_limit, RateLimit::Fixed { calls: 0, .. }) {
            return invalid("a fixed rate limit must allow at least 1 call");
        }
        let user_agent = match &self.user_agent {
            Some(application) => Some(format!("{application} {CRATE_NAME}")),
            None if self.http_client.is_some() => None,
            None => Some(format!("{CRATE_NAME} (no contact given)")),
        };
        let Ok(user_agent) = user_agent.as_deref().map(HeaderValue::from_str).transpose() else {
            return invalid("the user agent must be visible ASCII");
        };
        let http = match &self.http_client {
            Some(client) => client.clone(),
            None => self.build_http_client(&base_url)?,
        };
        let inner = Inner {
            http,
            base_url,
            limiter: RateLimiter::new(self.concurrency, self.rate_limit),
            concurrency: self.concurrency,
            retry: self.retry,
            allow_cross_origin_redirects: self.allow_cross_origin_redirects,
            user_agent,
            request_timeout: self.request_timeout,
            call_timeout: self.call_timeout,
            max_body_bytes: self.max_body_bytes,
            decoders: Semaphore::new(available_parallelism().map_or(1, NonZero::get)),
            counters: Counters::default(),
        };
        Ok(Client { inner: Arc::new(inner) })
    }

    fn build_http_client(&self, base_url: &Url) -> Result<reqwest::Client, Error> {
        let mut http = reqwest::Client::builder()
            .redirect(redirect::policy(self.allow_cross_origin_redirects))
            .referer(false)
            .connect_timeout(self.connect_timeout);
        if is_this_machine(base_url) {
            // A proxy would resolve a loopback address to itself.
            http = http.no_proxy();
        }
        http.build().map_err(|cause| Error::HttpClient { cause })
    }
}

fn parse_base_url(text: &str) -> Result<Url, Error> {
    let invalid =
        |problem: &str| Error::Configuration { reason: format!("base URL {text:?} {problem}") };
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| invalid(&format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid("must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason =
            "the base URL must not contain a user name or password: error messages show it";
        return Err(Error::Configuration { reason: reason.into() });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must not have a query or fragment"));
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.map(|address: IpAddr| address.to_canonical()).is_ok_and(|address| {
            // Connecting to 0.0.0.0 or :: reaches this machine.
            address.is_loopback() || address.is_unspecified()
        })
}
