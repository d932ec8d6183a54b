//! Decides, before any route runs, which requests may change something, and how often.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::api_token::ApiToken;
use super::client_address::TrustedProxies;
use super::connection_state::ConnectionState;
use super::cors::AllowedOrigins;
use super::drain_body::drain;
use super::rate_limit::ClientRateLimiter;
use super::request_id::RequestContext;
use super::request_reader::is_invalid;
use crate::problem::Problem;

/// The default limit of connections, enough for five thousand event streams.
pub const DEFAULT_CONNECTIONS: NonZeroU32 = NonZeroU32::new(6144).unwrap();

/// What clients are allowed to do.
#[derive(Debug, Clone)]
pub struct AccessPolicy {
    /// Origins of web pages that may use the service, in addition to its own.
    pub origins: AllowedOrigins,
    /// The token that state-changing requests require; `None` leaves them open.
    pub token: Option<ApiToken>,
    /// The limit on state-changing requests per client; `None` for no limit.
    pub posts_per_minute: Option<NonZeroU32>,
    /// The proxies that report the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
    /// How many connections are accepted at the same time; the others wait.
    pub max_connections: NonZeroU32,
}

impl Default for AccessPolicy {
    /// Allows everything, except to the pages of other sites.
    fn default() -> AccessPolicy {
        AccessPolicy {
            origins: AllowedOrigins::default(),
            token: None,
            posts_per_minute: None,
            trusted_proxies: TrustedProxies::default(),
            max_connections: DEFAULT_CONNECTIONS,
        }
    }
}

/// Enforces an [`AccessPolicy`].
pub(crate) struct AccessGuard {
    policy: AccessPolicy,
    limiter: Option<ClientRateLimiter>,
}

impl AccessGuard {
    pub(crate) fn new(policy: AccessPolicy) -> AccessGuard {
        let limiter = policy.posts_per_minute.map(ClientRateLimiter::per_minute);
        AccessGuard { policy, limiter }
    }

    pub(crate) fn allowed_origins(&self) -> &AllowedOrigins {
        &self.policy.origins
    }

    pub(crate) fn client(&self, request: &ServiceRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?;
        Some(self.policy.trusted_proxies.client(peer, request.headers()))
    }

    /// Treats every method except GET and HEAD as state-changing, so that new routes are protected by default.
    fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(());
        }
        let client = RequestContext::current(RequestContext::client).flatten();
        // Before the token is checked, so that attempts to guess it are limited.
        if let (Some(limiter), Some(client)) = (&self.limiter, client) {
            limiter.check(client).map_err(too_many_requests)?;
        }
        self.check_origin(request)?;
        self.check_token(request)
    }

    /// Browsers let any web page send a POST request, but add the page's origin to it.
    fn check_origin(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
        let Ok(origin) = origin.to_str() else {
            return Err(Problem::ForeignOrigin(String::from_utf8_lossy(origin.as_bytes()).into()));
        };
        let is_own = match header("sec-fetch-site") {
            Some(site) => matches!(site, "same-origin" | "none"),
            None => is_same_origin(origin, header(HOST.as_str()).unwrap_or_default()),
        };
        if is_own || self.policy.origins.allows(origin) {
            Ok(())
        } else {
            Err(Problem::ForeignOrigin(origin.to_owned()))
        }
    }

    fn check_token(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let Some(token) = &self.policy.token else { return Ok(()) };
        match request.headers().get(AUTHORIZATION) {
            None => Err(Problem::TokenRequired),
            Some(header) if token.matches_header(header) => Ok(()),
            Some(_) => Err(Problem::InvalidToken),
        }
    }
}

fn is_same_origin(origin: &str, host: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    uri.is_some_and(|uri| uri.authority().is_some_and(|own| own.as_str() == host))
}

/// Fails for the request that takes the place of a malformed one.
fn check_is_valid(request: &ServiceRequest) -> Result<(), Problem> {
    if !is_invalid(request.method()) {
        return Ok(());
    }
    let connection = request.conn_data::<Rc<ConnectionState>>();
    connection.and_then(|connection| connection.problem.take()).map_or(Ok(()), Err)
}

fn too_many_requests(wait: Duration) -> Problem {
    Problem::TooManyRequests { seconds: wait.as_secs() + 1 }
}

/// Rejects requests that are malformed or that the policy forbids. Discards the body of the others, since no route uses one.
pub(crate) async fn enforce_access<B: MessageBody>(
    guard: web::Data<AccessGuard>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let access = async {
        check_is_valid(&request)?;
        guard.check(&request)?;
        drain(&mut request).await
    };
    // A response, because an error would bypass the middleware that adds headers.
    match access.await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}
