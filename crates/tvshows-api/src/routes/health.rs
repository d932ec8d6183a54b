use actix_web::{HttpResponse, web};
use serde::Serialize;
use tvshows_core::StoreHealth;

use crate::state::AppState;

/// Whether the service and its dependencies work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// `ready`; `degraded` if the progress tracker fails (runs then work in this process only) or the database is not
    /// writable (it is served, but not updated); `unavailable` if the database cannot be read.
    #[schema(example = "ready")]
    status: &'static str,
    /// The database: `ok`, or an error message.
    #[schema(example = "ok")]
    store: String,
    /// The progress tracker, such as Redis: `ok`, or an error message.
    #[schema(example = "ok")]
    tracker: String,
    /// The database file.
    database: Option<DatabaseFile>,
}

/// The database file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DatabaseFile {
    /// The schema version.
    #[schema(example = 4)]
    schema: u32,
    /// Whether this process can write to the file, which updates require: not if it is read-only or its disk is full.
    writable: bool,
    /// The file's size.
    #[schema(example = 230_000_000)]
    bytes: u64,
    /// The size of the write-ahead log.
    #[schema(example = 4_000_000)]
    wal_bytes: Option<u64>,
    /// The free space on the file's disk.
    #[schema(example = 50_000_000_000_u64)]
    free_bytes: Option<u64>,
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

/// Check that the process responds
#[utoipa::path(
    get, path = "/health/live", tag = "health",
    responses((status = 200, description = "The process responds", body = serde_json::Value, example = json!({"status": "ok"})))
)]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// Check that the service can handle requests
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses(
        (status = 200, description = "The service is ready or degraded", body = Readiness),
        (status = 503, description = "The database is unavailable", body = Readiness),
    )
)]
pub(crate) async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let store = state.catalog.health().await;
    let tracker = state.runner.check_tracker().await;
    let (mut response, status) = match (&store, &tracker) {
        (Err(_), _) => (HttpResponse::ServiceUnavailable(), "unavailable"),
        (_, Err(_)) | (Ok(StoreHealth { is_writable: false, .. }), _) => {
            (HttpResponse::Ok(), "degraded")
        }
        _ => (HttpResponse::Ok(), "ready"),
    };
    if let Err(error) = &store {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "not ready: database unavailable");
    }
    let database = store.as_ref().ok().copied().map(DatabaseFile::from);
    response.json(Readiness {
        status,
        store: status_text(store),
        tracker: status_text(tracker),
        database,
    })
}

/// Leaves out the causes of an error: they are for the log, not for clients.
fn status_text<T, E: std::error::Error>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "ok".into())
}
