use std::sync::Arc;

use tracing::Span;

/// What the service tells about itself, and how.
#[derive(Clone)]
pub struct Telemetry {
    /// Renders the metrics in Prometheus' text format. May block.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Makes a span a part of the trace that a `traceparent` names.
    pub join_trace: fn(&Span, &str),
}

impl Default for Telemetry {
    /// No metrics, and traces of its own.
    fn default() -> Telemetry {
        Telemetry { metrics: Arc::new(String::new), join_trace: |_, _| {} }
    }
}
