use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Serialize;
use tvshows_core::{ReplicaHealth, StoreHealth};

use crate::extract::query::NoParameters;
use crate::problem::responses::UnknownParameter;
use crate::state::AppState;

/// A replica without contact with the shared database for this long is degraded. It asks ten times a second.
const MAX_SILENCE: Duration = Duration::from_secs(3);

/// Whether the service and its dependencies work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// `ready`; `degraded` if the progress tracker fails (runs then work in this process only) or the database is not
    /// writable (it is served, but not updated), or if the database shared by replicas does not respond (its last known
    /// state is served); `unavailable` if the database cannot be read.
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
    /// The state of this replica; omitted if the database is not shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    replica: Option<Replica>,
}

/// A process that serves a copy of a shared database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Replica {
    role: ReplicaRole,
    /// How many published snapshots the copy lacks, as far as this process knows.
    #[schema(example = 0)]
    snapshots_behind: u64,
    /// Seconds since the shared database last responded.
    #[schema(example = 0.1)]
    seconds_since_contact: f64,
}

/// `holder` works on an update; `standby` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplicaRole {
    Holder,
    Standby,
}

impl Replica {
    fn new(health: ReplicaHealth, is_working: bool) -> Replica {
        let ReplicaHealth { snapshots_behind, last_contact } = health;
        Replica {
            role: if is_working { ReplicaRole::Holder } else { ReplicaRole::Standby },
            snapshots_behind,
            // In whole milliseconds.
            seconds_since_contact: (last_contact.as_secs_f64() * 1e3).round() / 1e3,
        }
    }
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
    responses(
        (status = 200, description = "The process responds", body = serde_json::Value, example = json!({"status": "ok"})),
        UnknownParameter,
    )
)]
pub(crate) async fn live(_: web::Query<NoParameters>) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// Check that the service can handle requests
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses(
        (status = 200, description = "The service is ready or degraded", body = Readiness),
        (status = 503, description = "The database is unavailable", body = Readiness),
        UnknownParameter,
    )
)]
pub(crate) async fn ready(state: web::Data<AppState>, _: web::Query<NoParameters>) -> HttpResponse {
    let store = state.catalog.health().await;
    let tracker = state.runner.check_tracker().await;
    let (mut response, status) = match &store {
        Err(_) => (HttpResponse::ServiceUnavailable(), "unavailable"),
        Ok(health) if tracker.is_err() || is_degraded(health) => (HttpResponse::Ok(), "degraded"),
        Ok(_) => (HttpResponse::Ok(), "ready"),
    };
    if let Err(error) = &store {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "not ready: database unavailable");
    }
    let health = store.as_ref().ok().copied();
    let replica = health.and_then(|health| health.replica);
    response.json(Readiness {
        status,
        store: status_text(store),
        tracker: status_text(tracker),
        database: health.map(DatabaseFile::from),
        replica: replica.map(|replica| Replica::new(replica, state.runner.is_working())),
    })
}

fn is_degraded(health: &StoreHealth) -> bool {
    !health.is_writable || health.replica.is_some_and(|replica| replica.last_contact > MAX_SILENCE)
}

/// Leaves out the causes of an error: they are for the log, not for clients.
fn status_text<T, E: std::error::Error>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "ok".into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{TestCatalog, app_state};

    /// The status of the response, and its body.
    async fn readiness(replica: Option<ReplicaHealth>) -> (u16, Value) {
        let catalog = Arc::new(TestCatalog::default());
        *catalog.replica.lock().unwrap() = replica;
        let state = app_state(catalog);
        let runner = state.runner.clone();
        let response = ready(web::Data::new(state), web::Query(NoParameters {})).await;
        runner.shutdown().await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[actix_web::test]
    async fn only_a_replica_has_a_role_and_a_lag() {
        let (status, body) = readiness(None).await;
        assert_eq!((status, &body["status"]), (200, &json!("ready")));
        assert!(body.get("replica").is_none(), "{body}");
        let last_contact = Duration::from_micros(100_400);
        let health = ReplicaHealth { snapshots_behind: 1, last_contact };
        let (status, body) = readiness(Some(health)).await;
        assert_eq!((status, &body["status"]), (200, &json!("ready")));
        let expected =
            json!({"role": "standby", "snapshots_behind": 1, "seconds_since_contact": 0.1});
        assert_eq!(body["replica"], expected);
    }

    #[actix_web::test]
    async fn a_replica_without_the_shared_database_is_degraded() {
        let health = |last_contact| Some(ReplicaHealth { snapshots_behind: 0, last_contact });
        let (status, body) = readiness(health(MAX_SILENCE)).await;
        assert_eq!((status, &body["status"]), (200, &json!("ready")));
        let (status, body) = readiness(health(MAX_SILENCE + Duration::from_secs(1))).await;
        assert_eq!((status, &body["status"]), (200, &json!("degraded")));
        assert_eq!(body["replica"]["seconds_since_contact"], 4.0);
    }
}
