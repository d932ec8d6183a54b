use std::str::FromStr;

use actix_cors::{Cors, CorsError};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use super::request_id::REQUEST_ID;
use crate::problem::Problem;

/// Origins of the web pages that browsers let use this service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AllowedOrigins {
    /// Only the service's own.
    #[default]
    None,
    /// These, and the service's own.
    Listed(Vec<String>),
    /// Every origin.
    Any,
}

/// The text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseOriginError(String);

impl std::fmt::Display for ParseOriginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is not an origin; list origins such as https://example.org or http://localhost:3000, separated by commas, \
             or use * to allow all",
            self.0
        )
    }
}

impl std::error::Error for ParseOriginError {}

impl FromStr for AllowedOrigins {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<AllowedOrigins, ParseOriginError> {
        match text.trim() {
            "" => Ok(AllowedOrigins::None),
            "*" => Ok(AllowedOrigins::Any),
            list => list
                .split(',')
                .map(|origin| parse_origin(origin.trim()))
                .collect::<Result<_, _>>()
                .map(AllowedOrigins::Listed),
        }
    }
}

/// Browsers compare origins as text, so one with a path or a trailing slash would never match.
fn parse_origin(text: &str) -> Result<String, ParseOriginError> {
    let uri: Option<Uri> = text.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let authority = uri.authority().map(|authority| authority.as_str().to_lowercase());
        scheme.zip(authority).is_some_and(|(scheme, authority)| {
            !authority.contains('@') && text == format!("{scheme}://{authority}")
        })
    });
    if is_origin { Ok(text.to_owned()) } else { Err(ParseOriginError(text.to_owned())) }
}

impl AllowedOrigins {
    pub(crate) fn allows(&self, origin: &str) -> bool {
        match self {
            AllowedOrigins::None => false,
            AllowedOrigins::Listed(origins) => origins.iter().any(|allowed| allowed == origin),
            AllowedOrigins::Any => true,
        }
    }

    /// The middleware that responds to browsers. The service uses no cookies, so credentials are not allowed.
    pub(crate) fn cors(&self) -> Cors {
        let cors = match self {
            AllowedOrigins::None => Cors::default(),
            AllowedOrigins::Any => Cors::default().allow_any_origin().send_wildcard(),
            AllowedOrigins::Listed(origins) => {
                origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
            }
        };
        let signature = HeaderName::from_static("previous_signature");
        cors.allowed_methods(["GET", "HEAD", "POST"])
            .allowed_headers([AUTHORIZATION, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE, signature])
            .expose_headers([ETAG, LOCATION, RETRY_AFTER, CONTENT_DISPOSITION, REQUEST_ID])
            .expose_headers([ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE])
            .max_age(3600)
    }
}

/// Turns rejections by [`AllowedOrigins::cors`] and by the middleware that compresses responses into problems.
pub(crate) async fn explain_rejection<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    let error = response.response().error();
    let problem = match error.and_then(|error| error.as_error::<CorsError>()) {
        Some(error) => Problem::PreflightRejected(error.to_string()),
        None if response.status() == StatusCode::NOT_ACCEPTABLE => Problem::NoAcceptableEncoding,
        None => return Ok(response.map_into_left_body()),
    };
    let mut explained = problem.error_response();
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != CONTENT_TYPE) {
        explained.headers_mut().append(name.clone(), value.clone());
    }
    Ok(response.into_response(explained).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_listed_as_browsers_write_them() {
        assert_eq!("".parse(), Ok(AllowedOrigins::None));
        assert_eq!("*".parse(), Ok(AllowedOrigins::Any));
        let some = vec!["https://a.example".to_owned(), "http://localhost:3000".to_owned()];
        assert_eq!(
            "https://a.example, http://localhost:3000".parse(),
            Ok(AllowedOrigins::Listed(some))
        );
        for wrong in [
            "a.example",
            "https://a.example/",
            "https://A.example",
            "ftp://a",
            "https://u@a",
            "null",
            ",",
        ] {
            assert!(wrong.parse::<AllowedOrigins>().is_err(), "{wrong}");
        }
    }
}
