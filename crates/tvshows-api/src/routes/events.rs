use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures::stream::{self, Stream};
use tvshows_core::{RunId, StoreError};
use tvshows_pipeline::Runner;

use crate::cache::status_cache::StatusCache;
use crate::extract::path::run_id;
use crate::middleware::metrics::OpenStreamGuard;
use crate::middleware::stream_limit::{StreamLimit, StreamPermit};
use crate::problem::Problem;
use crate::problem::responses::{RunNotFound, StreamUnavailable};
use crate::state::AppState;

/// Proxies commonly close connections that are idle for a minute.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// Stream the status of a run
///
/// Server-sent events: the current status, then each change, as in `/pipeline/status/{request_id}`, with the revision
/// as the event `id`. The stream ends when the run does. A slow client skips intermediate statuses. With
/// `Last-Event-ID`, the stream resumes after that event, or responds with 204 if the run has ended with it.
#[utoipa::path(
    get, path = "/pipeline/status/{request_id}/events", tag = "pipeline",
    params(
        ("request_id" = String, Path, description = "The run's id"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event received"),
    ),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The run has ended, and `Last-Event-ID` is its last event"),
        RunNotFound,
        StreamUnavailable,
    )
)]
pub(crate) async fn events(
    state: web::Data<AppState>,
    cache: web::Data<StatusCache>,
    limit: web::Data<StreamLimit>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let runner = state.runner.clone();
    let current = runner.status(run).await?.ok_or(Problem::RunNotFound(run.to_string()))?;
    let last = request.headers().get("last-event-id");
    let last_revision = last.and_then(|id| id.to_str().ok()?.parse().ok());
    if current.state.is_terminal() && last_revision == Some(current.revision) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let stream = EventStream {
        runner,
        cache,
        run,
        last_revision,
        has_ended: false,
        _permit: limit.acquire()?,
        _open: OpenStreamGuard::new(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression would delay small events, and so would a proxy's buffer.
        .insert_header(ContentEncoding::Identity)
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream.into_stream()))
}

struct EventStream {
    runner: Runner,
    cache: web::Data<StatusCache>,
    run: RunId,
    last_revision: Option<u64>,
    has_ended: bool,
    _permit: StreamPermit,
    _open: OpenStreamGuard,
}

impl EventStream {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold(self, async |mut stream| {
            Ok(stream.next().await?.map(|event| (event, stream)))
        })
    }

    /// The next event, or a comment as a heartbeat. `None` after the end of the run or the service.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.has_ended {
            return Ok(None);
        }
        let status = match self.last_revision {
            None => self.runner.status(self.run).await?,
            Some(last) => self.runner.wait_for_change(self.run, last, HEARTBEAT_INTERVAL).await?,
        };
        let Some(status) = status else { return Ok(None) };
        let revision = status.revision;
        self.has_ended = status.state.is_terminal() || self.runner.is_shutting_down();
        if self.last_revision.replace(revision) == Some(revision) {
            return Ok((!self.has_ended).then_some(Bytes::from_static(b":\n\n")));
        }
        Ok(Some(self.cache.render(status).event))
    }
}
