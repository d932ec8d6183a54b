use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures::stream::{self, Stream};
use tvshows_core::{RunId, StoreError};
use tvshows_pipeline::Runner;

use crate::Services;
use crate::http_metrics::OpenStream;
use crate::problem::{NoSuchRun, Problem, StoreUnavailable};
use crate::routes::pipeline::run_id;
use crate::statuses::Statuses;

/// Proxies commonly cut a connection on which nothing comes for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams how a run goes
///
/// Server-sent events: the present status, then each change, as in `/pipeline/status/{request_id}`, with the
/// revision as `id`. The stream ends after the run's end. Who reads slowly gets the latest status, not every
/// one. With `Last-Event-ID` it goes on from there, and answers 204 where nothing more can come.
#[utoipa::path(
    get, path = "/pipeline/status/{request_id}/events", tag = "pipeline",
    params(
        ("request_id" = String, Path, description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received"),
    ),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The run is over, and `Last-Event-ID` is its last event"),
        NoSuchRun,
        StoreUnavailable,
    )
)]
pub(crate) async fn events(
    services: web::Data<Services>,
    statuses: web::Data<Statuses>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let runner = services.runner.clone();
    let present = runner.status(run).await?.ok_or(Problem::NoSuchRun(run.to_string()))?;
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    if present.state.is_terminal() && last == Some(present.revision) {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // A compressor holds small pieces back.
        .insert_header(ContentEncoding::Identity)
        .streaming(stream_of(runner, statuses, run, last)))
}

/// Where a stream is.
struct Place {
    runner: Runner,
    statuses: web::Data<Statuses>,
    run: RunId,
    last: Option<u64>,
    is_over: bool,
    _open: OpenStream,
}

fn stream_of(
    runner: Runner,
    statuses: web::Data<Statuses>,
    run: RunId,
    last: Option<u64>,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let place = Place { runner, statuses, run, last, is_over: false, _open: OpenStream::begin() };
    stream::try_unfold(place, async |mut place| Ok(place.next().await?.map(|event| (event, place))))
}

impl Place {
    /// The next event, or a comment where none comes for a while. Nothing comes after the end of the run or
    /// of the service.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let status = match self.last {
            None => self.runner.status(self.run).await?,
            Some(last) => self.runner.changed(self.run, last, HEARTBEAT).await?,
        };
        let Some(status) = status else { return Ok(None) };
        let revision = status.revision;
        self.is_over = status.state.is_terminal() || self.runner.is_stopped();
        if self.last.replace(revision) == Some(revision) {
            return Ok((!self.is_over).then_some(Bytes::from_static(b":\n\n")));
        }
        Ok(Some(self.statuses.of(status).event))
    }
}
