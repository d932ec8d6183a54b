use std::sync::{Arc, LazyLock};

use actix_web::http::header::ContentEncoding;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_swagger_ui::Config;

use crate::cache::etag;
use crate::content::json;
use crate::openapi::openapi;
use crate::problem::Problem;

static CONFIG: LazyLock<Arc<Config<'static>>> =
    // Relative to `/docs/`, because a proxy may strip a path prefix.
    LazyLock::new(|| Arc::new(Config::from("../openapi.json")));

/// A file of Swagger UI.
pub(crate) async fn swagger_ui(
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let file = utoipa_swagger_ui::serve(&path, CONFIG.clone()).ok().flatten();
    let file = file.ok_or(Problem::PathNotFound)?;
    let tag = etag::for_content(&file.bytes);
    if let Some(response) = etag::not_modified(&request, &tag) {
        return Ok(response);
    }
    let mut response = etag::with_etag(HttpResponse::Ok(), tag);
    response.content_type(file.content_type);
    if file.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    Ok(response.body(file.bytes.into_owned()))
}

pub(crate) async fn openapi_document(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let document = json(&openapi())?;
    let tag = etag::for_content(&document);
    if let Some(response) = etag::not_modified(&request, &tag) {
        return Ok(response);
    }
    let mut response = etag::with_etag(HttpResponse::Ok(), tag);
    Ok(response.content_type("application/json").body(document))
}
