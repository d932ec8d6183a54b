use std::time::Duration;

use reqwest::{StatusCode, Url};

/// Why a TVmaze call produced nothing usable.
///
/// A missing page is *not* here: running off the end of the index is how TVmaze says "done", so
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
    #[error("no whole answer from {url}")]
    Transport {
        /// What was asked for.
        url: Url,
        /// What reqwest said.
        #[source]
        source: reqwest::Error,
    },
    /// An answer with a status that says failure.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: Url,
        /// The status.
        status: StatusCode,
    },
    /// The answer is larger than [`max_body_bytes`](crate::ClientBuilder::max_body_bytes).
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// The limit.
        limit: usize,
    },
    /// The answer is not JSON, or not of the documented shape.
    #[error("the answer of {url} cannot be read")]
    Decode {
        /// What was asked for.
        url: Url,
        /// What does not fit, and where.
        #[source]
        source: serde_json::Error,
    },
    /// Every attempt failed.
    #[error("gave up after {attempts} attempts in {:.1} s", elapsed.as_secs_f64())]
    Exhausted {
        /// How many requests were sent.
        attempts: u32,
        /// The time from the first attempt to the end of the last one.
        elapsed: Duration,
        /// The failure of the last attempt.
        #[source]
        last: Box<Error>,
    },
}

impl Error {
    /// Whether the same call may succeed later: nothing is wrong with what was asked.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Transport { source, .. } => !source.is_redirect() && !source.is_builder(),
            Error::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
            Error::Decode { .. } => true,
            Error::Exhausted { last, .. } => last.is_transient(),
            Error::Configuration { .. } | Error::HttpClient { .. } | Error::TooLarge { .. } => {
                false
            }
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
            Error::Exhausted { last, .. } => last.is_unreachable(),
            _ => false,
        }
    }

    /// How many requests were sent before the failure.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Error::Configuration { .. } | Error::HttpClient { .. } => 0,
            Error::Exhausted { attempts, .. } => *attempts,
            _ => 1,
        }
    }

    fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Status { status, .. } => Some(*status),
            Error::Exhausted { last, .. } => last.status(),
            _ => None,
        }
    }
}
