use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::Services;

/// What the service depends on, and how that is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// `ready`; `degraded` without the progress tracker, when everything works for this process alone;
    /// `unavailable` without the database.
    #[schema(example = "ready")]
    status: &'static str,
    /// The database: `ok`, or what is wrong.
    #[schema(example = "ok")]
    store: String,
    /// The progress tracker, such as Redis: `ok`, or what is wrong.
    #[schema(example = "ok")]
    tracker: String,
}

/// Says that the process answers
#[utoipa::path(
    get, path = "/health/live", tag = "health",
    responses((status = 200, description = "It does", body = serde_json::Value, example = json!({"status": "ok"})))
)]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// Says whether the service can do its work
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses(
        (status = 200, description = "It can, perhaps without the progress tracker", body = Readiness),
        (status = 503, description = "The database cannot be used", body = Readiness),
    )
)]
pub(crate) async fn ready(services: web::Data<Services>) -> HttpResponse {
    let store = services.store.check().await;
    let tracker = services.runner.check_tracker().await;
    let (mut response, status) = match (&store, &tracker) {
        (Err(_), _) => (HttpResponse::ServiceUnavailable(), "unavailable"),
        (_, Err(_)) => (HttpResponse::Ok(), "degraded"),
        _ => (HttpResponse::Ok(), "ready"),
    };
    response.json(Readiness { status, store: word(store), tracker: word(tracker) })
}

/// The cause behind an error is for the log, not for whoever asks.
fn word<E: std::error::Error>(result: Result<(), E>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "ok".into())
}
