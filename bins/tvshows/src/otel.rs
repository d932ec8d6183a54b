//! Exports spans to an OpenTelemetry collector, using OTLP over HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::config_error::ConfigError;
use crate::http_client;

/// The time limit for sending a batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time limit for the last batch. A shutdown must take less than the ten seconds after which container runtimes
/// kill a process.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Exports spans if a collector is configured.
pub(crate) struct TraceExporter(Option<SdkTracerProvider>);

impl TraceExporter {
    /// Sends spans to `{endpoint}/v1/traces`, in batches and from a separate thread. Drops the spans that the collector
    /// does not accept in time.
    pub(crate) fn start(endpoint: Option<&str>) -> anyhow::Result<TraceExporter> {
        let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
            return Ok(TraceExporter(None));
        };
        let url = endpoint.parse::<reqwest::Url>().ok();
        let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) else {
            let problem = "must be the URL of a collector, such as http://localhost:4318".into();
            return Err(ConfigError { setting: "otel_exporter_otlp_endpoint", problem }.into());
        };
        let http = http_client::build(&url, EXPORT_TIMEOUT);
        let http = http.context("cannot build the HTTP client of the trace exporter")?;
        let client =
            HttpSender { http, runtime: Handle::current(), failing: AtomicBool::default() };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_timeout(EXPORT_TIMEOUT)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let service = Resource::builder()
            .with_service_name("tvshows")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(service)
            .with_batch_exporter(exporter)
            .build();
        Ok(TraceExporter(Some(provider)))
    }

    /// The layer that exports the spans of runs, of API requests that change something, and of requests to TVmaze.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.0.as_ref()?.tracer("tvshows");
        let spans = Targets::new()
            .with_target("tvshows", LevelFilter::INFO)
            .with_target("tvmaze_client", LevelFilter::DEBUG);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        Some(layer.with_location(false).with_threads(false).with_filter(spans))
    }

    /// Sends the remaining spans.
    pub(crate) async fn shutdown(self) {
        if let Some(provider) = self.0 {
            let flush = move || provider.shutdown_with_timeout(FLUSH_TIMEOUT);
            let _ = tokio::task::spawn_blocking(flush).await;
        }
    }
}

/// Makes a span part of the trace in a `traceparent` header.
pub(crate) fn set_remote_parent(span: &Span, traceparent: &str) {
    let headers = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&headers);
    // Fails if no collector is configured.
    let _ = span.set_parent(context);
}

/// Sends batches on the runtime of the application: the exporter's own thread has none.
#[derive(Debug)]
struct HttpSender {
    http: reqwest::Client,
    runtime: Handle,
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for HttpSender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (batch, body) = request.into_parts();
        let post = self.http.post(batch.uri.to_string()).headers(batch.headers).body(body);
        let sending = self.runtime.spawn(async move {
            let response = post.send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        });
        let response = sending.await?;
        let error = match &response {
            Ok((status, _)) if status.is_success() => None,
            Ok((status, _)) => Some(format!("the collector returned {status}")),
            Err(error) => Some(error.to_string()),
        };
        // Logged once per outage.
        if self.failing.swap(error.is_some(), Relaxed) != error.is_some() {
            if let Some(error) = error {
                tracing::warn!(error, "trace collector unavailable");
            } else {
                tracing::info!("trace collector available again");
            }
        }
        let (status, body) = response?;
        Ok(Response::builder().status(status).body(body)?)
    }
}
