use std::error::Error as StdError;
use std::fmt;
use std::iter::successors;
use std::time::Duration;

use reqwest::{StatusCode, Url};

/// Why a call to TVmaze failed.
///
/// A missing page is *not* an error: TVmaze ends an index with a 404, so
/// [`Client::show_page`](crate::Client::show_page) returns `Ok(None)` for it.
///
/// Both `Display` and `Debug` are one line that ends with the root cause, such as
/// `Connection refused (os error 111)`. So that no report prints it twice, [`source`](StdError::source)
/// is always `None`; the underlying error is in the field `cause`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the builder is invalid.
    #[error("invalid client configuration: {reason}")]
    Configuration {
        /// Which setting, and what is wrong with it.
        reason: String,
    },
    /// The path given to [`Client::get`](crate::Client::get) does not start with a slash, or makes no
    /// valid URL.
    #[error("invalid path {path:?}: {reason}")]
    InvalidPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The call was polled outside of a Tokio runtime.
    #[error("no Tokio runtime; run the call in one, for example with `Runtime::block_on`")]
    NoRuntime,
    /// The HTTP client cannot be built, most often because no CA certificates are installed.
    #[error("cannot build the HTTP client (are CA certificates installed?): {}", root(cause))]
    HttpClient {
        /// The error of reqwest.
        cause: reqwest::Error,
    },
    /// No complete response arrived: DNS, TLS, a dropped connection or a timeout.
    #[error("request to {context} failed: {}", root(cause))]
    Transport {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The error of reqwest.
        cause: reqwest::Error,
    },
    /// A redirect cannot be followed: there are too many of them, most often a loop.
    #[error("cannot follow the redirect of {context}: {}", root(cause))]
    Redirect {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The error of reqwest.
        cause: reqwest::Error,
    },
    /// A redirect to another scheme, host or port, which is not followed unless
    /// [allowed](crate::ClientBuilder::allow_cross_origin_redirects).
    #[error(
        "{context} redirects to another origin, {location}, which is not followed; if it is correct, \
         change the base URL to {}",
        location.origin().ascii_serialization()
    )]
    CrossOriginRedirect {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// Where the redirect leads to.
        location: Box<Url>,
    },
    /// The response has an error status.
    #[error("{context} returned {status}{}", suffix(message.as_deref()))]
    Status {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The status.
        status: StatusCode,
        /// TVmaze's message, such as `Not a valid ISO country code`.
        message: Option<String>,
    },
    /// The response is larger than [`max_body_bytes`](crate::ClientBuilder::max_body_bytes).
    #[error("response from {context} exceeds {limit} bytes")]
    TooLarge {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The limit.
        limit: usize,
    },
    /// The content type is HTML or an image: the response is from a proxy or a captive portal.
    #[error("response from {context} is {content_type}, not JSON")]
    ContentType {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The media type of the response.
        content_type: String,
    },
    /// A [request that rejects it](crate::Request::reject_moved) was redirected to another object.
    #[error("request to {context} was redirected to {location}")]
    Moved {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The URL of the other object.
        location: Box<Url>,
    },
    /// The response is not JSON, or does not have the documented shape.
    #[error("cannot decode {}the response from {context}: {cause}", position(path, *id))]
    Decode {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The path to the value that cannot be decoded, such as `[2].externals`. Empty if the response
        /// is not JSON, or of another kind altogether.
        path: String,
        /// The id of the object with that value, if it has one: of the show, person, episode, ….
        id: Option<u64>,
        /// What is wrong, with the line and column.
        cause: serde_json::Error,
    },
    /// Nothing but 429s for longer than [`max_throttle_time`](crate::RetryPolicy::max_throttle_time),
    /// or a `Retry-After` beyond it.
    #[error("TVmaze keeps rate-limiting {context}; try again in {} s", retry_after.as_secs())]
    Throttled {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// How long to wait before the next call.
        retry_after: Duration,
    },
    /// The call timeout expired. It covers all attempts and the waits between them.
    #[error("request to {context} timed out{}", last_failure(last.as_deref()))]
    TimedOut {
        /// The request and its attempts.
        context: Box<RequestContext>,
        /// The error of the last attempt that completed.
        last: Option<Box<Error>>,
    },
}

