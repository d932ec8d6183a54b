//! The error responses that several endpoints document.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Content, Header, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::ProblemBody;

/// Endpoints with query parameters.
pub(crate) enum InvalidQuery {}

impl IntoResponses for InvalidQuery {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            (400, problem("A parameter is unknown or repeated")),
            (422, problem("A parameter has an invalid value")),
        ])
    }
}

/// Endpoints without query parameters.
pub(crate) enum UnknownParameter {}

impl IntoResponses for UnknownParameter {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([(400, problem("A parameter is unknown"))])
    }
}

/// Endpoints that change something.
pub(crate) enum AccessDenied {}

impl IntoResponses for AccessDenied {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([
            (
                401,
                problem("The service requires an API token, and it is missing or invalid")
                    .header("WWW-Authenticate", header::<String>("Bearer")),
            ),
            (403, problem("The request comes from a web page whose origin is not allowed")),
            (
                429,
                problem("The client's address exceeded its rate limit")
                    .header("Retry-After", header::<u32>("Seconds")),
            ),
        ])
    }
}

/// Endpoints that read the database.
pub(crate) enum StoreUnavailable {}

impl IntoResponses for StoreUnavailable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let retry_after = header::<u32>("Seconds; only if the database may be available by then");
        let problem = problem("The database is unavailable");
        responses([(503, problem.header("Retry-After", retry_after))])
    }
}

/// Endpoints that hold their connection.
pub(crate) enum StreamUnavailable {}

impl IntoResponses for StreamUnavailable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let retry_after = header::<u32>(
            "Seconds; only if too many streams are open, or the database may be available by then",
        );
        let problem = problem(
            "Too many event streams and long polls are open, or the database is unavailable",
        );
        responses([(503, problem.header("Retry-After", retry_after))])
    }
}

pub(crate) enum ExportUnavailable {}

impl IntoResponses for ExportUnavailable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let retry_after = header::<u32>(
            "Seconds; only if too many exports are in progress, or the database may be available by then",
        );
        let problem = problem("Too many exports are in progress, or the database is unavailable");
        responses([(503, problem.header("Retry-After", retry_after))])
    }
}

/// Files that can be downloaded in ranges.
pub(crate) enum FileRange {}

impl IntoResponses for FileRange {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content_range = || header::<String>("`bytes FIRST-LAST/LENGTH`, or `bytes */LENGTH`");
        let part = ResponseBuilder::new()
            .description("The part of the file that `Range` asks for")
            .header("ETag", header::<String>("The content of the whole file"));
        let unsatisfiable = problem("The range starts after the end of the file");
        responses([
            (206, part.header("Content-Range", content_range())),
            (412, problem("The file does not match `If-Match`")),
            (416, unsatisfiable.header("Content-Range", content_range())),
        ])
    }
}

pub(crate) enum RunNotFound {}

impl IntoResponses for RunNotFound {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses([(404, problem("Run not found"))])
    }
}

fn responses<const N: usize>(
    responses: [(u16, ResponseBuilder); N],
) -> BTreeMap<String, RefOr<Response>> {
    let responses = responses.into_iter();
    responses.map(|(status, response)| (status.to_string(), response.build().into())).collect()
}

fn problem(description: &str) -> ResponseBuilder {
    let body = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
    ResponseBuilder::new().description(description).content("application/problem+json", body)
}

fn header<T: PartialSchema>(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(T::schema())).description(Some(description)).build()
}
