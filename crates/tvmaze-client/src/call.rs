//! One call: its requests, retries and waits.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::adaptive::{Answer, Attempt};
use crate::client::Inner;
use crate::error::{Call, Error};
use crate::limit::{Admission, Place};
use crate::metrics::{self, Sent};
use crate::retry::{Schedule, parse_retry_after};

/// Bodies beyond this are decoded off the runtime's own threads: a page takes milliseconds.
const DECODED_IN_PLACE: usize = 32 * 1024;
/// TVmaze's own error bodies have some 80 bytes.
const MAX_ERROR_BODY: usize = 4 * 1024;

/// A call under way.
struct Progress {
    url: Url,
    endpoint: String,
    started: Instant,
    attempts: u32,
    /// The first 429.
    refused_since: Option<Instant>,
    last: Option<Error>,
}

/// An attempt that failed.
struct Failure {
    error: Error,
    retry_after: Option<Duration>,
}

impl Progress {
    fn call(&self) -> Call {
        let elapsed = self.started.elapsed();
        Call { url: self.url.clone(), attempts: self.attempts, elapsed }
    }

    fn transport(&self, source: reqwest::Error) -> Error {
        // reqwest's own text would repeat the URL.
        let (call, source) = (self.call().into(), source.without_url());
        if source.is_redirect() {
            Error::Redirect { call, source }
        } else {
            Error::Transport { call, source }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, retry_after: None }
    }
}

