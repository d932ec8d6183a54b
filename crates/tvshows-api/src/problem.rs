//! Every error that a client may see, in one table.

use std::fmt;

use actix_web::error::QueryPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use tvshows_core::{RunId, ShowId, StoreError};
use tvshows_pipeline::{CancelError, SubmitError};

/// Seconds after which a client that was refused for want of room may try again.
const RETRY_SECONDS: &str = "30";

#[derive(Debug)]
pub(crate) enum Problem {
    NoSuchPath,
    /// The path has these methods only.
    MethodNotAllowed(&'static str),
    /// The query has a parameter that nobody knows, or one twice.
    Query(String),
    /// A parameter's value cannot be used.
    Parameter {
        name: &'static str,
        reason: String,
    },
    NoSuchRun(String),
    RunEnded(RunId),
    RunElsewhere(String),
    RunPublishing(String),
    NoSuchShow(ShowId),
    NoCast(ShowId),
    NoSuchExport(String),
    QueueFull,
    Stopping,
    Store(StoreError),
}

/// The body of every error: RFC 9457, with a code that stays the same when the words change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`: the code tells the kind.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The status.
    #[schema(example = 422)]
    status: u16,
    /// A stable name of the kind of error.
    #[schema(example = "invalid_parameter")]
    code: &'static str,
    /// What is wrong, and what to do.
    #[schema(example = "`years` must be a whole number from 0 to 200")]
    detail: String,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "years")]
    parameter: Option<&'static str>,
}

/// What every route with a query answers to a wrong one, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "the answers are made from Problem")]
pub(crate) enum WrongQuery {
    /// A parameter that does not exist, or one twice
    #[response(status = 400, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// A value out of its range
    #[response(status = 422, content_type = "application/problem+json")]
    Value(ProblemBody),
}

/// What every route answers when the database cannot be used, for the document.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 503,
    description = "The database cannot be used",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "the answers are made from Problem")]
pub(crate) struct StoreUnavailable(ProblemBody);

/// What the downloads answer when they cannot begin, for the document.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 503,
    description = "Too many exports are under way, or the database cannot be used",
    content_type = "application/problem+json",
    headers(("Retry-After" = u32, description = "Seconds, when too many exports are under way"))
)]
#[expect(dead_code, reason = "the answers are made from Problem")]
pub(crate) struct ExportUnavailable(ProblemBody);

/// What the routes of one run answer when there is none, for the document.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 404,
    description = "There is no such run",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "the answers are made from Problem")]
pub(crate) struct NoSuchRun(ProblemBody);

impl Problem {
    fn row(&self) -> (StatusCode, &'static str, String) {
        match self {
            Problem::NoSuchPath => (
                StatusCode::NOT_FOUND,
                "no_such_path",
                "there is nothing here; /docs lists every path".into(),
            ),
            Problem::MethodNotAllowed(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "the path exists, but not for this method; /docs lists the methods".into(),
            ),
            Problem::Query(reason) => (StatusCode::BAD_REQUEST, "invalid_query", reason.clone()),
            Problem::Parameter { name, reason } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_parameter",
                format!("`{name}` {reason}"),
            ),
            Problem::NoSuchRun(run) => (
                StatusCode::NOT_FOUND,
                "no_such_run",
                format!("there is no run {run:?}; /pipeline/runs lists them"),
            ),
            Problem::RunEnded(run) => (
                StatusCode::CONFLICT,
                "run_ended",
                format!("run {run} has ended already; its status tells how"),
            ),
            Problem::RunElsewhere(reason) => {
                (StatusCode::CONFLICT, "run_elsewhere", reason.clone())
            }
            Problem::RunPublishing(reason) => {
                (StatusCode::CONFLICT, "run_publishing", reason.clone())
            }
            Problem::NoSuchShow(show) => (
                StatusCode::NOT_FOUND,
                "no_such_show",
                format!("there is no show {show} in the last published snapshot"),
            ),
            Problem::NoCast(show) => (
                StatusCode::NOT_FOUND,
                "no_cast",
                format!("no cast of show {show} is stored; only the top shows have one"),
            ),
            Problem::NoSuchExport(file) => (
                StatusCode::NOT_FOUND,
                "no_such_export",
                format!(
                    "there is no export {file:?}; there are tvshows.db and each of all_shows, top_shows, \
                     top_shows_cast as .csv, .ndjson and .parquet"
                ),
            ),
            Problem::Store(StoreError::Crowded) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_exports",
                StoreError::Crowded.to_string(),
            ),
            Problem::QueueFull => {
                (StatusCode::SERVICE_UNAVAILABLE, "queue_full", SubmitError::QueueFull.to_string())
            }
            Problem::Stopping => {
                (StatusCode::SERVICE_UNAVAILABLE, "stopping", SubmitError::Stopping.to_string())
            }
            Problem::Store(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "the database cannot be used at the moment; try again, or ask the operator to look at the log".into(),
            ),
        }
    }
}

impl Problem {
    /// Whether there is only no room at the moment.
    fn is_temporary(&self) -> bool {
        matches!(self, Problem::QueueFull | Problem::Stopping | Problem::Store(StoreError::Crowded))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.row().0
    }

    fn error_response(&self) -> HttpResponse {
        if let Problem::Store(error) = self
            && !self.is_temporary()
        {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a request failed at the store"
            );
        }
        let (status, code, detail) = self.row();
        let parameter = match self {
            Problem::Parameter { name, .. } => Some(*name),
            _ => None,
        };
        let mut response = HttpResponse::build(status);
        if self.is_temporary() {
            response.insert_header((RETRY_AFTER, RETRY_SECONDS));
        }
        if let Problem::MethodNotAllowed(methods) = self {
            response.insert_header((ALLOW, *methods));
        }
        response.insert_header((CONTENT_TYPE, "application/problem+json")).json(ProblemBody {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail,
            parameter,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.row().2)
    }
}

impl From<QueryPayloadError> for Problem {
    fn from(error: QueryPayloadError) -> Problem {
        let reason = match error {
            QueryPayloadError::Deserialize(error) => error.to_string(),
            other => other.to_string(),
        };
        Problem::Query(format!("the query cannot be read: {reason}"))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        Problem::Store(error)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Problem {
        match error {
            SubmitError::QueueFull => Problem::QueueFull,
            SubmitError::Stopping => Problem::Stopping,
            SubmitError::Store(error) => Problem::Store(error),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Problem {
        match error {
            CancelError::NotFound(run) => Problem::NoSuchRun(run.to_string()),
            CancelError::Ended(run) => Problem::RunEnded(run),
            CancelError::Elsewhere { .. } => Problem::RunElsewhere(error.to_string()),
            CancelError::Publishing(_) => Problem::RunPublishing(error.to_string()),
            CancelError::Store(error) => Problem::Store(error),
        }
    }
}
