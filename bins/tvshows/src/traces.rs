//! Spans for a collector of traces, by OTLP over HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::config::WrongSetting;

/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a stop waits for the last batch: together with the rest it stays below the ten seconds after
/// which containers are killed.
const LAST_BATCH: Duration = Duration::from_secs(1);

/// The way of spans to a collector, if there is one.
#[derive(Default)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Spans go to `{endpoint}/v1/traces`, in batches, from a thread of their own. What the collector does not
    /// take in time is dropped.
    pub(crate) fn start(endpoint: Option<&str>) -> anyhow::Result<Traces> {
        let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
            return Ok(Traces::default());
        };
        let wrong = || WrongSetting {
            setting: "OTLP_ENDPOINT",
            problem: "must be the URL of a collector, such as http://localhost:4318".into(),
        };
        let url: reqwest::Url = endpoint.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong().into());
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).build();
        let http = http.context("the HTTP client for OTLP_ENDPOINT cannot be built")?;
        let client = Sender { http, runtime: Handle::current(), fails: AtomicBool::default() };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_timeout(PATIENCE)
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
            .with_batch_exporter(WithKinds(exporter))
            .build();
        Ok(Traces(Some(provider)))
    }

    /// What passes spans on: those of runs, of requests that may change something, of requests to TVmaze.
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

    /// Sends what has not been sent.
    pub(crate) async fn end(self) {
        if let Some(provider) = self.0 {
            let ending = move || provider.shutdown_with_timeout(LAST_BATCH);
            let _ = tokio::task::spawn_blocking(ending).await;
        }
    }
}

/// Makes a span a part of the trace that a `traceparent` names.
pub(crate) fn join(span: &Span, traceparent: &str) {
    let headers = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&headers);
    // Without a collector, there is nothing to join.
    let _ = span.set_parent(context);
}

/// Sends batches by the runtime of everything else.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
    fails: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (batch, body) = request.into_parts();
        let post = self.http.post(batch.uri.to_string()).headers(batch.headers).body(body);
        let sending = self.runtime.spawn(async move {
            let answer = post.send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let answer = sending.await?;
        let trouble = match &answer {
            Ok((status, _)) if status.is_success() => None,
            Ok((status, _)) => Some(format!("it answered {status}")),
            Err(error) => Some(error.to_string()),
        };
        if self.fails.swap(trouble.is_some(), Relaxed) != trouble.is_some() {
            if let Some(error) = trouble {
                tracing::warn!(error, "the collector of traces takes nothing");
            } else {
                tracing::info!("the collector of traces works again");
            }
        }
        let (status, body) = answer?;
        Ok(Response::builder().status(status).body(body)?)
    }
}

/// Says who asks and who answers, which spans of `tracing` do not.
#[derive(Debug)]
struct WithKinds<E>(E);

impl<E: SpanExporter> SpanExporter for WithKinds<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            span.span_kind = match span.name.as_ref() {
                "http request" => SpanKind::Server,
                "tvmaze request" => SpanKind::Client,
                _ => SpanKind::Internal,
            };
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
