use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tvshows_core::SnapshotVersion;

use crate::state::AppState;

/// For CDNs only (RFC 9213): browsers still revalidate.
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// What to purge after a publish.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

/// Says what caches may store: nothing, unless the route allows it. Data may be stored by a CDN for `CDN_MAX_AGE`.
pub(crate) async fn add_cache_headers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let snapshot = response.response().extensions().get::<SnapshotVersion>().copied();
    let state = response.request().app_data::<web::Data<AppState>>();
    let cdn_max_age = state.and_then(|state| state.cdn_max_age);
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !varies_by_encoding(headers) {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let (Some(snapshot), Some(seconds)) = (snapshot, cdn_max_age) {
        let policy =
            format!("public, max-age={seconds}, stale-while-revalidate=60, stale-if-error=86400");
        let key = format!("snapshot-{}", snapshot.number);
        for (name, value) in [(CDN_CACHE_CONTROL, policy), (SURROGATE_KEY, key)] {
            headers.insert(name, HeaderValue::try_from(value)?);
        }
    }
    Ok(response)
}

/// Whether `Vary` says that a response may be compressed for other clients.
fn varies_by_encoding(headers: &HeaderMap) -> bool {
    headers.get_all(VARY).any(|value| {
        let names = value.to_str().unwrap_or_default().split(',');
        names.map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding"))
    })
}