impl Inner {
    /// Waits for its turn, however long the line is, and then for an answer, no longer than the call
    /// may take.
    pub(crate) async fn call<T>(&self, url: Url) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let place = self.limiter.place().await;
        let admission = place.admit(Attempt::Fresh).await;
        let (started, endpoint) = (Instant::now(), metrics::endpoint(&url, &self.base_url));
        let mut progress =
            Progress { url, endpoint, started, attempts: 0, refused_since: None, last: None };
        let attempts = self.attempts(place, admission, &mut progress);
        if let Ok(result) = timeout(self.call_timeout, attempts).await {
            return result;
        }
        Err(Error::TimedOut { call: progress.call().into(), last: progress.last.map(Box::new) })
    }

    /// The one retry loop.
    async fn attempts<'a, T>(
        &'a self,
        mut place: Place<'a>,
        mut admission: Admission<'a>,
        progress: &mut Progress,
    ) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let mut schedule = self.retry.schedule();
        loop {
            progress.attempts += 1;
            let failure = match self.attempt(progress, admission).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.error.is_rate_limited() {
                // It keeps its place, and comes before those that were not refused.
                admission = self.admit_again(&place, progress, failure).await?;
            } else {
                drop(place);
                wait(&mut schedule, progress, failure).await?;
                place = self.limiter.place().await;
                admission = place.admit(Attempt::Fresh).await;
            }
        }
    }

    /// Waits for the next turn of a call that got a 429, while there is hope.
    async fn admit_again<'a>(
        &self,
        place: &Place<'a>,
        progress: &mut Progress,
        failure: Failure,
    ) -> Result<Admission<'a>, Error> {
        let since = *progress.refused_since.get_or_insert_with(Instant::now);
        let refused_for = since.elapsed().max(self.limiter.refused_for());
        let left = self.retry.max_throttled.saturating_sub(refused_for);
        let retry_after = failure.retry_after.unwrap_or_default();
        let hopeless = |progress: &Progress| {
            let retry_after = failure.retry_after.unwrap_or(self.retry.max_throttled);
            Err(Error::Throttled { call: progress.call().into(), retry_after })
        };
        if left.is_zero() || retry_after > left {
            return hopeless(progress);
        }
        progress.last = Some(failure.error);
        match timeout_at(Instant::now() + left, place.admit(Attempt::Refused)).await {
            Ok(admission) => Ok(admission),
            Err(_) => hopeless(progress),
        }
    }

    async fn attempt<T>(&self, progress: &Progress, admission: Admission<'_>) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let attempt = progress.attempts;
        let path = progress.url.path();
        let span = tracing::debug_span!(
            "tvmaze request",
            otel.kind = "client",
            url.path = path,
            attempt,
            status = Empty,
            duration_ms = Empty
        );
        let (since, sent) = (Instant::now(), Sent::now(&progress.endpoint, attempt));
        let result = self.answer(progress, admission).instrument(span.clone()).await;
        sent.ended(result.as_ref().err().map(|failure| &failure.error));
        span.record("duration_ms", milliseconds(since.elapsed()));
        result
    }

    async fn answer<T>(&self, progress: &Progress, admission: Admission<'_>) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.counters.sent(progress.attempts);
        let sending = self.http.get(progress.url.clone()).send();
        let response = sending.await.map_err(|source| progress.transport(source))?;
        let status = response.status();
        Span::current().record("status", status.as_u16());
        let retry_after = retry_after(&response);
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.counters.was_rate_limited();
            // Nobody is held back longer than a call may be.
            let delay = retry_after.map(|delay| delay.min(self.retry.max_throttled));
            admission.settle(Answer::Limited(delay));
        } else {
            admission.settle(Answer::Passed);
        }
        if !status.is_success() {
            let message = self.message(response).await;
            let error = Error::Status { call: progress.call().into(), status, message };
            return Err(Failure { error, retry_after });
        }
        if let Some(content_type) = not_json(&response) {
            return Err(Error::ContentType { call: progress.call().into(), content_type }.into());
        }
        let body = self.body(progress, response).await?;
        let decoded = self.decode(body).await;
        Ok(decoded.map_err(|source| Error::Decode { call: progress.call().into(), source })?)
    }

    async fn body(&self, progress: &Progress, mut response: Response) -> Result<Vec<u8>, Error> {
        let limit = self.max_body_bytes;
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(length.unwrap_or_default().min(limit));
        while let Some(chunk) =
            response.chunk().await.map_err(|source| progress.transport(source))?
        {
            self.counters.received(chunk.len());
            metrics::received(chunk.len());
            if body.len() + chunk.len() > limit {
                return Err(Error::TooLarge { call: progress.call().into(), limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn decode<T>(&self, body: Vec<u8>) -> Result<T, serde_json::Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        if body.len() <= DECODED_IN_PLACE {
            return serde_json::from_slice(&body);
        }
        // The semaphore is never closed.
        let _permit = self.decoders.acquire().await;
        match tokio::task::spawn_blocking(move || serde_json::from_slice(&body)).await {
            Ok(decoded) => decoded,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and will not poll this future again.
                Err(_cancelled) => std::future::pending().await,
            },
        }
    }

    /// TVmaze's own words about a failure, if they arrive whole.
    async fn message(&self, mut response: Response) -> Option<String> {
        #[derive(Deserialize)]
        struct Problem {
            message: String,
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            self.counters.received(chunk.len());
            metrics::received(chunk.len());
            if body.len() + chunk.len() > MAX_ERROR_BODY {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        let problem: Problem = serde_json::from_slice(&body).ok()?;
        Some(problem.message).filter(|message| !message.is_empty())
    }
}

/// Waits before the next attempt after a failure other than a 429, or says that there is none.
async fn wait(
    schedule: &mut Schedule,
    progress: &mut Progress,
    failure: Failure,
) -> Result<(), Error> {
    let Failure { error, retry_after } = failure;
    let Some(delay) = schedule.delay_after(&error, retry_after) else { return Err(error) };
    tracing::debug!(
        error = &error as &dyn std::error::Error,
        attempt = progress.attempts,
        delay_ms = milliseconds(delay),
        "a request is tried again"
    );
    progress.last = Some(error);
    sleep(delay).await;
    Ok(())
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(header, SystemTime::now())
}

/// The media type of an answer that cannot be JSON. Plain text may be: some static servers say so.
fn not_json(response: &Response) -> Option<String> {
    let content_type = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/')?;
    let is_other = match kind {
        "text" => !matches!(subtype, "plain" | "json"),
        "image" | "audio" | "video" | "font" => true,
        _ => subtype == "xml" || subtype.ends_with("+xml"),
    };
    is_other.then_some(media_type)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
