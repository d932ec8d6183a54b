use bytes::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue,
    LOCATION, RETRY_AFTER, VARY,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::connection_fault::ConnectionFault;
use crate::dataset::Content;
use crate::encoding::Encoding;
use crate::fault::FaultKind;
use crate::fault_injector::Decision;
use crate::route::Route;
use crate::shared::{SharedState, decode_brackets};

/// Responds to one request.
///
/// # Errors
///
/// The fault to apply to the connection in place of a response.
pub(crate) async fn handle<Body>(
    state: &SharedState,
    request: &Request<Body>,
) -> Result<Response<Bytes>, ConnectionFault> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = decode_brackets(path);
    let path = &*path;
    state.lock().count(path);
    let latency = state.lock().faults.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let decision = state.lock().decide(path);
    match decision {
        Decision::Respond => Ok(serve(state, request).await),
        Decision::RateLimited { retry_after } => Ok(too_many_requests(retry_after)),
        Decision::Fault(kind) => match kind {
            FaultKind::Hang => Err(ConnectionFault::Hang),
            FaultKind::Reset => Err(ConnectionFault::Reset),
            FaultKind::Truncate => Err(ConnectionFault::truncate(&serve(state, request).await)),
            FaultKind::NotFound => Ok(error_response(StatusCode::NOT_FOUND)),
            FaultKind::Status(status) => Ok(error_response(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            )),
            FaultKind::Malformed => Ok(json_response(StatusCode::OK, r#"[{"id":1,"name":"#)),
            FaultKind::WrongShape => Ok(error_response(StatusCode::OK)),
        },
    }
}

/// The response without faults.
async fn serve<Body>(state: &SharedState, request: &Request<Body>) -> Response<Bytes> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error_response(StatusCode::METHOD_NOT_ALLOWED);
    }
    let uri = request.uri();
    let route = match Route::parse(uri.path(), uri.query().unwrap_or("")) {
        Ok(route) => route,
        Err(status) => return error_response(status),
    };
    let encoding = Encoding::negotiate(request.headers());
    let dataset = state.lock().dataset.clone();
    if let Some(body) = dataset.cached(&route, encoding) {
        return ok_json(body, encoding);
    }
    let is_search = matches!(route, Route::SingleSearch(..) | Route::Lookup(_));
    // Rendering and compressing a page takes milliseconds.
    match tokio::task::spawn_blocking(move || dataset.render(&route, encoding)).await {
        Ok(Some(Content::Body(body))) => ok_json(body, encoding),
        Ok(Some(Content::Show(id))) => redirect_to_show(request, id),
        Ok(None) if is_search => json_response(StatusCode::NOT_FOUND, "null"),
        Ok(None) => error_response(StatusCode::NOT_FOUND),
        Err(_) => error_response(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn ok_json(body: Bytes, encoding: Encoding) -> Response<Bytes> {
    let mut response = json_response(StatusCode::OK, body);
    if encoding == Encoding::Gzip {
        let headers = response.headers_mut();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// TVmaze redirects to an absolute URL at its own origin.
fn redirect_to_show<Body>(request: &Request<Body>, id: u32) -> Response<Bytes> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let origin = host.map(|host| format!("http://{host}")).unwrap_or_default();
    let mut response = json_response(StatusCode::MOVED_PERMANENTLY, "null");
    if let Ok(location) = HeaderValue::from_str(&format!("{origin}/shows/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn too_many_requests(retry_after: Option<u64>) -> Response<Bytes> {
    let mut response = error_response(StatusCode::TOO_MANY_REQUESTS);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// TVmaze's error body; for a 404 the same byte for byte.
fn error_response(status: StatusCode) -> Response<Bytes> {
    let name = status.canonical_reason().unwrap_or("Unknown");
    let code = status.as_u16();
    let body = format!(r#"{{"name":"{name}","message":"","code":0,"status":{code}}}"#);
    json_response(status, body)
}

fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "application/json; charset=UTF-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
