use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tracing::{Instrument, Span};

use super::access::AccessGuard;
use super::metrics::{self, InFlightGuard};
use super::rejection_log::RejectionLog;
use super::request_id::{CURRENT, REQUEST_ID, RequestContext};
use super::request_reader::is_invalid;
use crate::excerpt::excerpt;
use crate::problem::Problem;
use crate::state::Telemetry;

/// Assigns each request its id, measures it and logs the outcome.
pub(crate) async fn log_request(
    guard: web::Data<AccessGuard>,
    rejections: web::Data<RejectionLog>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let _in_flight = InFlightGuard::new();
    let start = Instant::now();
    let context = RequestContext::new(request.headers(), guard.client(&request));
    let (id, method) = (context.id.clone(), request.method().clone());
    let span = span(&request, &context);
    let handled = async {
        match next.call(request).await {
            Ok(mut response) => {
                response.headers_mut().insert(REQUEST_ID, id);
                log_response(&method, &response, start.elapsed(), &rejections);
                Ok(response)
            }
            // Rejected by middleware, before routing.
            Err(error) => {
                let mut response = error.error_response();
                response.headers_mut().insert(REQUEST_ID, id);
                metrics::record(None, &method, response.status(), start.elapsed());
                log_failure(Some(&error), response.status(), &rejections);
                Err(InternalError::from_response(error.to_string(), response).into())
            }
        }
    };
    CURRENT.scope(context, handled.instrument(span)).await
}

/// Only state-changing requests get a span.
fn span(request: &ServiceRequest, context: &RequestContext) -> Span {
    if request.method().is_safe() || is_invalid(request.method()) {
        return Span::none();
    }
    let span = tracing::info_span!(
        "http request",
        otel.kind = "server",
        http.request.method = &*excerpt(request.method().as_str()),
        url.path = &*excerpt(request.path())
    );
    if let (Some(traceparent), Some(telemetry)) =
        (context.traceparent(), request.app_data::<web::Data<Telemetry>>())
    {
        (telemetry.join_trace)(&span, traceparent);
    }
    span
}

/// Logs reads at debug level only, because there are many.
fn log_response<B>(
    method: &Method,
    response: &ServiceResponse<B>,
    elapsed: Duration,
    rejections: &RejectionLog,
) {
    let (request, status) = (response.request(), response.status());
    metrics::record(request.match_pattern(), method, status, elapsed);
    let error = response.response().error();
    // In whole microseconds.
    let duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    if status.is_server_error() {
        log_failure(error, status, rejections);
    }
    if !method.is_safe() && status.is_client_error() {
        log_rejection(error, status, rejections);
    } else if method.is_safe() {
        tracing::debug!(
            http.request.method = method.as_str(),
            url.path = &*excerpt(request.path()),
            http.response.status_code = status.as_u16(),
            duration_ms,
            "request completed"
        );
    } else if !status.is_server_error() {
        // The span has the method and the path.
        let status = status.as_u16();
        tracing::info!(http.response.status_code = status, duration_ms, "request completed");
    }
}

/// Logs a state-changing or malformed request that was rejected. Its span, if any, has the method and the path.
fn log_rejection(error: Option<&Error>, status: StatusCode, rejections: &RejectionLog) {
    if !rejections.record(code(error)) {
        return;
    }
    let error = error.map(tracing::field::display);
    let code = status.as_u16();
    if matches!(code, 401 | 403 | 429) {
        tracing::warn!(http.response.status_code = code, error, "request rejected");
    } else {
        tracing::info!(http.response.status_code = code, error, "request rejected");
    }
}

/// Logs why a request failed. A 5xx response without an error was logged where it was created.
fn log_failure(error: Option<&Error>, status: StatusCode, rejections: &RejectionLog) {
    let Some(error) = error.filter(|_| status.is_server_error()) else { return };
    if !rejections.record(code(Some(error))) {
        return;
    }
    match error.as_error::<Problem>().map(Problem::unshared) {
        Some(problem) if problem.retry_after().is_some() => {
            tracing::warn!(error = %problem, "request rejected: at capacity");
        }
        Some(Problem::Store(error)) => {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "request failed: database error");
        }
        _ => tracing::error!(error = %error, "request failed"),
    }
}

fn code(error: Option<&Error>) -> &'static str {
    let problem = error.and_then(|error| error.as_error::<Problem>());
    problem.map_or("other", Problem::code)
}
