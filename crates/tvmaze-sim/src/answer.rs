use bytes::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue,
    RETRY_AFTER, VARY,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::behaviour::Decision;
use crate::encoding::Encoding;
use crate::fault::FaultKind;
use crate::route::Route;
use crate::state::State;

/// What a request comes to; all but an answer needs the socket itself.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Response<Bytes>),
    Cut(Response<Bytes>),
    Hang,
    Reset,
}

/// Answers one request, or says how it goes wrong.
pub(crate) async fn outcome<Body>(state: &State, request: &Request<Body>) -> Outcome {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    state.count(path);
    let latency = state.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match state.decide(path) {
        Decision::Answer => Outcome::Answer(ordinary(state, request).await),
        Decision::Refuse(retry_after) => Outcome::Answer(too_many_requests(retry_after)),
        Decision::Fault(kind) => match kind {
            FaultKind::Hang => Outcome::Hang,
            FaultKind::Reset => Outcome::Reset,
            FaultKind::Cut => Outcome::Cut(ordinary(state, request).await),
            FaultKind::Missing => Outcome::Answer(failure(StatusCode::NOT_FOUND)),
            FaultKind::Status(status) => Outcome::Answer(failure(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            )),
            FaultKind::Malformed => Outcome::Answer(json(StatusCode::OK, r#"[{"id":1,"name":"#)),
            FaultKind::Object => Outcome::Answer(failure(StatusCode::OK)),
        },
    }
}

async fn ordinary<Body>(state: &State, request: &Request<Body>) -> Response<Bytes> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return failure(StatusCode::METHOD_NOT_ALLOWED);
    }
    let uri = request.uri();
    let Some(route) = Route::parse(uri.path(), uri.query().unwrap_or("")) else {
        return failure(StatusCode::NOT_FOUND);
    };
    let encoding = Encoding::accepted(request.headers());
    let catalogue = state.catalogue();
    if let Some(body) = catalogue.ready(route, encoding) {
        return found(body, encoding);
    }
    // A first page takes milliseconds to render and compress.
    match tokio::task::spawn_blocking(move || catalogue.body(route, encoding)).await {
        Ok(Some(body)) => found(body, encoding),
        Ok(None) => failure(StatusCode::NOT_FOUND),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn found(body: Bytes, encoding: Encoding) -> Response<Bytes> {
    let mut response = json(StatusCode::OK, body);
    if encoding == Encoding::Gzip {
        let headers = response.headers_mut();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

fn too_many_requests(retry_after: Option<u64>) -> Response<Bytes> {
    let mut response = failure(StatusCode::TOO_MANY_REQUESTS);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// TVmaze's error body, byte for byte that of its 404.
fn failure(status: StatusCode) -> Response<Bytes> {
    let name = status.canonical_reason().unwrap_or("Unknown");
    let code = status.as_u16();
    let body = format!(r#"{{"name":"{name}","message":"","code":0,"status":{code}}}"#);
    json(status, body)
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
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
