//! Every error that a client can receive, in one table.

pub(crate) mod responses;

use std::fmt;
use std::sync::Arc;

use actix_web::error::QueryPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, ContentRange, ContentRangeSpec, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use tvshows_core::{ExternalId, RunId, ShowId, StoreError};
use tvshows_pipeline::{CancelError, PlanError, SubmitError};

use crate::excerpt::excerpt;
use crate::middleware::request_id::RequestContext;

/// The delay after which a client may retry a request that was rejected at capacity, or while the database was away.
const RETRY_SECONDS: u64 = 30;

#[derive(Debug)]
pub(crate) enum Problem {
    /// The request is not valid HTTP. The reason is a clause about the request, "it".
    MalformedRequest(&'static str),
    HeaderTooLarge,
    HeaderTooSlow,
    TooManyLargeHeaders,
    TokenRequired,
    InvalidToken,
    ForeignOrigin(String),
    /// CORS does not allow what a preflight request asks for.
    PreflightRejected(String),
    TooManyRequests {
        seconds: u64,
    },
    BodyTooLarge,
    BodyTooSlow,
    UnreadableBody,
    PathNotFound,
    MethodNotAllowed {
        allowed: &'static str,
    },
    /// The query has an unknown or repeated parameter.
    InvalidQuery(String),
    /// A parameter has an invalid value. The reason completes a sentence that starts with the parameter.
    Parameter {
        name: &'static str,
        reason: String,
    },
    RunNotFound(String),
    RunEnded(RunId),
    RunOwnedElsewhere(String),
    RunPublishing(String),
    ShowNotFound(ShowId),
    ExternalIdNotFound(ExternalId),
    CastNotFound(ShowId),
    EpisodesNotFound(ShowId),
    /// TVmaze may have it, but the mirror does not. The reason is a sentence.
    NotMirrored(String),
    /// No show matches what TVmaze finds a single show by.
    NoMatch,
    ExportNotFound(String),
    /// `Accept-Encoding` excludes every encoding of the service, and uncompressed responses.
    NoAcceptableEncoding,
    /// The file is not the one that the client has read before.
    FileChanged,
    RangeNotSatisfiable {
        /// Of the whole file.
        length: u64,
    },
    QueueFull,
    TooManyStreams,
    TooManyUnreadResponses,
    ShuttingDown,
    UpdatesOff,
    /// The reason is only in the log.
    TvmazeUnavailable,
    Store(StoreError),
    /// The problem of a rendering that other requests may have waited for, too.
    Shared(Arc<Problem>),
}

/// The body of every error: RFC 9457 problem details with a stable error code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`; `code` identifies the kind of error.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The reason phrase of the status.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(example = 422)]
    status: u16,
    /// Identifies the kind of error. Stable, unlike `detail`.
    #[schema(example = "invalid_parameter")]
    code: &'static str,
    /// What is wrong, and what to do about it.
    #[schema(example = "`years` must be a whole number from 0 to 200")]
    detail: String,
    /// The invalid parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "years")]
    parameter: Option<&'static str>,
    /// Identifies this occurrence: `urn:request:` followed by the response's `X-Request-Id`, which is also in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "urn:request:4f3c2b1a09f8e7d6c5b4a39281706f5e")]
    instance: Option<String>,
}

