use std::time::Duration;

use actix_web::{HttpResponse, web};
use metrics::gauge;
use tokio::time::timeout;
use tvshows_core::{RunState, StoreError};

use crate::extract::query::NoParameters;
use crate::problem::Problem;
use crate::problem::responses::UnknownParameter;
use crate::state::{AppState, Telemetry};

/// Well below the ten seconds after which Prometheus gives up.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(3);
/// More than can be queued, including those that have ended since.
const RECENT_RUNS: u32 = 100;

/// Get the metrics of the service for Prometheus
///
/// In the Prometheus text format. docs/operations.md describes each metric.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain; version=0.0.4",
            example = "# TYPE tvshows_shows gauge\ntvshows_shows 84670\n"),
        UnknownParameter,
    )
)]
pub(crate) async fn metrics(
    state: web::Data<AppState>,
    telemetry: web::Data<Telemetry>,
    _: web::Query<NoParameters>,
) -> Result<HttpResponse, Problem> {
    // If the store fails or is slow, the other metrics help to find out why, so they are returned anyway.
    match timeout(REFRESH_TIMEOUT, refresh_gauges(&state)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot collect store metrics");
        }
        Err(_) => tracing::warn!("cannot collect store metrics: the store does not respond"),
    }
    let render = telemetry.render_metrics.clone();
    let text = web::block(move || render()).await.map_err(|_| Problem::ShuttingDown)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// Refreshes what other processes can change too, and what outlives this one.
async fn refresh_gauges(state: &AppState) -> Result<(), StoreError> {
    let health = state.catalog.health().await?;
    gauge!("tvshows_store_database_bytes").set(as_f64(health.database_bytes));
    if let Some(bytes) = health.wal_bytes {
        gauge!("tvshows_store_wal_bytes").set(as_f64(bytes));
    }
    if let Some(bytes) = health.free_bytes {
        gauge!("tvshows_store_free_bytes").set(as_f64(bytes));
    }
    let runs = state.runner.runs(RECENT_RUNS).await?;
    let queued = runs.iter().filter(|run| run.state == RunState::Queued).count();
    gauge!("tvshows_runs_queued").set(as_f64(queued as u64));
    let succeeded = runs.iter().find(|run| run.state == RunState::Succeeded);
    if let Some(run) = succeeded {
        gauge!("tvshows_shows").set(run.shows_seen);
    }
    let published_at = state.catalog.snapshot_version().await?.published_at;
    if let Some(last) = succeeded.and_then(|run| run.finished_at).max(published_at) {
        gauge!("tvshows_last_success_timestamp_seconds")
            .set(as_f64(last.as_second().unsigned_abs()));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "insignificant beyond 2^53")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
