//! The service's metrics: what each means, and how Prometheus reads them.

use std::sync::Arc;
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::interval;

use crate::process;

/// How often measured times go into their buckets; until then, each takes a few bytes.
const UPKEEP: Duration = Duration::from_secs(5);
/// Seconds: of requests, transactions and waits.
const MOMENTS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// Seconds: of the steps of a run.
const STEPS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0];

const COUNTERS: &[(&str, &str)] = &[
    ("tvshows_http_requests_total", "Requests answered"),
    ("tvshows_runs_total", "Updates that this process is done with, by how they ended"),
    ("tvshows_tracker_errors_total", "Operations of the progress tracker that failed"),
    (
        "tvmaze_client_requests_total",
        "Requests to TVmaze, retries among them, by what came of them",
    ),
    ("tvmaze_client_retries_total", "Requests to TVmaze that repeated a failed one"),
    ("tvmaze_client_received_bytes_total", "Bytes of TVmaze's answers, decompressed"),
];
const GAUGES: &[(&str, &str)] = &[
    ("tvshows_build_info", "1; the label tells the version"),
    ("tvshows_http_requests_in_flight", "Requests without an answer yet"),
    ("tvshows_http_event_streams", "Streams of events that are open"),
    ("tvshows_run_in_progress", "1 while this process works on an update"),
    ("tvshows_runs_queued", "Updates that wait"),
    ("tvshows_shows", "Shows that are published"),
    (
        "tvshows_last_success_timestamp_seconds",
        "When an update last succeeded, whichever process did it",
    ),
    ("tvshows_store_database_bytes", "The size of the database file"),
    ("tvshows_store_wal_bytes", "The size of the write-ahead log beside it"),
    ("tvshows_store_free_bytes", "The room that is left on its disk"),
    (
        "tvmaze_client_rate_limit",
        "Calls a second that are sent at most; absent until a limit shows",
    ),
];
const HISTOGRAMS: &[(&str, &str)] = &[
    ("tvshows_http_request_duration_seconds", "The time to an answer's head"),
    ("tvshows_run_step_duration_seconds", "The time of an update's step"),
    ("tvshows_store_transaction_duration_seconds", "The time of a writing transaction"),
    (
        "tvshows_tracker_operation_duration_seconds",
        "The time of an operation of the progress tracker",
    ),
    ("tvmaze_client_request_duration_seconds", "The time to the end of an answer of TVmaze"),
    ("tvmaze_client_throttle_duration_seconds", "The time that a call waited for the rate limit"),
];

/// Begins to keep metrics. Gives what renders them.
pub(crate) fn start() -> Result<Arc<dyn Fn() -> String + Send + Sync>, BuildError> {
    let steps = Matcher::Full("tvshows_run_step_duration_seconds".into());
    let recorder = PrometheusBuilder::new().set_buckets(MOMENTS)?;
    let handle = recorder.set_buckets_for_metric(steps, STEPS)?.install_recorder()?;
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
    tokio::spawn(keep_up(handle.clone()));
    Ok(Arc::new(move || handle.render() + &process::metrics()))
}

/// Ends with the runtime.
async fn keep_up(handle: PrometheusHandle) {
    let mut interval = interval(UPKEEP);
    loop {
        interval.tick().await;
        handle.run_upkeep();
    }
}
