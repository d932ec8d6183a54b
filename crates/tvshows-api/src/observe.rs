//! Names, counts and logs requests.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tracing::{Instrument, Span};

use crate::correlation::{CURRENT, Correlation, REQUEST_ID};
use crate::http_metrics::{self, InFlight};
use crate::problem::Problem;
use crate::telemetry::Telemetry;

/// Around everything else. Reads leave no trace but their counts, unless the log is at debug level.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let _in_flight = InFlight::begin();
    let since = Instant::now();
    let correlation = Correlation::of(request.headers());
    let (id, method) = (correlation.id.clone(), request.method().clone());
    let span = span(&request, &correlation);
    let answering = async {
        let mut answer = next.call(request).await;
        match &mut answer {
            Ok(answer) => {
                answer.headers_mut().insert(REQUEST_ID, id);
                told(&method, answer, since.elapsed());
            }
            Err(error) => {
                // A layer before the routes has refused it.
                let mut response = error.error_response();
                response.headers_mut().insert(REQUEST_ID, id);
                http_metrics::answered(None, &method, response.status(), since.elapsed());
                log_failure(Some(error), response.status().as_u16());
                let cause = error.to_string();
                return Err(InternalError::from_response(cause, response).into());
            }
        }
        answer
    };
    CURRENT.scope(correlation, answering.instrument(span)).await
}

/// A span for what may change something; none for a read.
fn span(request: &ServiceRequest, correlation: &Correlation) -> Span {
    if request.method().is_safe() {
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
        (correlation.traceparent(), request.app_data::<web::Data<Telemetry>>())
    {
        (telemetry.join_trace)(&span, traceparent);
    }
    span
}

fn told<B>(method: &Method, answer: &ServiceResponse<B>, elapsed: Duration) {
    let (request, status) = (answer.request(), answer.status());
    http_metrics::answered(request.match_pattern(), method, status, elapsed);
    let (status, duration_ms) = (status.as_u16(), elapsed.as_secs_f64() * 1e3);
    if status >= 500 {
        log_failure(answer.response().error(), status);
    }
    if method.is_safe() {
        let (method, path) = (method.as_str(), request.path());
        tracing::debug!(
            http.request.method = method,
            url.path = path,
            http.response.status_code = status,
            duration_ms,
            "a request was answered"
        );
    } else {
        tracing::info!(http.response.status_code = status, duration_ms, "a request was answered");
    }
}

/// Tells why a request could not be answered. Nothing is wrong where there is only no room.
fn log_failure(error: Option<&Error>, status: u16) {
    match (error.and_then(Error::as_error::<Problem>), error) {
        _ if status < 500 => {}
        (Some(problem), _) if problem.retry_after().is_some() => {
            tracing::warn!(error = %problem, "a request was put off");
        }
        (Some(Problem::Store(error)), _) => {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "a request failed at the store");
        }
        (_, Some(error)) => tracing::error!(error = %error, "a request failed"),
        // Whoever answered so has told.
        (_, None) => {}
    }
}
