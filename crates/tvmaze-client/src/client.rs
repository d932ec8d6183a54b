use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::{Stream, StreamExt, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;

use crate::limit::Limiter;
use crate::retry::{RetryPolicy, parse_retry_after};
use crate::stats::{Counters, Stats};
use crate::{CastMember, ClientBuilder, Error, PageIndex, Show, ShowId};

/// A client for TVmaze. Clones share their connections, limits and counts.
///
/// Every call retries by the client's [`RetryPolicy`] and may be dropped at any time.
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
    pub(crate) max_body_bytes: usize,
    pub(crate) counters: Counters,
}

/// A page of the show index.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowPage {
    /// Its place in the index.
    pub index: PageIndex,
    /// Up to 250 shows, by id; none where every id of the page was deleted.
    pub shows: Vec<Show>,
}

/// How far back a map of updates reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl Client {
    /// Settings for a new client, all at their defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A page of the show index; `None` past its end.
    ///
    /// TVmaze serves a page for up to 24 hours from a cache.
    ///
    /// # Errors
    ///
    /// Whatever [`Error`] names, a 404 excepted.
    pub async fn show_page(&self, page: PageIndex) -> Result<Option<Vec<Show>>, Error> {
        match self.fetch(&format!("/shows?page={page}")).await {
            Ok(shows) => Ok(Some(shows)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The pages of the show index from `from` to its end, in order.
    ///
    /// As many pages as the client's concurrency are fetched ahead, so up to that many requests less
    /// one go beyond the end. The first error is the last item.
    pub fn show_pages(
        &self,
        from: PageIndex,
    ) -> impl Stream<Item = Result<ShowPage, Error>> + Send + use<> {
        let client = self.clone();
        stream::iter(from.0..)
            .map(move |number| {
                let client = client.clone();
                async move {
                    let index = PageIndex(number);
                    let shows = client.show_page(index).await.transpose()?;
                    Some(shows.map(|shows| ShowPage { index, shows }))
                }
            })
            .buffered(self.inner.concurrency)
            .scan(false, |failed, page| {
                let ended = *failed;
                *failed = matches!(page, Some(Err(_)));
                ready(page.filter(|_| !ended))
            })
    }

    /// A show.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] tells a show that does not exist, or no longer.
    pub async fn show(&self, id: ShowId) -> Result<Show, Error> {
        self.fetch(&format!("/shows/{id}")).await
    }

    /// The cast of a show, in TVmaze's order of importance; empty where none is known.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] tells a show that does not exist, or no longer.
    pub async fn cast(&self, show: ShowId) -> Result<Vec<CastMember>, Error> {
        self.fetch(&format!("/shows/{show}/cast")).await
    }

    /// When each show was last changed, in Unix time: every show that exists, or those changed
    /// within `since`.
    ///
    /// # Errors
    ///
    /// Whatever [`Error`] names.
    pub async fn show_updates(&self, since: Option<Since>) -> Result<BTreeMap<ShowId, i64>, Error> {
        let query = match since {
            None => "",
            Some(Since::Day) => "?since=day",
            Some(Since::Week) => "?since=week",
            Some(Since::Month) => "?since=month",
        };
        self.fetch(&format!("/updates/shows{query}")).await
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

    /// The one retry loop.
    async fn fetch<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Result<T, Error> {
        let url = self.inner.url(path)?;
        let started = Instant::now();
        let mut schedule = self.inner.retry.schedule();
        let mut attempt = 1;
        loop {
            let failure = match self.inner.attempt(&url, attempt).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(delay) = schedule.delay_after(&failure.error, failure.retry_after) else {
                return Err(exhausted(failure.error, attempt, started.elapsed()));
            };
            tracing::debug!(
                error = &failure.error as &dyn std::error::Error,
                attempt,
                delay_ms = delay.as_millis(),
                "a request is tried again"
            );
            if failure.error.is_rate_limited() {
                self.inner.limiter.pause(delay);
            } else {
                tokio::time::sleep(delay).await;
            }
            attempt += 1;
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url.as_str())
            .finish_non_exhaustive()
    }
}

/// The error of a call whose last attempt, the only one perhaps, ended in `error`.
fn exhausted(error: Error, attempts: u32, elapsed: Duration) -> Error {
    if attempts == 1 && !error.is_transient() {
        return error;
    }
    Error::Exhausted { attempts, elapsed, last: Box::new(error) }
}

struct Failure {
    error: Error,
    retry_after: Option<Duration>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, retry_after: None }
    }
}

/// Bodies beyond this are decoded off the runtime's own threads: a page takes milliseconds.
const DECODED_IN_PLACE: usize = 32 * 1024;

impl Inner {
    fn url(&self, path: &str) -> Result<Url, Error> {
        let text = format!("{}{path}", self.base_url.as_str().trim_end_matches('/'));
        text.parse().map_err(|error| Error::Configuration { reason: format!("{text}: {error}") })
    }

    async fn attempt<T: DeserializeOwned + Send + 'static>(
        &self,
        url: &Url,
        attempt: u32,
    ) -> Result<T, Failure> {
        let _permit = self.limiter.admit().await;
        self.counters.sent(attempt);
        let started = Instant::now();
        let response = self.http.get(url.clone()).send().await.map_err(transport(url))?;
        let status = response.status();
        if !status.is_success() {
            if status.as_u16() == 429 {
                self.counters.was_rate_limited();
            }
            let retry_after = retry_after(&response);
            return Err(Failure { error: Error::Status { url: url.clone(), status }, retry_after });
        }
        let body = self.body(url, response).await?;
        let duration_ms = started.elapsed().as_millis();
        tracing::debug!(
            url.path = url.path(),
            attempt,
            status = status.as_u16(),
            duration_ms,
            "answered"
        );
        Ok(decode(url, body).await?)
    }

    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport(url))? {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(Error::TooLarge { url: url.clone(), limit: self.max_body_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn transport(url: &Url) -> impl FnOnce(reqwest::Error) -> Error {
    // reqwest's own text would repeat the URL.
    |source| Error::Transport { url: url.clone(), source: source.without_url() }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(header, SystemTime::now())
}

async fn decode<T: DeserializeOwned + Send + 'static>(
    url: &Url,
    body: Vec<u8>,
) -> Result<T, Error> {
    let decoded = if body.len() <= DECODED_IN_PLACE {
        serde_json::from_slice(&body)
    } else {
        let decoding = tokio::task::spawn_blocking(move || serde_json::from_slice(&body));
        match decoding.await {
            Ok(decoded) => decoded,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and will not poll this future again.
                Err(_cancelled) => std::future::pending().await,
            },
        }
    };
    decoded.map_err(|source| Error::Decode { url: url.clone(), source })
}
