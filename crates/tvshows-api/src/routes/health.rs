use actix_web::{HttpResponse, web};
use serde::Serialize;
use tvshows_core::StoreHealth;

use crate::Services;

/// What the service depends on, and how that is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// `ready`; `degraded` without the progress tracker, when everything works for this process alone, or
    /// where the database can be read but not written; `unavailable` without the database.
    #[schema(example = "ready")]
    status: &'static str,
    /// The database: `ok`, or what is wrong.
    #[schema(example = "ok")]
    store: String,
    /// The progress tracker, such as Redis: `ok`, or what is wrong.
    #[schema(example = "ok")]
    tracker: String,
    /// The database's file.
    database: Option<DatabaseFile>,
}

/// The file of the database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatabaseFile {
    /// The version of the schema.
    #[schema(example = 4)]
    schema: u32,
    /// Whether this process may write in its folder: without that, there are no updates.
    writable: bool,
    /// Its size.
    #[schema(example = 230_000_000)]
    bytes: u64,
    /// The size of the write-ahead log beside it.
    #[schema(example = 4_000_000)]
    wal_bytes: u64,
    /// The room that is left on its disk.
    #[schema(example = 50_000_000_000_u64)]
    free_bytes: u64,
}

impl From<StoreHealth> for DatabaseFile {
    fn from(health: StoreHealth) -> DatabaseFile {
        DatabaseFile {
            schema: health.schema,
            writable: health.is_writable,
            bytes: health.database_bytes,
            wal_bytes: health.wal_bytes,
            free_bytes: health.free_bytes,
        }
    }
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
        (status = 200, description = "It can, perhaps without the progress tracker or without updates", body = Readiness),
        (status = 503, description = "The database cannot be used", body = Readiness),
    )
)]
pub(crate) async fn ready(services: web::Data<Services>) -> HttpResponse {
    let store = services.store.check().await;
    let tracker = services.runner.check_tracker().await;
    let (mut response, status) = match (&store, &tracker) {
        (Err(_), _) => (HttpResponse::ServiceUnavailable(), "unavailable"),
        (_, Err(_)) | (Ok(StoreHealth { is_writable: false, .. }), _) => {
            (HttpResponse::Ok(), "degraded")
        }
        _ => (HttpResponse::Ok(), "ready"),
    };
    if let Err(error) = &store {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "the service is not ready: its database cannot be used");
    }
    let database = store.as_ref().ok().copied().map(DatabaseFile::from);
    response.json(Readiness { status, store: word(store), tracker: word(tracker), database })
}

/// The cause behind an error is for the log, not for whoever asks.
fn word<T, E: std::error::Error>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "ok".into())
}
