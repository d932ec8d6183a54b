use actix_web::http::Method;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use tvshows_core::Table;
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
        ("table" = inline(TableName), Path, description = "The table", example = "top_shows"),
        ("format" = inline(FormatName), Path, description = "The form", example = "csv"),
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
        store.export(table, Box::new(move || format.writer(table.columns(), file))).await
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

/// A published table.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "tables are read by their own type")]
pub(crate) enum TableName {
    AllShows,
    TopShows,
    TopShowsCast,
}

/// The form of a file.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "forms are read by their own type")]
pub(crate) enum FormatName {
    Csv,
    Ndjson,
    Parquet,
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use actix_web::{App, http::StatusCode, test};
    use tvshows_core::{CellValue, RowWriter, ShowStore};
    use tvshows_pipeline::{Pipeline, Runner};
    use tvshows_progress::InProcessTracker;
    use tvshows_sqlite::SqliteStore;

    use super::*;

    /// Says that it is there, and takes nothing until it is let go.
    struct Stuck(Receiver<()>);

    impl Stuck {
        fn open(here: &Sender<()>, go: Receiver<()>) -> io::Result<Box<dyn RowWriter>> {
            here.send(()).map_err(io::Error::other)?;
            Ok(Box::new(Stuck(go)))
        }
    }

    impl RowWriter for Stuck {
        fn write_row(&mut self, _: &[CellValue<'_>]) -> io::Result<()> {
            Ok(())
        }

        fn finish(self: Box<Self>) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)
        }
    }

    #[actix_web::test]
    async fn too_many_exports_are_told_to_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
        let store = Arc::new(store);
        let client = tvmaze_client::Client::builder().build().unwrap();
        let pipeline = Pipeline::new(client, store.clone());
        let runner = Runner::start(pipeline, Arc::new(InProcessTracker::default()), "here");
        let services = Services { runner, store: store.clone() };
        let app = test::init_service(App::new().configure(crate::server::routes(services))).await;
        let ask = async |file: &str| {
            let request = test::TestRequest::get().uri(&format!("/export/{file}")).to_request();
            test::call_service(&app, request).await
        };

        let ((here, arrived), mut stuck) = (channel(), Vec::new());
        for _ in 0..4 {
            let ((go, gone), here, store) = (channel(), here.clone(), store.clone());
            let rows = Box::new(move || Stuck::open(&here, gone));
            let export = async move { store.export(Table::TopShows, rows).await };
            stuck.push((go, actix_web::rt::spawn(export)));
        }
        let all = actix_web::rt::task::spawn_blocking(move || arrived.iter().take(4).count());
        assert_eq!(all.await.unwrap(), 4);
        for file in ["top_shows.csv", "top_shows.ndjson", "top_shows.parquet", "tvshows.db"] {
            let refused = ask(file).await;
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{file}");
            assert!(refused.headers().contains_key("retry-after"), "{file}");
            let problem: serde_json::Value = test::read_body_json(refused).await;
            assert_eq!(problem["code"], "too_many_exports", "{file}");
        }
        for (go, export) in stuck {
            drop(go);
            export.await.unwrap().unwrap_err();
        }
        assert_eq!(ask("top_shows.csv").await.status(), StatusCode::OK);
    }
}
