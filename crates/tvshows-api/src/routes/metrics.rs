use actix_web::{HttpResponse, web};
use metrics::gauge;
use tvshows_core::{RunState, RunStatus, StoreError};

use crate::Services;
use crate::problem::Problem;
use crate::telemetry::Telemetry;

/// More than may wait, with those that ended meanwhile.
const RECENT_RUNS: u32 = 100;

/// Gives the metrics of the service to Prometheus
///
/// The text format; docs/operations.md says what each metric means.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((
        status = 200, description = "The metrics", body = String, content_type = "text/plain; version=0.0.4",
        example = "# TYPE tvshows_shows gauge\ntvshows_shows 84670\n",
    ))
)]
pub(crate) async fn metrics(
    services: web::Data<Services>,
    telemetry: web::Data<Telemetry>,
) -> Result<HttpResponse, Problem> {
    if let Err(error) = look(&services).await {
        // The other metrics are what then helps.
        tracing::warn!(error = &error as &dyn std::error::Error, "the store tells no metrics");
    }
    let render = telemetry.metrics.clone();
    let text = web::block(move || render()).await.map_err(|_| Problem::Stopping)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// What is read when it is asked for: other processes change it too, and it outlives them all.
async fn look(services: &Services) -> Result<(), StoreError> {
    let health = services.store.check().await?;
    gauge!("tvshows_store_database_bytes").set(lossy(health.database_bytes));
    gauge!("tvshows_store_wal_bytes").set(lossy(health.wal_bytes));
    gauge!("tvshows_store_free_bytes").set(lossy(health.free_bytes));
    let runs = services.store.runs(RECENT_RUNS).await?;
    let queued = runs.iter().filter(|run| run.state == RunState::Queued).count();
    gauge!("tvshows_runs_queued").set(lossy(queued as u64));
    let published = services.store.snapshot().await?.published_at;
    let succeeded = |run: &&RunStatus| run.state == RunState::Succeeded;
    if let Some(run) = runs.iter().find(succeeded) {
        gauge!("tvshows_shows").set(run.shows_seen);
    }
    let last = runs.iter().find(succeeded).and_then(|run| run.finished_at).max(published);
    if let Some(last) = last {
        gauge!("tvshows_last_success_timestamp_seconds")
            .set(lossy(last.as_second().unsigned_abs()));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53, nobody sees the difference")]
fn lossy(number: u64) -> f64 {
    number as f64
}
