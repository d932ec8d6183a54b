use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use serde::Serialize;

use crate::problem::Problem;

/// TVmaze's error object.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TvmazeError {
    /// The reason phrase of the status.
    #[schema(example = "Not Found")]
    name: &'static str,
    /// What is wrong.
    #[schema(example = "this mirror of TVmaze does not hold /people/1")]
    message: String,
    /// Always 0.
    #[schema(example = 0)]
    code: u8,
    /// The HTTP status code.
    #[schema(example = 404)]
    status: u16,
}

impl TvmazeError {
    fn new(problem: &Problem) -> TvmazeError {
        let status = problem.status_code();
        let name = match status {
            StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable entity",
            status => status.canonical_reason().unwrap_or_default(),
        };
        TvmazeError { name, message: problem.to_string(), code: 0, status: status.as_u16() }
    }
}

/// Writes problems as TVmaze does, and lets web pages of every origin read the responses, as TVmaze does too.
pub(super) async fn in_tvmaze_form<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let mut response = next.call(request).await?;
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    let error = problem.map(|problem| match problem.unshared() {
        Problem::NoMatch => Ok("null".to_owned()),
        problem => serde_json::to_string(&TvmazeError::new(problem)),
    });
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let Some(error) = error.transpose()? else { return Ok(response.map_into_left_body()) };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response.map_body(|_, _| EitherBody::right(BoxBody::new(error))))
}
