//! The service's metrics: their descriptions, and the recorder that Prometheus scrapes.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

/// How often histogram samples are moved into their buckets; until then, each takes a few bytes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// In seconds: for requests, transactions, and waits.
const LATENCY_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// In seconds: for the steps of a run.
const STEP_BUCKETS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0];

const COUNTERS: &[(&str, &str)] = &[
    ("tvshows_http_requests_total", "HTTP requests completed"),
    (
        "tvshows_http_rejections_total",
        "HTTP requests that were malformed, failed, or rejected at capacity, and rejected changes, by error code",
    ),
    ("tvshows_runs_total", "Updates finished by this process, by final state"),
    ("tvshows_tracker_errors_total", "Progress tracker operations that failed"),
    ("tvshows_webhook_failures_total", "Requests to the webhook that failed, including retries"),
    ("tvshows_webhook_dropped_total", "Results of updates that the webhook did not accept in time"),
    ("tvmaze_client_requests_total", "Requests to TVmaze, including retries, by outcome"),
    ("tvmaze_client_retries_total", "Requests to TVmaze that retried a failed one"),
    ("tvmaze_client_received_bytes_total", "Response bytes received from TVmaze, decompressed"),
];
const GAUGES: &[(&str, &str)] = &[
    ("tvshows_build_info", "Always 1; the label is the version"),
    ("tvshows_http_requests_in_flight", "HTTP requests in progress"),
    ("tvshows_http_event_streams", "Open event streams"),
    ("tvshows_run_in_progress", "1 while this process runs an update"),
    ("tvshows_runs_queued", "Updates in the queue"),
    ("tvshows_shows", "Published shows"),
    ("tvshows_last_success_timestamp_seconds", "When an update last succeeded, in any process"),
    ("tvshows_store_database_bytes", "Size of the database file"),
    ("tvshows_store_wal_bytes", "Size of the write-ahead log"),
    ("tvshows_store_free_bytes", "Free space on the disk of the database"),
    (
        "tvshows_replica_lag_snapshots",
        "How many snapshots the local copy lacks; absent without a shared database",
    ),
    (
        "tvshows_replica_lag_seconds",
        "How long ago the local copy was last known to be current; absent without a shared database",
    ),
    (
        "tvmaze_client_rate_limit",
        "Maximum number of calls per second; absent until TVmaze has rate-limited a call",
    ),
];
const HISTOGRAMS: &[(&str, &str)] = &[
    ("tvshows_http_request_duration_seconds", "Time until the response headers"),
    ("tvshows_run_step_duration_seconds", "Duration of each step of an update"),
    ("tvshows_store_transaction_duration_seconds", "Duration of write transactions"),
    (
        "tvshows_replica_connection_wait_seconds",
        "Time until an operation had a connection to the shared database",
    ),
    ("tvshows_tracker_operation_duration_seconds", "Duration of progress tracker operations"),
    ("tvmaze_client_request_duration_seconds", "Time until the end of TVmaze's response"),
    ("tvmaze_client_throttle_duration_seconds", "Time that calls waited for the rate limit"),
];

/// A process can have only one recorder, but tests build several applications.
static RECORDER: LazyLock<Result<PrometheusHandle, String>> =
    LazyLock::new(|| install_recorder().map_err(|error| error.to_string()));

/// Starts recording metrics. Returns a function that renders them.
pub(crate) fn start() -> anyhow::Result<Arc<dyn Fn() -> String + Send + Sync>> {
    let handle = RECORDER.clone().map_err(anyhow::Error::msg)?;
    tokio::spawn(run_upkeep(handle.clone()));
    Ok(Arc::new(move || {
        let text = handle.render();
        #[cfg(target_os = "linux")]
        let text = text + &crate::process_metrics::render();
        text
    }))
}

fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let steps = Matcher::Full("tvshows_run_step_duration_seconds".into());
    let recorder = PrometheusBuilder::new().set_buckets(LATENCY_BUCKETS)?;
    let handle = recorder.set_buckets_for_metric(steps, STEP_BUCKETS)?.install_recorder()?;
    for (name, help) in COUNTERS {
        describe_counter!(*name, *help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(*name, *help);
    }
    for (name, help) in HISTOGRAMS {
        describe_histogram!(*name, *help);
    }
    gauge!("tvshows_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    Ok(handle)
}

/// Runs until the runtime shuts down.
async fn run_upkeep(handle: PrometheusHandle) {
    let mut interval = interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        handle.run_upkeep();
    }
}