impl Problem {
    /// The problem itself, if it is shared.
    pub(crate) fn unshared(&self) -> &Problem {
        match self {
            Problem::Shared(problem) => problem.unshared(),
            problem => problem,
        }
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Problem::Shared(problem) => problem.status_and_code(),
            Problem::MalformedRequest(_) => (StatusCode::BAD_REQUEST, "malformed_request"),
            Problem::InvalidQuery(_) => (StatusCode::BAD_REQUEST, "invalid_query"),
            Problem::PreflightRejected(_) => (StatusCode::BAD_REQUEST, "preflight_rejected"),
            Problem::UnreadableBody => (StatusCode::BAD_REQUEST, "unreadable_body"),
            Problem::TokenRequired => (StatusCode::UNAUTHORIZED, "token_required"),
            Problem::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Problem::ForeignOrigin(_) => (StatusCode::FORBIDDEN, "foreign_origin"),
            Problem::PathNotFound => (StatusCode::NOT_FOUND, "path_not_found"),
            Problem::RunNotFound(_) => (StatusCode::NOT_FOUND, "run_not_found"),
            Problem::ShowNotFound(_) | Problem::ExternalIdNotFound(_) => {
                (StatusCode::NOT_FOUND, "show_not_found")
            }
            Problem::CastNotFound(_) => (StatusCode::NOT_FOUND, "cast_not_found"),
            Problem::EpisodesNotFound(_) => (StatusCode::NOT_FOUND, "episodes_not_found"),
            Problem::NotMirrored(_) => (StatusCode::NOT_FOUND, "not_mirrored"),
            Problem::NoMatch => (StatusCode::NOT_FOUND, "no_match"),
            Problem::ExportNotFound(_) => (StatusCode::NOT_FOUND, "export_not_found"),
            Problem::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
            }
            Problem::NoAcceptableEncoding => (StatusCode::NOT_ACCEPTABLE, "no_acceptable_encoding"),
            Problem::HeaderTooSlow => (StatusCode::REQUEST_TIMEOUT, "header_too_slow"),
            Problem::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow"),
            Problem::RunEnded(_) => (StatusCode::CONFLICT, "run_ended"),
            Problem::RunOwnedElsewhere(_) => (StatusCode::CONFLICT, "run_owned_elsewhere"),
            Problem::RunPublishing(_) => (StatusCode::CONFLICT, "run_publishing"),
            Problem::FileChanged => (StatusCode::PRECONDITION_FAILED, "file_changed"),
            Problem::RangeNotSatisfiable { .. } => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable")
            }
            Problem::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Problem::Parameter { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_parameter"),
            Problem::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Problem::HeaderTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "header_too_large")
            }
            Problem::Store(StoreError::TooManyExports) => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_exports")
            }
            Problem::Store(StoreError::ReadOnly) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_read_only")
            }
            Problem::Store(StoreError::DiskFull { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "disk_full")
            }
            Problem::Store(StoreError::DatabaseReplaced { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "database_replaced")
            }
            Problem::Store(StoreError::Unreachable { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unreachable")
            }
            Problem::Store(StoreError::Stale { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_stale")
            }
            Problem::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue_full"),
            Problem::TooManyLargeHeaders => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_large_headers")
            }
            Problem::TooManyStreams => (StatusCode::SERVICE_UNAVAILABLE, "too_many_streams"),
            Problem::TooManyUnreadResponses => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_unread_responses")
            }
            Problem::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
            Problem::UpdatesOff => (StatusCode::SERVICE_UNAVAILABLE, "updates_off"),
            Problem::TvmazeUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "tvmaze_unavailable"),
            Problem::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
        }
    }

    /// Identifies the kind of error.
    pub(crate) fn code(&self) -> &'static str {
        self.status_and_code().1
    }

    fn detail(&self) -> String {
        match self {
            Problem::Shared(problem) => problem.detail(),
            Problem::InvalidQuery(reason)
            | Problem::NotMirrored(reason)
            | Problem::RunOwnedElsewhere(reason)
            | Problem::RunPublishing(reason) => reason.clone(),
            Problem::MalformedRequest(reason) => format!("the request is not valid HTTP: {reason}"),
            Problem::HeaderTooLarge => {
                "the request header is too large; at most 128 kB and 96 fields are allowed".into()
            }
            Problem::HeaderTooSlow => {
                "the request header took too long; send all of it within 5 seconds".into()
            }
            Problem::UnreadableBody => {
                "the request body cannot be read; no endpoint uses one, so omit it".into()
            }
            Problem::TokenRequired => {
                "this endpoint requires the API token: send `Authorization: Bearer TOKEN`".into()
            }
            Problem::InvalidToken => {
                "the API token is not valid; the operator sets it as API_TOKEN".into()
            }
            Problem::ForeignOrigin(origin) => format!(
                "requests from the origin {:?} are not allowed; add the origin to CORS_ORIGINS, or, if it is the \
                 service's own, make the proxy forward the Host header",
                excerpt(origin)
            ),
            Problem::PreflightRejected(reason) => {
                format!("CORS does not allow this request ({reason}); see CORS_ORIGINS")
            }
            Problem::NoMatch => "no show matches".into(),
            Problem::PathNotFound => "path not found; /docs lists all endpoints".into(),
            Problem::RunNotFound(run) => {
                format!("run {:?} not found; /pipeline/runs lists the runs", excerpt(run))
            }
            Problem::ShowNotFound(show) => {
                format!("show {show} not found in the published snapshot")
            }
            Problem::ExternalIdNotFound(id) => {
                format!("no show with {id} found in the published snapshot")
            }
            Problem::CastNotFound(show) => not_stored(
                "cast",
                *show,
                "those of the top shows are always stored, and the setting DETAILS chooses more shows",
            ),
            Problem::EpisodesNotFound(show) => not_stored(
                "list of episodes",
                *show,
                "the setting DETAILS chooses the shows that have one",
            ),
            Problem::ExportNotFound(file) => format!(
                "export {:?} not found; available are tvshows.db, and all_shows, top_shows, top_shows_cast, \
                 episodes, show_cast and runs as .csv, .ndjson and .parquet",
                excerpt(file)
            ),
            Problem::NoAcceptableEncoding => {
                "`Accept-Encoding` excludes all encodings of the service: br, gzip, deflate, and identity".into()
            }
            Problem::FileChanged => {
                "the file has changed since you read it; read it again from the start".into()
            }
            Problem::RangeNotSatisfiable { length } => {
                format!("the range starts after the end of the file, which has {length} bytes")
            }
            Problem::MethodNotAllowed { allowed } => {
                format!("this endpoint supports only {allowed}; see /docs")
            }
            Problem::BodyTooSlow => {
                "the request body took too long; no endpoint uses one, so omit it".into()
            }
            Problem::RunEnded(run) => format!("run {run} has already ended; see its status"),
            Problem::BodyTooLarge => {
                "the request body is too large; no endpoint uses one, so omit it".into()
            }
            Problem::Parameter { name, reason } => format!("`{name}` {reason}"),
            Problem::TooManyRequests { seconds } => {
                format!("too many requests from your address; retry in {seconds} s")
            }
            Problem::Store(error) => store_detail(error),
            Problem::QueueFull => SubmitError::QueueFull.to_string(),
            Problem::TooManyLargeHeaders => {
                "too many clients are sending large headers; retry later, or send a header of at most 8 kB".into()
            }
            Problem::TooManyStreams => {
                "too many event streams and long polls are open; retry later, or poll the status without `wait`".into()
            }
            Problem::TooManyUnreadResponses => {
                "clients are reading too many large responses; retry later, or use a smaller `limit`".into()
            }
            Problem::ShuttingDown => SubmitError::ShuttingDown.to_string(),
            Problem::UpdatesOff => SubmitError::UpdatesOff.to_string(),
            Problem::TvmazeUnavailable => {
                "TVmaze cannot be reached; retry later, or ask the operator to check the log".into()
            }
        }
    }

    /// Seconds after which the same request may succeed, if nothing is wrong with it or with the data.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self.unshared() {
            Problem::TooManyRequests { seconds } => Some(*seconds),
            Problem::QueueFull
            | Problem::TooManyLargeHeaders
            | Problem::TooManyStreams
            | Problem::TooManyUnreadResponses
            | Problem::ShuttingDown
            | Problem::TvmazeUnavailable
            | Problem::Store(StoreError::TooManyExports | StoreError::Stale { .. }) => {
                Some(RETRY_SECONDS)
            }
            Problem::Store(error) if error.is_transient() => Some(RETRY_SECONDS),
            _ => None,
        }
    }
}

