//! Reports the end of each run to a URL, as described by Standard Webhooks (<https://www.standardwebhooks.com>).

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use metrics::counter;
use reqwest::Url;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tvshows_core::RunStatus;
use tvshows_pipeline::error_chain;

use crate::cli::WebhookSettings;
use crate::config_error::ConfigError;
use crate::{http_client, upstream};

/// The time limit for an attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// The delay before the second attempt. It doubles after each failure.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(5);
/// How long an end is retried.
const MAX_RETRY_TIME: Duration = Duration::from_hours(24);
/// How many ends can be undelivered at a time: more than there are runs in a day with an ordinary schedule.
const MAX_PENDING: usize = 256;

/// The webhook, if one is configured. Clones share it.
#[derive(Clone)]
pub(crate) struct Webhook(Option<Arc<Receiver>>);

struct Receiver {
    client: reqwest::Client,
    url: Url,
    key: Option<hmac::Key>,
    deliveries: TaskTracker,
    pending: Arc<Semaphore>,
    /// The runtime of the application. That of a caller may be an HTTP worker's, which ends earlier.
    runtime: Handle,
    /// Canceled at a shutdown: each delivery makes one last attempt.
    shutdown: CancellationToken,
}

impl Webhook {
    pub(crate) fn new(settings: &WebhookSettings) -> anyhow::Result<Webhook> {
        counter!("tvshows_webhook_failures_total").increment(0);
        counter!("tvshows_webhook_dropped_total").increment(0);
        let key = settings.webhook_secret.as_ref().map(SecretString::expose_secret);
        let key = key.filter(|secret| !secret.is_empty()).map(signing_key).transpose()?;
        let url = settings.webhook_url.as_ref().map(SecretString::expose_secret);
        let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(Webhook(None)) };
        let url = url.parse().ok();
        let Some(url) = url.filter(|url: &Url| matches!(url.scheme(), "http" | "https")) else {
            // Without the URL, which may contain a secret.
            let problem = "must be a URL, such as https://example.org/hook".into();
            return Err(ConfigError { setting: "webhook_url", problem }.into());
        };
        let client = http_client::builder(&url, ATTEMPT_TIMEOUT)
            .user_agent(upstream::USER_AGENT)
            .redirect(Policy::none())
            // At level trace, the HTTP/2 library logs paths.
            .http1_only()
            .build()
            .context("cannot build the HTTP client of the webhook")?;
        Ok(Webhook(Some(Arc::new(Receiver {
            client,
            url,
            key,
            deliveries: TaskTracker::new(),
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            runtime: Handle::current(),
            shutdown: CancellationToken::new(),
        }))))
    }

    /// Delivers the final status of a run in the background.
    pub(crate) fn deliver(&self, status: &RunStatus) {
        let Some(receiver) = &self.0 else { return };
        let run = status.request_id;
        let body = match serde_json::to_string(status) {
            Ok(body) => body,
            Err(error) => return tracing::error!(run.id = %run, %error, "no webhook sent"),
        };
        let Ok(permit) = Arc::clone(&receiver.pending).try_acquire_owned() else {
            counter!("tvshows_webhook_dropped_total").increment(1);
            tracing::error!(run.id = %run, "no webhook sent: {MAX_PENDING} others are undelivered");
            return;
        };
        let delivery = Arc::clone(receiver).deliver(run.to_string(), body, permit);
        receiver.deliveries.spawn_on(delivery, &receiver.runtime);
    }

    /// Waits until everything is delivered. To be called once, after the last run.
    pub(crate) async fn wait_until_delivered(&self) {
        if let Some(receiver) = &self.0 {
            receiver.deliveries.close();
            receiver.deliveries.wait().await;
        }
    }

    /// Tries each undelivered end once more, and gives up after `limit`.
    pub(crate) async fn shutdown(&self, limit: Duration) {
        let Some(receiver) = &self.0 else { return };
        receiver.shutdown.cancel();
        if timeout(limit, self.wait_until_delivered()).await.is_err() {
            let undelivered = MAX_PENDING - receiver.pending.available_permits();
            counter!("tvshows_webhook_dropped_total").increment(undelivered as u64);
            let host = receiver.host();
            tracing::error!(undelivered, host, "the webhook did not respond before the shutdown");
        }
    }
}

impl Receiver {
    /// Sends a message until the receiver accepts it, and gives up at a shutdown or after [`MAX_RETRY_TIME`].
    async fn deliver(self: Arc<Self>, id: String, body: String, _permit: OwnedSemaphorePermit) {
        let start = Instant::now();
        let mut delay = FIRST_RETRY_DELAY;
        for attempt in 1_u32.. {
            let is_last = self.shutdown.is_cancelled() || start.elapsed() >= MAX_RETRY_TIME;
            let Err(error) = self.send(&id, &body).await else {
                tracing::info!(run.id = id, attempt, host = self.host(), "webhook delivered");
                return;
            };
            counter!("tvshows_webhook_failures_total").increment(1);
            let host = self.host();
            if is_last {
                counter!("tvshows_webhook_dropped_total").increment(1);
                tracing::error!(run.id = id, attempt, host, error, "webhook not delivered");
                return;
            }
            if attempt == 1 {
                tracing::warn!(run.id = id, host, error, "webhook failed; retrying");
            }
            let _ = timeout(delay, self.shutdown.cancelled()).await;
            delay = MAX_RETRY_DELAY.min(delay * 2);
        }
    }

    async fn send(&self, id: &str, body: &str) -> Result<(), String> {
        let timestamp = Timestamp::now().as_second();
        let mut request = self.client.post(self.url.clone());
        request = request
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp);
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", signature(key, id, timestamp, body));
        }
        match request.body(body.to_owned()).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("it returned {}", response.status())),
            Err(error) => Err(error_chain(&error.without_url())),
        }
    }

    /// The only part of the URL that is logged: the others may be secret.
    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// Decodes a secret: `whsec_` and 24 to 64 bytes in Base64.
fn signing_key(secret: &str) -> Result<hmac::Key, ConfigError> {
    let bytes = secret.strip_prefix("whsec_").and_then(|text| BASE64_STANDARD.decode(text).ok());
    let bytes = bytes.filter(|bytes| (24..=64).contains(&bytes.len()));
    let problem = "must be whsec_ and 24 to 64 bytes in Base64, as printed by \
                   `echo \"whsec_$(openssl rand -base64 32)\"`";
    let invalid = || ConfigError { setting: "webhook_secret", problem: problem.into() };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes.ok_or_else(invalid)?))
}

fn signature(key: &hmac::Key, id: &str, timestamp: i64, body: &str) -> String {
    let signed = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = signing_key(SECRET).unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature(&key, id, 1_614_265_330, "{\"test\": 2432232314}"), expected);
    }

    #[test]
    fn an_invalid_secret_is_refused_without_showing_it() {
        for invalid in [
            "hunter2",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_MfKQ9r8GKYqrTwjU",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
        ] {
            let error = signing_key(invalid).unwrap_err().to_string();
            assert!(error.contains("must be whsec_"), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("MfKQ"), "{error}");
        }
    }
}
