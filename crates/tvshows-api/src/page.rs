//! The page at `/`: three files, embedded.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;

/// Nothing from elsewhere, nothing inline: what TVmaze's texts may hold never runs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(crate) async fn html() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .body(include_str!("../page/page.html"))
}

pub(crate) async fn css() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("../page/page.css"))
}

pub(crate) async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(include_str!("../page/page.js"))
}