/// What an error of the store means to a client.
fn store_detail(error: &StoreError) -> String {
    match error {
        StoreError::TooManyExports
        | StoreError::DiskFull { .. }
        | StoreError::DatabaseReplaced { .. } => error.to_string(),
        StoreError::ReadOnly => {
            "this service can only read its database, so it cannot start or cancel updates; use the service that \
             writes it, or ask the operator to make it writable"
                .into()
        }
        StoreError::Unreachable { .. } => {
            "the shared database is unavailable; retry later, or ask the operator to check the log".into()
        }
        StoreError::Stale { seconds } => format!(
            "the data may be out of date, because the shared database has been unavailable for {seconds} s; retry \
             later, or ask the operator to check the log"
        ),
        _ => "the database is unavailable; retry, or ask the operator to check the log".into(),
    }
}

fn not_stored(details: &str, show: ShowId, stored: &str) -> String {
    format!(
        "no {details} is stored for show {show}; {stored}, such as \
         `DETAILS=language=English&status=Running` or `DETAILS=id=82,169`"
    )
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status_and_code().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code) = self.status_and_code();
        let parameter = match self {
            Problem::Parameter { name, .. } => Some(*name),
            _ => None,
        };
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        match self {
            Problem::MethodNotAllowed { allowed } => response.insert_header((ALLOW, *allowed)),
            Problem::RangeNotSatisfiable { length } => {
                let range = ContentRangeSpec::Bytes { range: None, instance_length: Some(*length) };
                response.insert_header(ContentRange(range))
            }
            Problem::TokenRequired => response.insert_header((WWW_AUTHENTICATE, "Bearer")),
            Problem::InvalidToken => {
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
            instance: RequestContext::current(|context| {
                format!("urn:request:{}", context.request_id())
            }),
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
            QueryPayloadError::Deserialize(error) => shorten_name(&error.to_string())
                .replace("there are no fields", "this endpoint has no parameters"),
            other => other.to_string(),
        };
        Problem::InvalidQuery(format!("invalid query: {reason}"))
    }
}

