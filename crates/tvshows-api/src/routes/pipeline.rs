use actix_web::http::header::{CACHE_CONTROL, HeaderValue, IF_NONE_MATCH, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use tvshows_core::{RunId, RunStatus, Trigger};
use tvshows_pipeline::{RunLogLine, RunLogLines, Submission, SubmissionKind};

use crate::cache::etag;
use crate::cache::status_cache::StatusBody;
use crate::extract::path::run_id;
use crate::extract::query::{LimitQuery, NoParameters, StatusQuery, UpdateQuery};
use crate::middleware::stream_limit::StreamLimit;
use crate::problem::responses::{
    AccessDenied, InvalidQuery, RunNotFound, StoreUnavailable, StreamUnavailable, UnknownParameter,
};
use crate::problem::{Problem, ProblemBody};
use crate::run_feeds::RunFeeds;
use crate::schemas;
use crate::state::AppState;

const DEFAULT_RUNS: u32 = 20;
/// A header and a query parameter, because some proxies drop headers with an underscore.
const PREVIOUS_SIGNATURE: &str = "previous_signature";

/// An accepted request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Accepted {
    #[schema(example = "accepted")]
    status: &'static str,
    /// The id of the run.
    #[schema(value_type = String, format = Uuid)]
    request_id: RunId,
    /// The revision of the run's status.
    #[schema(example = "1")]
    signature: String,
    /// What happens with the request.
    #[schema(example = "the run has started")]
    message: String,
}

impl Accepted {
    fn new(request_id: RunId, revision: u64, message: String) -> Accepted {
        Accepted { status: "accepted", request_id, signature: revision.to_string(), message }
    }
}

/// Runs, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunList {
    #[schema(value_type = Vec<schemas::RunStatus>)]
    runs: Vec<RunStatus>,
    /// When the next scheduled run starts; `null` without a schedule.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run_at: Option<Timestamp>,
}

/// The last log lines of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunLogBody {
    /// The lines, oldest first.
    lines: Vec<RunLogLineBody>,
    /// The number of earlier lines, which are no longer available.
    #[schema(example = 0)]
    omitted: u64,
}

/// A log line of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunLogLineBody {
    /// When it was logged.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `DEBUG`, `INFO`, `WARN` or `ERROR`.
    #[schema(example = "INFO")]
    level: &'static str,
    /// The message and its fields, at most 300 characters.
    #[schema(example = "run ended state=succeeded shows=84670 requests=371 retries=0")]
    message: String,
}

impl From<RunLogLines> for RunLogBody {
    fn from(RunLogLines { lines, omitted }: RunLogLines) -> RunLogBody {
        let body = |RunLogLine { at, level, message }| RunLogLineBody { at, level, message };
        RunLogBody { lines: lines.into_iter().map(body).collect(), omitted }
    }
}

/// Start an update
///
/// If a run with the same parameters is unfinished, in any process, the request joins it and returns its `request_id`.
/// Otherwise, a new run is queued; at most 16 runs can wait.
#[utoipa::path(
    post, path = "/pipeline/update", tag = "pipeline", security((), ("token" = [])),
    params(
        ("years" = Option<u16>, Query, minimum = 0, maximum = 200, description = "How many calendar years ago a top show may have premiered; 10 by default"),
        ("top" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "The number of top shows to store; 10 by default"),
        ("mode" = Option<schemas::FetchMode>, Query, description = "`full` fetches everything. `auto`, the default, fetches what is new, changed or expired, and everything if no data is stored yet"),
    ),
    responses(
        (status = 202, description = "Accepted", body = Accepted, headers(("Location" = String, description = "The URL of the run's status, relative to the request's"))),
        InvalidQuery,
        AccessDenied,
        (status = 503, description = "The queue is full, the service is shutting down, or the database is unavailable or read-only", body = ProblemBody, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn update(
    state: web::Data<AppState>,
    query: web::Query<UpdateQuery>,
) -> Result<HttpResponse, Problem> {
    let Submission { status, kind } =
        state.runner.submit(query.parameters()?, Trigger::Http).await?;
    let message = match kind {
        SubmissionKind::Started => "the run has started".to_owned(),
        SubmissionKind::Joined => "joined the unfinished run with the same parameters".to_owned(),
        SubmissionKind::Queued { ahead: 1 } => "the run is queued; 1 run is ahead of it".to_owned(),
        SubmissionKind::Queued { ahead } => {
            format!("the run is queued; {ahead} runs are ahead of it")
        }
    };
    // Relative to `/pipeline/update`, because a proxy may strip a path prefix.
    let location = format!("status/{}", status.request_id);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(Accepted::new(
        status.request_id,
        status.revision,
        message,
    )))
}

/// Get the status of a run
///
/// With `wait`, the response is delayed until the status differs from the one named by `If-None-Match` or
/// `previous_signature` (by default, the current one), the run ends, or the time is up.
#[utoipa::path(
    get, path = "/pipeline/status/{request_id}", tag = "pipeline",
    params(
        ("request_id" = String, Path, description = "The run's id"),
        ("wait" = Option<u16>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for a change"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the status is unchanged"),
        ("previous_signature" = Option<String>, Query, description = "The signature of an earlier response, to get 204 if the status is unchanged"),
        ("previous_signature" = Option<String>, Header, description = "The same as the query parameter, which takes precedence. nginx drops this header by default"),
    ),
    responses(
        (status = 200, description = "The status", body = StatusBody, headers(("ETag" = String, description = "The revision"))),
        (status = 204, description = "The status matches `previous_signature`"),
        (status = 304, description = "The status matches `If-None-Match`"),
        InvalidQuery,
        RunNotFound,
        StreamUnavailable,
    )
)]
pub(crate) async fn status(
    state: web::Data<AppState>,
    feeds: web::Data<RunFeeds>,
    limit: web::Data<StreamLimit>,
    path: web::Path<String>,
    query: web::Query<StatusQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let not_found = || Problem::RunNotFound(run.to_string());
    let wait = query.wait()?;
    let known = KnownRevision::new(&query, &request);
    let mut status = state.runner.status(run).await?.ok_or_else(not_found)?;
    if let Some(timeout) = wait
        && !known.differs_from(status.revision)
    {
        let _permit = limit.acquire()?;
        let changed = state.runner.wait_for_change(run, status.revision, timeout).await?;
        status = changed.ok_or_else(not_found)?;
    }
    let tag = etag::for_revision(status.revision);
    if known.is_signature_of(status.revision) {
        return Ok(etag::with_etag(HttpResponse::NoContent(), tag).finish());
    }
    if let Some(response) = etag::not_modified(&request, &tag) {
        return Ok(response);
    }
    let response = etag::with_etag(HttpResponse::Ok(), tag)
        .content_type("application/json")
        .body(feeds.statuses().render(status).body);
    Ok(response)
}

