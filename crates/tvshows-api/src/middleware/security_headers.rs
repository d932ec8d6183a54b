use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// For data: if a browser renders it as a document anyway, that may load and run nothing.
pub(crate) const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// For Swagger UI, which uses inline styles and icons in `data:` URLs.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Makes browsers trust the content type, and prevents other sites from embedding or framing responses.
pub(crate) async fn add_security_headers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let is_docs = response.request().path().starts_with("/docs/");
    let policy = if is_docs { DOCS_POLICY } else { DATA_POLICY };
    insert_security_headers(response.headers_mut(), policy);
    // The client has the policy that the dashboard set itself.
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(CONTENT_SECURITY_POLICY);
    }
    Ok(response)
}

/// `policy` is for responses that have none.
pub(crate) fn insert_security_headers(headers: &mut HeaderMap, policy: &'static str) {
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        // Does not apply to pages that CORS allows: browsers ignore this header for CORS requests.
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
}