/// Shortens the name in an error message of serde, such as "unknown field `x`, expected `years` or `top`".
fn shorten_name(message: &str) -> String {
    let parts = message.split_once('`').and_then(|(start, rest)| {
        let (name, end) = rest.rsplit_once("`, expected ")?;
        Some(format!("{start}`{}`, expected {end}", excerpt(name)))
    });
    parts.unwrap_or_else(|| excerpt(message).into_owned())
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
            SubmitError::ShuttingDown => Problem::ShuttingDown,
            SubmitError::UpdatesOff => Problem::UpdatesOff,
            SubmitError::Store(error) => Problem::Store(error),
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Problem {
        match error {
            PlanError::Store(error) => Problem::Store(error),
            PlanError::Refused(error) => error.into(),
            error => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "an update cannot be planned");
                Problem::TvmazeUnavailable
            }
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Problem {
        match error {
            CancelError::NotFound(run) => Problem::RunNotFound(run.to_string()),
            CancelError::Ended(run) => Problem::RunEnded(run),
            CancelError::OwnedByOtherInstance { .. } => {
                Problem::RunOwnedElsewhere(error.to_string())
            }
            CancelError::AlreadyPublishing(_) => Problem::RunPublishing(error.to_string()),
            CancelError::Store(error) => Problem::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_of_the_database_is_retried_and_described_without_its_address() {
        let unreachable = || StoreError::Unreachable {
            backend: "PostgreSQL at db.internal:5432".into(),
            source: "connection refused (os error 111)".into(),
        };
        for (error, code) in [
            (unreachable(), "store_unreachable"),
            (StoreError::Stale { seconds: 601 }, "store_stale"),
            (StoreError::DatabaseBusy, "store_unavailable"),
        ] {
            let problem = Problem::from(error);
            assert_eq!((problem.status_code().as_u16(), problem.code()), (503, code));
            let retry_after = problem.error_response().headers().get(RETRY_AFTER).cloned();
            assert_eq!(retry_after.unwrap(), "30");
            let detail = problem.to_string();
            assert!(!detail.contains("5432") && !detail.contains("refused"), "{detail}");
        }
        assert!(Problem::Store(StoreError::Stale { seconds: 601 }).to_string().contains("601 s"));
        assert_eq!(Problem::Store(StoreError::ReadOnly).retry_after(), None);
    }
}
