use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures::stream::{self, Stream};
use tokio::sync::watch;
use tokio::time::timeout;
use tvshows_pipeline::Runner;

use crate::extract::path::run_id;
use crate::extract::query::NoParameters;
use crate::middleware::metrics::OpenStreamGuard;
use crate::middleware::stream_limit::{StreamLimit, StreamPermit};
use crate::problem::Problem;
use crate::problem::responses::{RunNotFound, StreamUnavailable, UnknownParameter};
use crate::run_feeds::{FeedEvent, RunFeeds};
use crate::state::AppState;

/// Proxies commonly close connections that are idle for a minute.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// The range of the delays after which clients reconnect.
const RETRY_MILLISECONDS: RangeInclusive<u32> = 2000..=4000;

/// Stream the status of a run
///
/// Server-sent events: the current status, then each change, as in `/pipeline/status/{request_id}`, with the revision
/// as the event `id`. The stream ends when the run does. A slow client skips intermediate statuses, and so do all clients
/// of a run with more than 1,000 streams: they get two changes per second, and each new `state` immediately. With
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
        UnknownParameter,
        RunNotFound,
        StreamUnavailable,
    )
)]
pub(crate) async fn events(
    state: web::Data<AppState>,
    feeds: web::Data<RunFeeds>,
    limit: web::Data<StreamLimit>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let runner = state.runner.clone();
    let current = runner.status(run).await?.ok_or(Problem::RunNotFound(run.to_string()))?;
    let last = request.headers().get("last-event-id");
    let last_revision: Option<u64> = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let is_known = last_revision == Some(current.revision);
    if current.state.is_terminal() && is_known {
        return Ok(HttpResponse::NoContent().finish());
    }
    let permit = limit.acquire()?;
    let feed = (!current.state.is_terminal()).then(|| feeds.subscribe(&runner, &current));
    let revision = current.revision;
    let first = (!is_known).then(|| feeds.statuses().render(current).event);
    let stream = EventStream {
        runner,
        opening: [retry_delay()].into_iter().chain(first).collect(),
        feed,
        revision,
        _permit: permit,
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

/// After how many milliseconds a client that was disconnected connects again: not all clients at the same time.
fn retry_delay() -> Bytes {
    format!("retry: {}\n\n", fastrand::u32(RETRY_MILLISECONDS)).into()
}

struct EventStream {
    runner: Runner,
    /// What is sent first.
    opening: VecDeque<Bytes>,
    /// `None` if the run has ended.
    feed: Option<watch::Receiver<FeedEvent>>,
    /// The last that was sent.
    revision: u64,
    _permit: StreamPermit,
    _open: OpenStreamGuard,
}

impl EventStream {
    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, async |mut stream| {
            Ok(stream.next().await?.map(|event| (event, stream)))
        })
    }

    /// The next event, or a comment as a heartbeat. `None` after the end of the run or the service.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(chunk) = self.opening.pop_front() {
            return Ok(Some(chunk));
        }
        let Some(feed) = &mut self.feed else { return Ok(None) };
        loop {
            match timeout(HEARTBEAT_INTERVAL, feed.changed()).await {
                Err(_) => return Ok(Some(Bytes::from_static(b":\n\n"))),
                Ok(Err(_)) if feed.borrow().is_last || self.runner.is_shutting_down() => {
                    return Ok(None);
                }
                // The client reconnects.
                Ok(Err(_)) => return Err(io::Error::other("the status cannot be read")),
                Ok(Ok(())) => {
                    let FeedEvent { revision, event, .. } = feed.borrow_and_update().clone();
                    if std::mem::replace(&mut self.revision, revision) != revision {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }
}
