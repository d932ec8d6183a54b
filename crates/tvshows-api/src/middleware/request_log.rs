use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tracing::{Instrument, Span};

use super::metrics::{self, InFlightGuard};
use super::request_id::{CURRENT, REQUEST_ID, RequestContext};
use super::request_reader::is_invalid;
use crate::problem::Problem;
use crate::state::Telemetry;

/// Assigns each request its id, measures it and logs the outcome. The outermost middleware.
pub(crate) async fn log_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let _in_flight = InFlightGuard::new();
    let start = Instant::now();
    let context = RequestContext::from_headers(request.headers());
    let (id, method) = (context.id.clone(), request.method().clone());
    let span = span(&request, &context);
    let handled = async {
        match next.call(request).await {
            Ok(mut response) => {
                response.headers_mut().insert(REQUEST_ID, id);
                log_response(&method, &response, start.elapsed());
                Ok(response)
            }
            // Rejected by middleware, before routing.
            Err(error) => {
                let mut response = error.error_response();
                response.headers_mut().insert(REQUEST_ID, id);
                metrics::record(None, &method, response.status(), start.elapsed());
                log_failure(Some(&error), response.status().as_u16());
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
    let (method, path) = (request.method().as_str(), request.path());
    let span = tracing::info_span!(
        "http request",
        otel.kind = "server",
        http.request.method = method,
        url.path = path
    );
    if let (Some(traceparent), Some(telemetry)) =
        (context.traceparent(), request.app_data::<web::Data<Telemetry>>())
    {
        (telemetry.join_trace)(&span, traceparent);
    }
    span
}

/// Logs reads at debug level only, because there are many.
fn log_response<B>(method: &Method, response: &ServiceResponse<B>, elapsed: Duration) {
    let (request, status) = (response.request(), response.status());
    metrics::record(request.match_pattern(), method, status, elapsed);
    // In whole microseconds.
    let duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    let status = status.as_u16();
    log_failure(response.response().error(), status);
    if is_invalid(method) {
        let client = request.peer_addr().map(|address| address.ip());
        tracing::info!(
            client = client.map(tracing::field::display),
            http.response.status_code = status,
            error = response.response().error().map(tracing::field::display),
            "request rejected: malformed"
        );
    } else if method.is_safe() {
        tracing::debug!(
            http.request.method = method.as_str(),
            url.path = request.path(),
            http.response.status_code = status,
            duration_ms,
            "request completed"
        );
    } else {
        // The span has the method and the path.
        tracing::info!(http.response.status_code = status, duration_ms, "request completed");
    }
}

fn log_failure(error: Option<&Error>, status: u16) {
    // A 5xx response without an error was logged where it was created.
    let Some(error) = error.filter(|_| status >= 500) else { return };
    match error.as_error::<Problem>() {
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
