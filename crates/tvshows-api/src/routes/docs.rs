use std::sync::{Arc, LazyLock};

use actix_web::http::header::ContentEncoding;
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::Config;

use crate::openapi::openapi;
use crate::problem::Problem;

static CONFIG: LazyLock<Arc<Config<'static>>> =
    // Relative to `/docs/`, because a proxy may strip a path prefix.
    LazyLock::new(|| Arc::new(Config::from("../openapi.json")));

/// A file of Swagger UI.
pub(crate) async fn swagger_ui(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let file = utoipa_swagger_ui::serve(&path, CONFIG.clone()).ok().flatten();
    let file = file.ok_or(Problem::PathNotFound)?;
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type);
    if file.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    Ok(response.body(file.bytes.into_owned()))
}

pub(crate) async fn openapi_document() -> HttpResponse {
    HttpResponse::Ok().json(openapi())
}