/// The request behind an error, and its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestContext {
    /// The URL.
    pub url: Url,
    /// How many requests were sent.
    pub attempts: u32,
    /// The time from the first request to the failure.
    pub elapsed: Duration,
}

impl fmt::Display for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)?;
        if self.attempts == 1 {
            return Ok(());
        }
        write!(f, " ({} attempts in {:.1} s)", self.attempts, self.elapsed.as_secs_f64())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last error in the chain of sources.
fn root(error: &reqwest::Error) -> &dyn StdError {
    let first: &dyn StdError = error;
    successors(Some(first), |&error| error.source()).last().unwrap_or(first)
}

fn last_failure(last: Option<&Error>) -> String {
    match last {
        None => String::new(),
        Some(Error::Status { status, message, .. }) => {
            format!("; the last response was {status}{}", suffix(message.as_deref()))
        }
        Some(Error::Transport { cause, .. }) => {
            format!("; the last attempt failed: {}", root(cause))
        }
        Some(error) => format!("; the last attempt failed: {error}"),
    }
}

fn suffix(message: Option<&str>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

fn position(path: &str, id: Option<u64>) -> String {
    match id {
        _ if path.is_empty() => String::new(),
        Some(id) => format!("`{path}` (id {id}) in "),
        None => format!("`{path}` in "),
    }
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Transport { cause, .. } => !cause.is_builder(),
            Error::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
            Error::ContentType { .. }
            | Error::Decode { .. }
            | Error::Throttled { .. }
            | Error::TimedOut { .. } => true,
            Error::Configuration { .. }
            | Error::InvalidPath { .. }
            | Error::NoRuntime
            | Error::HttpClient { .. }
            | Error::Redirect { .. }
            | Error::CrossOriginRedirect { .. }
            | Error::Moved { .. }
            | Error::TooLarge { .. } => false,
        }
    }

    /// Whether the object does not exist: the response was 404 Not Found or, if the request
    /// [rejects it](crate::Request::reject_moved), a redirect to another object.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Moved { .. }) || self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether the response was 429 Too Many Requests.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether no connection could be made: the network is down, the host is unknown or refuses the
    /// connection.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Error::Transport { cause, .. } => cause.is_connect(),
            Error::TimedOut { last: Some(last), .. } => last.is_unreachable(),
            _ => false,
        }
    }

    /// The error status of the last response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Status { status, .. } => Some(*status),
            Error::Throttled { .. } => Some(StatusCode::TOO_MANY_REQUESTS),
            Error::TimedOut { last: Some(last), .. } => last.status(),
            _ => None,
        }
    }

    /// The URL of the request; `None` if no request was sent.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.context().map(|context| &context.url)
    }

    /// How many requests were sent before the failure.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.context().map_or(0, |context| context.attempts)
    }

    /// The time from the first request to the failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.context().map_or(Duration::ZERO, |context| context.elapsed)
    }

    fn context(&self) -> Option<&RequestContext> {
        match self {
            Error::Configuration { .. }
            | Error::InvalidPath { .. }
            | Error::NoRuntime
            | Error::HttpClient { .. } => None,
            Error::Transport { context, .. }
            | Error::Redirect { context, .. }
            | Error::CrossOriginRedirect { context, .. }
            | Error::Moved { context, .. }
            | Error::Status { context, .. }
            | Error::TooLarge { context, .. }
            | Error::ContentType { context, .. }
            | Error::Decode { context, .. }
            | Error::Throttled { context, .. }
            | Error::TimedOut { context, .. } => Some(context),
        }
    }
}
