use std::fmt;
use std::time::Duration;

use reqwest::{StatusCode, Url};

/// Why a TVmaze call produced nothing usable.
///
/// A missing page is *not* here: running off the end of an index is how TVmaze says "done", so
/// [`Client::show_page`](crate::Client::show_page) reports it as `Ok(None)`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The builder was given a value that cannot work.
    #[error("the client cannot be built: {reason}")]
    Configuration {
        /// Which value, and what it should be.
        reason: String,
    },
    /// The HTTP client could not be made, most often because the machine has no CA certificates.
    #[error("the HTTP client cannot be built; are CA certificates installed?")]
    HttpClient {
        /// What reqwest said.
        #[source]
        source: reqwest::Error,
    },
    /// No whole answer arrived: DNS, TLS, a dropped connection or a timeout.
    #[error("no whole answer from {call}")]
    Transport {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// What reqwest said.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is a redirect that leads nowhere, a loop most often.
    #[error("no end to the redirects of {call}")]
    Redirect {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// What reqwest said.
        #[source]
        source: reqwest::Error,
    },
    /// An answer with a status that says failure.
    #[error("{call} answered {status}{}", reason(message.as_deref()))]
    Status {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// The status.
        status: StatusCode,
        /// What TVmaze says about it, such as `Not a valid ISO country code`.
        message: Option<String>,
    },
    /// The answer is larger than [`max_body_bytes`](crate::ClientBuilder::max_body_bytes).
    #[error("the answer of {call} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// The limit.
        limit: usize,
    },
    /// The answer says that it is a page or a picture: a proxy or a portal answered in TVmaze's place.
    #[error("the answer of {call} is {content_type}, not JSON")]
    ContentType {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// What the answer says that it is.
        content_type: String,
    },
    /// The answer is not JSON, or not of the documented shape.
    #[error("the answer of {call} cannot be read")]
    Decode {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// What does not fit, and where.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing but 429 for longer than [`max_throttled`](crate::RetryPolicy::max_throttled), or a
    /// `Retry-After` beyond it.
    #[error("TVmaze keeps refusing {call}: too many requests; try again in {} s", retry_after.as_secs())]
    Throttled {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// How long to wait before another try.
        retry_after: Duration,
    },
    /// The time for the whole call, retries included, ran out.
    #[error("{call} took too long")]
    TimedOut {
        /// What was asked for, and what it took.
        call: Box<Call>,
        /// The failure of the last attempt that came to an end.
        #[source]
        last: Option<Box<Error>>,
    },
}

/// What was asked for, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// What was asked for.
    pub url: Url,
    /// How many requests were sent.
    pub attempts: u32,
    /// The time from the first of them to the failure.
    pub elapsed: Duration,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)?;
        if self.attempts == 1 {
            return Ok(());
        }
        write!(f, " ({} attempts in {:.1} s)", self.attempts, self.elapsed.as_secs_f64())
    }
}

fn reason(message: Option<&str>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

impl Error {
    /// Whether the same call may succeed later: nothing is wrong with what was asked.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Transport { source, .. } => !source.is_builder(),
            Error::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
            Error::ContentType { .. }
            | Error::Decode { .. }
            | Error::Throttled { .. }
            | Error::TimedOut { .. } => true,
            Error::Configuration { .. }
            | Error::HttpClient { .. }
            | Error::Redirect { .. }
            | Error::TooLarge { .. } => false,
        }
    }

    /// Whether TVmaze says that there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Whether TVmaze says that too much was asked for.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether no connection could be made at all: no network, no such host, nobody listening.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Error::Transport { source, .. } => source.is_connect(),
            Error::TimedOut { last: Some(last), .. } => last.is_unreachable(),
            _ => false,
        }
    }

    /// The status of the last answer, if it says failure.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Status { status, .. } => Some(*status),
            Error::Throttled { .. } => Some(StatusCode::TOO_MANY_REQUESTS),
            Error::TimedOut { last: Some(last), .. } => last.status(),
            _ => None,
        }
    }

    /// What was asked for, unless nothing was sent.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.call().map(|call| &call.url)
    }

    /// How many requests were sent before the failure.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.call().map_or(0, |call| call.attempts)
    }

    /// The time from the first request to the failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.call().map_or(Duration::ZERO, |call| call.elapsed)
    }

    fn call(&self) -> Option<&Call> {
        match self {
            Error::Configuration { .. } | Error::HttpClient { .. } => None,
            Error::Transport { call, .. }
            | Error::Redirect { call, .. }
            | Error::Status { call, .. }
            | Error::TooLarge { call, .. }
            | Error::ContentType { call, .. }
            | Error::Decode { call, .. }
            | Error::Throttled { call, .. }
            | Error::TimedOut { call, .. } => Some(call),
        }
    }
}
