use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use tvshows_core::{RunId, RunStatus};
use tvshows_pipeline::{Submission, SubmissionKind};

use crate::problem::{NoSuchRun, Problem, ProblemBody, Refused, StoreUnavailable, WrongQuery};
use crate::query::{LimitQuery, StatusQuery, UpdateQuery};
use crate::statuses::Statuses;
use crate::{Services, etag};

const DEFAULT_RUNS: u32 = 20;

/// A request that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Accepted {
    #[schema(example = "accepted")]
    status: &'static str,
    /// The run that does it.
    #[schema(value_type = String, format = Uuid)]
    request_id: RunId,
    /// The revision of the run's status.
    #[schema(example = "1")]
    signature: String,
    /// How the request is met.
    #[schema(example = "the run has started")]
    message: String,
}

/// A run's status.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StatusBody {
    status: RunStatus,
    /// The status's revision.
    #[schema(example = "42")]
    signature: String,
}

impl StatusBody {
    pub(crate) fn of(status: RunStatus) -> StatusBody {
        let signature = status.revision.to_string();
        StatusBody { status, signature }
    }
}

/// Runs, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Runs {
    runs: Vec<RunStatus>,
    /// When the next one begins by itself; `null` without a schedule.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run_at: Option<Timestamp>,
}

/// Starts an update
///
/// An unfinished run with the same parameters is joined, whichever process does it: the answer has its
/// `request_id`. Others wait their turn, at most 16 of them.
#[utoipa::path(
    post, path = "/pipeline/update", tag = "pipeline", security((), ("token" = [])),
    params(
        ("years" = Option<u16>, Query, minimum = 0, maximum = 200, description = "How many calendar years back a top show may have premiered; 10 by default"),
        ("top" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "How many top shows are kept; 10 by default"),
        ("mode" = Option<tvshows_core::FetchMode>, Query, description = "`full` fetches everything; `auto`, the default, what is new, changed or aged, and everything the first time"),
    ),
    responses(
        (status = 202, description = "Taken", body = Accepted, headers(("Location" = String, description = "The path of the run's status"))),
        WrongQuery,
        Refused,
        (status = 503, description = "The queue is full, the service stops, or the database cannot be used", body = ProblemBody, content_type = "application/problem+json", headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn update(
    services: web::Data<Services>,
    query: web::Query<UpdateQuery>,
) -> Result<HttpResponse, Problem> {
    let Submission { status, kind } = services.runner.submit(query.parameters()?).await?;
    let message = match kind {
        SubmissionKind::Started => "the run has started".to_owned(),
        SubmissionKind::Joined => {
            "a run with these parameters is unfinished; this is it".to_owned()
        }
        SubmissionKind::Queued { ahead: 1 } => "the run waits for the one under way".to_owned(),
        SubmissionKind::Queued { ahead } => format!("the run waits; {ahead} runs are ahead of it"),
    };
    let location = format!("/pipeline/status/{}", status.request_id);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(Accepted {
        status: "accepted",
        request_id: status.request_id,
        signature: status.revision.to_string(),
        message,
    }))
}

/// Tells how a run goes
///
/// With `wait`, the answer is held until the status is another than the one that `If-None-Match` or
/// `previous_signature` names (or than the present one), the run is over, or the time is up.
#[utoipa::path(
    get, path = "/pipeline/status/{request_id}", tag = "pipeline",
    params(
        ("request_id" = String, Path, description = "The run"),
        ("wait" = Option<u16>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for a change"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 when nothing changed"),
        ("previous_signature" = Option<String>, Header, description = "The signature of an earlier answer: 204 when nothing changed"),
    ),
    responses(
        (status = 200, description = "The status", body = StatusBody, headers(("ETag" = String, description = "The revision"))),
        (status = 204, description = "The status is that of `previous_signature`"),
        (status = 304, description = "The status is that of `If-None-Match`"),
        WrongQuery,
        NoSuchRun,
        StoreUnavailable,
    )
)]
pub(crate) async fn status(
    services: web::Data<Services>,
    statuses: web::Data<Statuses>,
    path: web::Path<String>,
    query: web::Query<StatusQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    let unknown = || Problem::NoSuchRun(run.to_string());
    let wait = query.wait()?;
    let mut status = services.runner.status(run).await?.ok_or_else(unknown)?;
    if let Some(patience) = wait
        && (knows(&request, status.revision) || !names_a_revision(&request))
    {
        let changed = services.runner.changed(run, status.revision, patience).await?;
        status = changed.ok_or_else(unknown)?;
    }
    let revision = status.revision;
    let tag = etag::of(revision);
    let mut response = if etag::is_previous_signature(&request, revision) {
        HttpResponse::NoContent()
    } else if etag::is_known(&request, &tag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, tag)).insert_header(("Cache-Control", "no-cache"));
    if knows(&request, revision) {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(statuses.of(status).body))
}

fn knows(request: &HttpRequest, revision: u64) -> bool {
    etag::is_previous_signature(request, revision) || etag::is_known(request, &etag::of(revision))
}

fn names_a_revision(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key("previous_signature") || headers.contains_key("if-none-match")
}

/// Cancels a run
///
/// The run ends as `cancelled` and changes no table.
#[utoipa::path(
    post, path = "/pipeline/cancel/{request_id}", tag = "pipeline", security((), ("token" = [])),
    params(("request_id" = String, Path, description = "The run")),
    responses(
        (status = 202, description = "Taken", body = Accepted),
        NoSuchRun,
        Refused,
        (status = 409, description = "The run has ended, is publishing, or is done by another process", body = ProblemBody, content_type = "application/problem+json"),
        StoreUnavailable,
    )
)]
pub(crate) async fn cancel(
    services: web::Data<Services>,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let run = run_id(&path)?;
    services.runner.cancel(run).await?;
    let status = services.runner.status(run).await?;
    let revision = status.map_or(0, |status| status.revision);
    Ok(HttpResponse::Accepted().json(Accepted {
        status: "accepted",
        request_id: run,
        signature: revision.to_string(),
        message: "the run is told to stop".into(),
    }))
}

/// Lists the last runs, newest first
#[utoipa::path(
    get, path = "/pipeline/runs", tag = "pipeline",
    params(("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "How many; 20 by default")),
    responses(
        (status = 200, description = "The runs: those that wait, the one under way, those that ended", body = Runs),
        WrongQuery,
        StoreUnavailable,
    )
)]
pub(crate) async fn runs(
    services: web::Data<Services>,
    query: web::Query<LimitQuery>,
) -> Result<HttpResponse, Problem> {
    let runs = services.runner.runs(query.limit(DEFAULT_RUNS)?).await?;
    let next_run_at = services.runner.next_run_at();
    let runs = Runs { runs, next_run_at };
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-cache")).json(runs))
}

/// A text that is no run id is the id of no run.
pub(crate) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::NoSuchRun(text.to_owned()))
}
