//! Runs one call: its requests, retries and waits.

mod attempt;
mod call_state;
mod streamed_body;

use std::time::Duration;

use reqwest::Url;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::call_state::{AttemptError, CallState};
use crate::client::Inner;
use crate::decode::Recover;
use crate::error::Error;
use crate::metrics;
use crate::rate_limit::{ConcurrencyPermit, Priority, SendPermit};
use crate::request::BodyOptions;
use crate::retry::RetryState;

impl Inner {
    /// Gets `url` and decodes the response. The call timeout starts with the first request; waiting
    /// for other calls before it is unlimited.
    pub(crate) async fn execute<T: DeserializeOwned + Send + 'static>(
        &self,
        url: Url,
        rejects_moved: bool,
        recover: Recover<T>,
        body: BodyOptions,
    ) -> Result<T, Error> {
        let permit = self.limiter.acquire().await;
        let send_permit = permit.acquire_send(Priority::New).await;
        let endpoint = metrics::endpoint(&url, &self.base_url);
        let mut call = CallState::new(url, endpoint, rejects_moved, body);
        let result = self.execute_with_retries(permit, send_permit, &mut call, recover);
        if let Ok(result) = timeout(self.call_timeout, result).await {
            return result;
        }
        Err(Error::TimedOut { context: call.context(), last: call.last_error.map(Box::new) })
    }

    async fn execute_with_retries<'a, T: DeserializeOwned + Send + 'static>(
        &'a self,
        mut permit: ConcurrencyPermit<'a>,
        mut send_permit: SendPermit<'a>,
        call: &mut CallState,
        recover: Recover<T>,
    ) -> Result<T, Error> {
        let mut retry = RetryState::new(self.retry);
        loop {
            call.attempts += 1;
            let failure = match self.attempt(call, send_permit, recover).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            if failure.error.is_rate_limited() {
                // The call keeps its concurrency permit and goes before new calls.
                send_permit = self.wait_out_429(&permit, call, failure).await?;
            } else {
                drop(permit);
                backoff(&mut retry, call, failure).await?;
                permit = self.limiter.acquire().await;
                send_permit = permit.acquire_send(Priority::New).await;
            }
        }
    }

    /// Waits until a rate-limited request may be sent again, for at most `max_throttle_time`.
    async fn wait_out_429<'a>(
        &self,
        permit: &ConcurrencyPermit<'a>,
        call: &mut CallState,
        failure: AttemptError,
    ) -> Result<SendPermit<'a>, Error> {
        let since = *call.throttled_since.get_or_insert_with(Instant::now);
        let throttled_for = since.elapsed().max(self.limiter.throttled_for());
        let remaining = self.retry.max_throttle_time.saturating_sub(throttled_for);
        let give_up = |call: &CallState| {
            let retry_after = failure.retry_after.unwrap_or(self.retry.max_throttle_time);
            Err(Error::Throttled { context: call.context(), retry_after })
        };
        if remaining.is_zero() || failure.retry_after.unwrap_or_default() > remaining {
            return give_up(call);
        }
        call.last_error = Some(failure.error);
        let send_permit = permit.acquire_send(Priority::RetryAfter429);
        match timeout_at(Instant::now() + remaining, send_permit).await {
            Ok(send_permit) => Ok(send_permit),
            Err(_) => give_up(call),
        }
    }
}

/// Waits before the next attempt after a failure other than a 429; fails if there is none.
async fn backoff(
    retry: &mut RetryState,
    call: &mut CallState,
    failure: AttemptError,
) -> Result<(), Error> {
    let AttemptError { error, retry_after } = failure;
    let Some(delay) = retry.next_delay(&error, retry_after) else { return Err(error) };
    tracing::debug!(
        error = &error as &dyn std::error::Error,
        attempt = call.attempts,
        delay_ms = milliseconds(delay),
        "retrying request"
    );
    call.last_error = Some(error);
    sleep(delay).await;
    Ok(())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
