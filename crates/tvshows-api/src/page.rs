//! The page at `/`: its document, and the styles, scripts and the icon that it consists of, embedded.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{ContentType, EntityTag};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::cache::etag;
use crate::problem::Problem;

/// Nothing inline, and nothing from elsewhere but TVmaze's pictures. Texts are made HTML in one place alone.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' https://static.tvmaze.com; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types summary";

macro_rules! files {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../page/", $name)))),+]
    };
}

/// What the document asks for, by name.
const FILES: &[(&str, &str)] = files![
    "bar_chart.js",
    "base.css",
    "cast_list.js",
    "charts_view.js",
    "connection.js",
    "data_view.js",
    "elements.js",
    "format.js",
    "found_shows.js",
    "icon.svg",
    "loading.js",
    "main.js",
    "notice.js",
    "pace.js",
    "poster.js",
    "route.js",
    "run_history.js",
    "run_panel.js",
    "run_view.js",
    "run_words.js",
    "runs.js",
    "runs_view.js",
    "service.js",
    "show_filters.js",
    "show_list.js",
    "show_view.js",
    "shows_view.js",
    "summary.js",
    "tables.js",
    "token.js",
    "top_view.js",
    "views.css",
];

pub(crate) async fn html(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type(ContentType::html())
        .insert_header(("Content-Security-Policy", CONTENT_SECURITY_POLICY));
    answer(&request, response, include_str!("../page/page.html"))
}

pub(crate) async fn file(
    name: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let file = FILES.iter().find(|(known, _)| *known == name.as_str());
    let (name, content) = file.ok_or(Problem::PathNotFound)?;
    let mut response = HttpResponse::Ok();
    response.content_type(content_type(name));
    Ok(answer(&request, response, content))
}

/// The content, unless the client has it already.
fn answer(
    request: &HttpRequest,
    response: HttpResponseBuilder,
    content: &'static str,
) -> HttpResponse {
    let tag = tag(content);
    let unchanged = etag::not_modified(request, &tag);
    unchanged.unwrap_or_else(|| etag::with_etag(response, tag).body(content))
}

/// Another one in every version of the file. Weak, since an answer may be compressed or not.
fn tag(content: &str) -> EntityTag {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    EntityTag::new_weak(format!("{:x}", hasher.finish()))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}
