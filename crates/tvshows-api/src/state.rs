use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::Span;
use tvshows_core::Catalog;
use tvshows_pipeline::{RunLog, Runner};

use crate::cache::response_cache::ResponseCache;

/// What the routes share.
#[derive(Clone)]
pub struct AppState {
    /// Runs updates; also knows their status and history.
    pub runner: Runner,
    /// The log lines of the last runs.
    pub run_log: RunLog,
    /// The published data.
    pub catalog: Arc<dyn Catalog>,
    /// Responses with data of `catalog`.
    pub responses: Arc<ResponseCache>,
    /// For how many seconds a CDN may serve data without asking; `None` if it must revalidate each response.
    pub cdn_max_age: Option<NonZeroU32>,
    /// Where exports are cached; the system's temporary directory if it is read-only.
    pub cache_folder: PathBuf,
}

/// How the service exposes its metrics and joins distributed traces.
#[derive(Clone)]
pub struct Telemetry {
    /// Renders the metrics in the Prometheus text format. May block.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Makes a span part of the trace that a `traceparent` header names.
    pub join_trace: fn(&Span, &str),
}

impl Default for Telemetry {
    /// Exposes no metrics and ignores `traceparent`.
    fn default() -> Telemetry {
        Telemetry { render_metrics: Arc::new(String::new), join_trace: |_, _| {} }
    }
}
