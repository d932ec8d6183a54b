//! Every error that a client may see, in one table.

use std::fmt;

use actix_web::error::QueryPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use tvshows_core::{RunId, ShowId, StoreError};
use tvshows_pipeline::{CancelError, SubmitError};

use crate::correlation::Correlation;

/// Seconds after which a client that was refused for want of room may try again.
const RETRY_SECONDS: u64 = 30;

#[derive(Debug)]
pub(crate) enum Problem {
    TokenRequired,
    WrongToken,
    ForeignOrigin(String),
    TooManyRequests {
        seconds: u64,
    },
    BodyTooLarge,
    BodyTooSlow,
    BodyUnreadable,
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
    /// The `X-Request-Id` of the answer, under which the log has what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4f3c2b1a09f8e7d6c5b4a39281706f5e")]
    request_id: Option<String>,
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

/// What every route that changes something answers to who may not, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "the answers are made from Problem")]
pub(crate) enum Refused {
    /// The service has an API token, and the request does not, or another one
    #[response(
        status = 401,
        content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "Bearer"))
    )]
    Unauthorized(ProblemBody),
    /// A web page of an origin that may not change anything
    #[response(status = 403, content_type = "application/problem+json")]
    ForeignOrigin(ProblemBody),
    /// More such requests from one address than the service takes
    #[response(
        status = 429,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    TooMany(ProblemBody),
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
    /// The status, and the stable name.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Problem::Query(_) => (StatusCode::BAD_REQUEST, "invalid_query"),
            Problem::BodyUnreadable => (StatusCode::BAD_REQUEST, "unreadable_body"),
            Problem::TokenRequired => (StatusCode::UNAUTHORIZED, "token_required"),
            Problem::WrongToken => (StatusCode::UNAUTHORIZED, "wrong_token"),
            Problem::ForeignOrigin(_) => (StatusCode::FORBIDDEN, "foreign_origin"),
            Problem::NoSuchPath => (StatusCode::NOT_FOUND, "no_such_path"),
            Problem::NoSuchRun(_) => (StatusCode::NOT_FOUND, "no_such_run"),
            Problem::NoSuchShow(_) => (StatusCode::NOT_FOUND, "no_such_show"),
            Problem::NoCast(_) => (StatusCode::NOT_FOUND, "no_cast"),
            Problem::NoSuchExport(_) => (StatusCode::NOT_FOUND, "no_such_export"),
            Problem::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Problem::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Problem::RunEnded(_) => (StatusCode::CONFLICT, "run_ended"),
            Problem::RunElsewhere(_) => (StatusCode::CONFLICT, "run_elsewhere"),
            Problem::RunPublishing(_) => (StatusCode::CONFLICT, "run_publishing"),
            Problem::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Problem::Parameter { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_parameter"),
            Problem::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Problem::Store(StoreError::TooManyExports) => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_exports")
            }
            Problem::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue_full"),
            Problem::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            Problem::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
        }
    }

    /// What is wrong, and what to do.
    fn detail(&self) -> String {
        match self {
            Problem::Query(reason)
            | Problem::RunElsewhere(reason)
            | Problem::RunPublishing(reason) => reason.clone(),
            Problem::BodyUnreadable => {
                "the body cannot be read; no path takes one, so leave it out".into()
            }
            Problem::TokenRequired => {
                "whoever changes something must know the service's API token: send `Authorization: Bearer TOKEN`".into()
            }
            Problem::WrongToken => {
                "that is not the service's API token; the operator knows it as API_TOKEN".into()
            }
            Problem::ForeignOrigin(origin) => format!(
                "pages of {origin:?} may change nothing here; the operator can name it in CORS_ORIGINS, or, where it \
                 is the service's own, have the proxy pass the Host header on"
            ),
            Problem::NoSuchPath => "there is nothing here; /docs lists every path".into(),
            Problem::NoSuchRun(run) => {
                format!("there is no run {run:?}; /pipeline/runs lists them")
            }
            Problem::NoSuchShow(show) => {
                format!("there is no show {show} in the last published snapshot")
            }
            Problem::NoCast(show) => {
                format!("no cast of show {show} is stored; only the top shows have one")
            }
            Problem::NoSuchExport(file) => format!(
                "there is no export {file:?}; there are tvshows.db and each of all_shows, top_shows, \
                 top_shows_cast as .csv, .ndjson and .parquet"
            ),
            Problem::MethodNotAllowed(_) => {
                "the path exists, but not for this method; /docs lists the methods".into()
            }
            Problem::BodyTooSlow => {
                "the body did not come to its end in time; no path takes one, so leave it out".into()
            }
            Problem::RunEnded(run) => {
                format!("run {run} has ended already; its status tells how")
            }
            Problem::BodyTooLarge => "no path takes a body; leave it out".into(),
            Problem::Parameter { name, reason } => format!("`{name}` {reason}"),
            Problem::TooManyRequests { seconds } => {
                format!("too many requests from your address; try again in {seconds} s")
            }
            Problem::Store(StoreError::TooManyExports) => StoreError::TooManyExports.to_string(),
            Problem::QueueFull => SubmitError::QueueFull.to_string(),
            Problem::Stopping => SubmitError::Stopping.to_string(),
            Problem::Store(_) => {
                "the database cannot be used at the moment; try again, or ask the operator to look at the log".into()
            }
        }
    }

    /// The seconds after which the same request may succeed, where there is only no room at the moment.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Problem::TooManyRequests { seconds } => Some(*seconds),
            Problem::QueueFull | Problem::Stopping | Problem::Store(StoreError::TooManyExports) => {
                Some(RETRY_SECONDS)
            }
            _ => None,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = self.kind();
        let parameter = match self {
            Problem::Parameter { name, .. } => Some(*name),
            _ => None,
        };
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        match self {
            Problem::MethodNotAllowed(methods) => response.insert_header((ALLOW, *methods)),
            Problem::TokenRequired => response.insert_header((WWW_AUTHENTICATE, "Bearer")),
            Problem::WrongToken => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""))
            }
            _ => &mut response,
        };
        response.insert_header((CONTENT_TYPE, "application/problem+json")).json(ProblemBody {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: self.detail(),
            parameter,
            request_id: Correlation::current(|names| names.request_id().to_owned()),
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
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
