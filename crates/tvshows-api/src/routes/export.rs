use actix_web::http::Method;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use tvshows_core::{StoreError, Table};
use tvshows_export::Format;

use crate::download::download;
use crate::problem::{ExportUnavailable, Problem, ProblemBody};
use crate::{Services, etag};

/// Downloads a whole table
///
/// All rows are of one snapshot, also while an update publishes. CSV is RFC 4180 in UTF-8 with a header, and an
/// empty field is no value; NDJSON has an object a row, with `genres` as an array and JSON columns as JSON;
/// Parquet has typed columns. A download that is cut off breaks off: it never looks whole.
#[utoipa::path(
    get, path = "/export/{table}.{format}", tag = "export",
    params(
        ("table" = TableName, Path, description = "The table", example = "top_shows"),
        ("format" = FormatName, Path, description = "The form", example = "csv"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same"),
    ),
    responses(
        (status = 200, description = "The file", headers(
            ("Content-Disposition" = String, description = "The name to save it under"),
            ("ETag" = String, description = "The snapshot, or an earlier one")),
            content(
                (String = "text/csv", example = "id,name,language,genres,premiered,rating_average,processed_at,weight,rank,updated\r\n82,Game of Thrones,English,\"Drama,Action\",2011-04-17,8.9,2026-11-22T20:00:15Z,99,1,1700000000\r\n"),
                (String = "application/x-ndjson", example = "{\"id\":82,\"name\":\"Game of Thrones\",\"language\":\"English\",\"genres\":[\"Drama\",\"Action\"],\"premiered\":\"2011-04-17\",\"rating_average\":8.9,\"processed_at\":\"2026-11-22T20:00:15Z\",\"weight\":99,\"rank\":1,\"updated\":1700000000}\n"),
                (String = "application/vnd.apache.parquet"),
            )),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        (status = 404, description = "There is no such table or form", body = ProblemBody, content_type = "application/problem+json"),
        ExportUnavailable,
    )
)]
pub(crate) async fn table(
    services: web::Data<Services>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let no_such = || Problem::NoSuchExport(format!("{}.{}", path.0, path.1));
    let table: Table = path.0.parse().map_err(|_| no_such())?;
    let format: Format = path.1.parse().map_err(|_| no_such())?;
    let tag = etag::of_snapshot(&services.store.snapshot().await?);
    if let Some(answer) = etag::unchanged(&request, &tag) {
        return Ok(answer);
    }
    let mut response = attachment(&format!("{table}.{format}"), format.content_type());
    if format == Format::Parquet {
        response.insert_header(ContentEncoding::Identity);
    }
    let mut response = etag::mark(response, tag);
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let store = services.store.clone();
    let body = download(async move |file| {
        let rows = format.writer(table.columns(), file);
        store.export(table, rows.map_err(|source| StoreError::NotTaken { source })?).await
    });
    Ok(response.body(body.await?))
}

/// Downloads the database
///
/// An SQLite file with everything that is published, the history and the index for searches, consistent while
/// an update writes, and without what that has staged. Making it takes room on the server's disk for a copy.
#[utoipa::path(
    get, path = "/export/tvshows.db", tag = "export",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer: 304 while the snapshot is the same")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/vnd.sqlite3", headers(
            ("Content-Disposition" = String, description = "The name to save it under"),
            ("ETag" = String, description = "The snapshot, or an earlier one"))),
        (status = 304, description = "The snapshot is that of `If-None-Match`"),
        ExportUnavailable,
    )
)]
pub(crate) async fn database(
    services: web::Data<Services>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tag = etag::of_snapshot(&services.store.snapshot().await?);
    if let Some(answer) = etag::unchanged(&request, &tag) {
        return Ok(answer);
    }
    let mut response = attachment("tvshows.db", "application/vnd.sqlite3");
    response.insert_header(ContentEncoding::Identity);
    let mut response = etag::mark(response, tag);
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let store = services.store.clone();
    let body = download(async move |file| store.export_all(file).await);
    Ok(response.body(body.await?))
}

fn attachment(name: &str, content_type: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, content_type));
    response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    response
}

/// The names of the tables, for the document.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "tables are read by their own type")]
pub(crate) enum TableName {
    AllShows,
    TopShows,
    TopShowsCast,
}

/// The names of the forms, for the document.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "forms are read by their own type")]
pub(crate) enum FormatName {
    Csv,
    Ndjson,
    Parquet,
}
