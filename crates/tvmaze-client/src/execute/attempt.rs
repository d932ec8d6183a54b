use std::time::SystemTime;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::call_state::{AttemptError, CallState};
use super::milliseconds;
use crate::client::Inner;
use crate::decode::{DecodeError, Recover, decode};
use crate::error::Error;
use crate::metrics::{self, RequestTimer};
use crate::rate_limit::{Feedback, SendPermit};
use crate::retry::parse_retry_after;

/// Larger bodies are decoded off the runtime's worker threads: an index page takes milliseconds.
const MAX_INLINE_DECODE_BYTES: usize = 32 * 1024;
/// TVmaze's own error bodies have about 80 bytes.
const MAX_ERROR_BODY_BYTES: usize = 4 * 1024;

impl Inner {
    /// Sends one request and decodes the response.
    pub(super) async fn attempt<T: DeserializeOwned + Send + 'static>(
        &self,
        call: &CallState,
        permit: SendPermit<'_>,
        recover: Recover<T>,
    ) -> Result<T, AttemptError> {
        let attempt = call.attempts;
        let path = call.url.path();
        let span = tracing::debug_span!(
            "tvmaze request",
            otel.kind = "client",
            url.path = path,
            attempt,
            status = Empty,
            duration_ms = Empty
        );
        let (since, timer) = (Instant::now(), RequestTimer::start(&call.endpoint, attempt));
        let result = self.send(call, permit, recover).instrument(span.clone()).await;
        timer.finish(result.as_ref().err().map(|failure| &failure.error));
        span.record("duration_ms", milliseconds(since.elapsed()));
        result
    }

    async fn send<T: DeserializeOwned + Send + 'static>(
        &self,
        call: &CallState,
        permit: SendPermit<'_>,
        recover: Recover<T>,
    ) -> Result<T, AttemptError> {
        self.counters.record_request(call.attempts);
        let sending = self.request(call.url.clone()).send();
        let response = sending.await.map_err(|cause| call.transport_error(cause))?;
        // A client of the application follows redirects by its own policy.
        if !self.allow_cross_origin_redirects && response.url().origin() != call.url.origin() {
            return Err(call.cross_origin_redirect(response.url().clone()).into());
        }
        let status = response.status();
        Span::current().record("status", status.as_u16());
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| parse_retry_after(text, SystemTime::now()));
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.counters.record_429();
            // No other call is paused for longer than it may be throttled.
            let pause = retry_after.map(|delay| delay.min(self.retry.max_throttle_time));
            permit.report(Feedback::Throttled(pause));
        } else {
            permit.report(Feedback::Accepted);
        }
        if !status.is_success() {
            let message = self.error_message(response).await;
            let error = Error::Status { context: call.context(), status, message };
            return Err(AttemptError { error, retry_after });
        }
        if let Some(content_type) = unexpected_content_type(&response) {
            return Err(Error::ContentType { context: call.context(), content_type }.into());
        }
        // Before decoding: a redirect may lose the query, and the response then lacks the embeds.
        if call.is_moved(response.url()) {
            let location = Box::new(response.url().clone());
            return Err(Error::Moved { context: call.context(), location }.into());
        }
        let limit = call.body.max_bytes.unwrap_or(self.max_body_bytes);
        let decoded = if call.body.is_streamed {
            self.decode_while_reading(response, limit).await
        } else {
            match self.read_body(response, limit).await {
                Ok(Some(body)) => Ok(Some(self.decode(body, recover).await)),
                Ok(None) => Ok(None),
                Err(cause) => Err(cause),
            }
        };
        let decoded = decoded
            .map_err(|cause| call.transport_error(cause))?
            .ok_or_else(|| Error::TooLarge { context: call.context(), limit })?;
        Ok(decoded.map_err(|error| {
            let DecodeError { cause, path, id } = error;
            Error::Decode { context: call.context(), path, id, cause }
        })?)
    }

    fn request(&self, url: Url) -> RequestBuilder {
        let request = self.http.get(url).timeout(self.request_timeout);
        let request = request.header(ACCEPT, "application/json");
        match &self.user_agent {
            Some(user_agent) => request.header(USER_AGENT, user_agent.clone()),
            None => request,
        }
    }

    /// Reads a body; `None` if it is larger than `limit`.
    async fn read_body(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, reqwest::Error> {
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(length.unwrap_or_default().min(limit));
        while let Some(chunk) = self.read_chunk(&mut response).await? {
            if body.len() + chunk.len() > limit {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    pub(super) async fn read_chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<Bytes>, reqwest::Error> {
        let chunk = response.chunk().await?;
        if let Some(chunk) = &chunk {
            self.counters.record_bytes(chunk.len());
            metrics::record_bytes(chunk.len());
        }
        Ok(chunk)
    }

    async fn decode<T: DeserializeOwned + Send + 'static>(
        &self,
        body: Vec<u8>,
        recover: Recover<T>,
    ) -> Result<T, DecodeError> {
        if body.len() <= MAX_INLINE_DECODE_BYTES {
            return decode(&body, recover);
        }
        // The semaphore is never closed.
        let _permit = self.decoders.acquire().await;
        join(tokio::task::spawn_blocking(move || decode(&body, recover))).await
    }

    /// Reads TVmaze's message from the body of an error response.
    async fn error_message(&self, response: Response) -> Option<String> {
        #[derive(Deserialize)]
        struct Problem {
            message: String,
        }
        let body = self.read_body(response, MAX_ERROR_BODY_BYTES).await.ok()??;
        let problem: Problem = decode(&body, |_, error| Err(error)).ok()?;
        Some(problem.message).filter(|message| !message.is_empty())
    }
}

/// Waits for the result of a blocking task.
pub(super) async fn join<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and will not poll this future again.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

/// The media type of a response that cannot be JSON. Some static servers send JSON as plain text.
fn unexpected_content_type(response: &Response) -> Option<String> {
    let content_type = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/')?;
    let is_unexpected = match kind {
        "text" => !matches!(subtype, "plain" | "json"),
        "image" | "audio" | "video" | "font" => true,
        _ => subtype == "xml" || subtype.ends_with("+xml"),
    };
    is_unexpected.then_some(media_type)
}