/// The revision that the client already has.
struct KnownRevision<'a> {
    signature: Option<&'a [u8]>,
    request: &'a HttpRequest,
}

impl KnownRevision<'_> {
    fn new<'a>(query: &'a StatusQuery, request: &'a HttpRequest) -> KnownRevision<'a> {
        let header = request.headers().get(PREVIOUS_SIGNATURE).map(HeaderValue::as_bytes);
        let parameter = query.previous_signature.as_deref().map(str::as_bytes);
        KnownRevision { signature: parameter.or(header), request }
    }

    fn is_signature_of(&self, revision: u64) -> bool {
        self.signature.is_some_and(|signature| signature == revision.to_string().as_bytes())
    }

    /// Whether the client names a revision that differs from this one, so that there is news for it already.
    fn differs_from(&self, revision: u64) -> bool {
        let names_one =
            self.signature.is_some() || self.request.headers().contains_key(IF_NONE_MATCH);
        names_one
            && !self.is_signature_of(revision)
            && !etag::if_none_match(self.request, &etag::for_revision(revision))
    }
}

/// Get the log of a run
///
/// The last log lines of one of the last runs of this process, from memory: at most 200. There are none if another process
/// worked on the run, or the service was restarted. The causes of errors are only in the log of the process.
#[utoipa::path(
    get, path = "/pipeline/status/{request_id}/log", tag = "pipeline",
    params(("request_id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The lines", body = RunLogBody),
        UnknownParameter,
        RunNotFound,
        StoreUnavailable,
    )
)]
pub(crate) async fn log(
    state: web::Data<AppState>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let lines = state.run_log.lines(run);
    if lines.lines.is_empty() && state.runner.status(run).await?.is_none() {
        return Err(Problem::RunNotFound(run.to_string()));
    }
    let no_cache = (CACHE_CONTROL, "no-cache");
    Ok(HttpResponse::Ok().insert_header(no_cache).json(RunLogBody::from(lines)))
}

/// Cancel a run
///
/// The run ends as `cancelled` and publishes nothing.
#[utoipa::path(
    post, path = "/pipeline/cancel/{request_id}", tag = "pipeline", security((), ("token" = [])),
    params(("request_id" = String, Path, description = "The run's id")),
    responses(
        (status = 202, description = "Accepted", body = Accepted),
        UnknownParameter,
        RunNotFound,
        AccessDenied,
        (status = 409, description = "The run has ended, is publishing, or belongs to another database", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn cancel(
    state: web::Data<AppState>,
    path: web::Path<String>,
    _: web::Query<NoParameters>,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    state.runner.cancel(run).await?;
    let status = state.runner.status(run).await?;
    let revision = status.map_or(0, |status| status.revision);
    Ok(HttpResponse::Accepted().json(Accepted::new(
        run,
        revision,
        "cancellation requested".to_owned(),
    )))
}

/// List the last runs, newest first
#[utoipa::path(
    get, path = "/pipeline/runs", tag = "pipeline",
    params(("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "The maximum number of runs; 20 by default")),
    responses(
        (status = 200, description = "The runs: queued, running and ended", body = RunList),
        InvalidQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn runs(
    state: web::Data<AppState>,
    query: web::Query<LimitQuery>,
) -> Result<HttpResponse, Problem> {
    let runs = state.runner.runs(query.limit(DEFAULT_RUNS)?).await?;
    let next_run_at = state.runner.next_run_at();
    let runs = RunList { runs, next_run_at };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(runs))
}
