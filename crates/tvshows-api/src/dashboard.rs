//! The dashboard at `/`: its HTML page, scripts, style sheets and icon, all embedded in the binary.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::cache::etag;
use crate::problem::Problem;

/// Allows no inline code and no third-party resources except TVmaze's images. Only one script may turn text
/// into HTML, through the Trusted Types policy `summary`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' https://static.tvmaze.com; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types summary";

macro_rules! embed {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../dashboard/", $name)))),+]
    };
}

/// File names and contents.
const ASSETS: &[(&str, &str)] = embed![
    "api_client.js",
    "api_token.js",
    "bar_chart.js",
    "base.css",
    "calendar_link.js",
    "cast_list.js",
    "charts_view.js",
    "connection.js",
    "dom.js",
    "episode_list.js",
    "export_view.js",
    "format.js",
    "icon.svg",
    "inline_message.js",
    "loading.js",
    "main.js",
    "plan_summary.js",
    "poster.js",
    "replica_line.js",
    "request_rate.js",
    "router.js",
    "run_feed.js",
    "run_history.js",
    "run_labels.js",
    "run_log.js",
    "run_page.css",
    "run_panel.js",
    "run_timeline.js",
    "run_view.js",
    "runs_view.js",
    "sanitize_summary.js",
    "schedule_view.js",
    "search_results.js",
    "show_fields.js",
    "show_filters.js",
    "show_list.js",
    "show_table.js",
    "show_view.js",
    "shows_view.js",
    "table_schema.js",
    "top_shows.js",
    "top_view.js",
    "views.css",
];

pub(crate) async fn index(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type(ContentType::html())
        .insert_header(("Content-Security-Policy", CONTENT_SECURITY_POLICY));
    respond(&request, response, include_str!("../dashboard/index.html"))
}

pub(crate) async fn asset(
    name: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.iter().find(|(known, _)| *known == name.as_str());
    let (name, content) = asset.ok_or(Problem::PathNotFound)?;
    let mut response = HttpResponse::Ok();
    response.content_type(content_type(name));
    Ok(respond(&request, response, content))
}

/// Responds with `content`, or with 304 if the client has it cached.
fn respond(
    request: &HttpRequest,
    response: HttpResponseBuilder,
    content: &'static str,
) -> HttpResponse {
    let tag = etag::for_content(content.as_bytes());
    let unchanged = etag::not_modified(request, &tag);
    unchanged.unwrap_or_else(|| etag::with_etag(response, tag).body(content))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}
