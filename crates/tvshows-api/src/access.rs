//! Who may change something, and how often: looked at before any route is asked.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};

use crate::post_limit::PostLimit;
use crate::problem::Problem;
use crate::{ApiToken, Origins, body};

/// Who may use the service, and how.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The web pages of elsewhere that may.
    pub origins: Origins,
    /// What a request needs that changes something; `None` for nothing.
    pub token: Option<ApiToken>,
    /// How many such requests a client may send in a minute; `None` for any number.
    pub posts_per_minute: Option<NonZeroU32>,
}

/// [`Access`] as it is asked.
pub(crate) struct Guard {
    access: Access,
    limit: Option<PostLimit>,
}

impl Guard {
    pub(crate) fn new(access: Access) -> Guard {
        let limit = access.posts_per_minute.map(PostLimit::per_minute);
        Guard { access, limit }
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.access.origins
    }

    /// Whatever is no GET or HEAD changes something, so that a new route is guarded from its first day.
    fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(());
        }
        let client = request.peer_addr().map(|address| address.ip());
        // First, so that guesses at the token count.
        if let (Some(limit), Some(client)) = (&self.limit, client) {
            limit.take(client).map_err(too_many)?;
        }
        self.check_origin(request)?;
        self.check_token(request, client)
    }

    /// A browser lets any web page send a POST, and says from where it comes.
    fn check_origin(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
        let Ok(origin) = origin.to_str() else {
            return Err(Problem::ForeignOrigin(String::from_utf8_lossy(origin.as_bytes()).into()));
        };
        let is_own = match header("sec-fetch-site") {
            Some(site) => matches!(site, "same-origin" | "none"),
            None => is_at(origin, header(HOST.as_str()).unwrap_or_default()),
        };
        if is_own || self.access.origins.has(origin) {
            Ok(())
        } else {
            Err(Problem::ForeignOrigin(origin.to_owned()))
        }
    }

    fn check_token(&self, request: &ServiceRequest, client: Option<IpAddr>) -> Result<(), Problem> {
        let Some(token) = &self.access.token else { return Ok(()) };
        match request.headers().get(AUTHORIZATION) {
            None => Err(Problem::TokenRequired),
            Some(header) if token.is_in(header) => Ok(()),
            Some(_) => {
                tracing::warn!(
                    client = client.map(tracing::field::display),
                    "a wrong API token was refused"
                );
                Err(Problem::WrongToken)
            }
        }
    }
}

/// Whether a page of this origin came from this host.
fn is_at(origin: &str, host: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    uri.is_some_and(|uri| uri.authority().is_some_and(|own| own.as_str() == host))
}

fn too_many(wait: Duration) -> Problem {
    Problem::TooManyRequests { seconds: wait.as_secs() + 1 }
}

/// Lets through who may, with a body that is read and done with: no route takes one.
pub(crate) async fn admit<B: MessageBody>(
    guard: web::Data<Guard>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let admitted = async {
        guard.check(&request)?;
        body::discard(&mut request).await
    };
    // As an answer: an error would pass by the middlewares that add headers.
    match admitted.await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => Ok(request.into_response(problem.error_response()).map_into_right_body()),
    }
}
