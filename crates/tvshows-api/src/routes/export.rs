use std::io::Write;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures::stream;
use tvshows_core::{ShowFilter, SnapshotVersion, StoreError, Table};
use tvshows_export::{Format, WriterOptions};

use crate::cache::etag;
use crate::cache::rendered_files::{FileVersion, RenderedFiles};
use crate::extract::filter_query::FilterParameters;
use crate::extract::query::{ExportQuery, NoParameters};
use crate::file_response::file_response;
use crate::problem::responses::{ExportUnavailable, FileRange, InvalidQuery, UnknownParameter};
use crate::problem::{Problem, ProblemBody};
use crate::schemas;
use crate::state::AppState;
use crate::streaming_body::streaming_body;

/// More runs than can be unfinished, so that the last finished one is among them.
const HISTORY_RUNS: u32 = 20;

/// Download a table
///
/// `runs` is the history of updates. All rows are from the same snapshot, even if an update is published during the
/// download. CSV is RFC 4180 in UTF-8
/// with a header row; an empty field is a missing value. NDJSON has an object per row, with `genres` as an array and
/// JSON columns as JSON. Parquet has typed columns. A download that fails is aborted, so an incomplete file never
/// looks complete. Parquet files, except `runs` and filtered ones, can be read in ranges.
///
/// `all_shows` has the same filters as `/shows`, and contains the same shows as that list, in the order of their ids.
#[utoipa::path(
    get, path = "/export/{table}.{format}", tag = "export",
    params(
        ("table" = inline(schemas::Table), Path, description = "The table", example = "top_shows"),
        ("format" = inline(schemas::Format), Path, description = "The file format", example = "csv"),
        ("dialect" = inline(Option<schemas::Dialect>), Query, description = "For CSV only. `standard`, the default, has every value unchanged, so a spreadsheet may run text such as `=1+1` as a formula. `excel` is for spreadsheets: it begins with a byte order mark, and has an apostrophe before such text"),
        FilterParameters,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the snapshot is unchanged"),
        ("Range" = Option<String>, Header, description = "For Parquet only: the part to download, such as `bytes=0-99` or `bytes=-8`"),
        ("If-Range" = Option<String>, Header, description = "The ETag of an earlier response, to get the whole file if it has changed"),
        ("If-Match" = Option<String>, Header, description = "For Parquet only: the ETag of an earlier response, to get 412 if the file has changed"),
    ),
    responses(
        (status = 200, description = "The file", headers(
            ("Accept-Ranges" = String, description = "`bytes`; for Parquet only"),
            ("Content-Disposition" = String, description = "The file name"),
            ("ETag" = String, description = "The snapshot, or an earlier one")),
            content(
                (String = "text/csv", example = "id,name,language,genres,premiered,rating_average,processed_at,weight,rank,updated\r\n82,Game of Thrones,English,\"Drama,Action\",2011-04-17,8.9,2026-11-22T20:00:15Z,99,1,1700000000\r\n"),
                (String = "application/x-ndjson", example = "{\"id\":82,\"name\":\"Game of Thrones\",\"language\":\"English\",\"genres\":[\"Drama\",\"Action\"],\"premiered\":\"2011-04-17\",\"rating_average\":8.9,\"processed_at\":\"2026-11-22T20:00:15Z\",\"weight\":99,\"rank\":1,\"updated\":1700000000}\n"),
                (String = "application/vnd.apache.parquet"),
            )),
        FileRange,
        (status = 304, description = "The snapshot matches `If-None-Match`"),
        (status = 404, description = "Table or format not found", body = ProblemBody, content_type = "application/problem+json"),
        InvalidQuery,
        ExportUnavailable,
    )
)]
pub(crate) async fn table(
    state: web::Data<AppState>,
    files: web::Data<RenderedFiles>,
    path: web::Path<(String, String)>,
    query: web::Query<ExportQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let not_found = || Problem::ExportNotFound(format!("{}.{}", path.0, path.1));
    let table: Table = path.0.parse().map_err(|_| not_found())?;
    let format: Format = path.1.parse().map_err(|_| not_found())?;
    let (dialect, filter) = (query.dialect(format)?, query.filter(table)?);
    let snapshot = state.catalog.snapshot_version().await?;
    // The history changes without a new snapshot.
    let snapshot = (table != Table::Runs).then_some(snapshot);
    let is_cached = format == Format::Parquet && filter == ShowFilter::default();
    let name = format!("{table}.{format}");
    let mut response = attachment(&name, format.content_type());
    let catalog = state.catalog.clone();
    let write = move |file| {
        let make_writer = move |date_columns| {
            let options = WriterOptions { dialect, date_columns, ..WriterOptions::default() };
            format.writer(table.columns(), &options, file)
        };
        let (catalog, filter) = (catalog.clone(), filter.clone());
        async move { catalog.export(table, filter, Box::new(make_writer)).await }
    };
    if format == Format::Parquet {
        response.insert_header(ContentEncoding::Identity);
    }
    if let Some(snapshot) = snapshot.filter(|_| is_cached) {
        let version = FileVersion { snapshot, last_run: None };
        if let Some(file) = files.get_or_render(&state.catalog, &name, version, &write).await? {
            return file_response(&request, file, response);
        }
    }
    streamed(&request, response, snapshot, write).await
}

/// Download the database
///
/// A consistent SQLite file with the published tables and the run history, without staging data.
/// Creating it needs disk space for the copy on the server, until the next snapshot. It can be downloaded in ranges.
#[utoipa::path(
    get, path = "/export/tvshows.db", tag = "export",
    params(
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 304 if the file is unchanged"),
        ("Range" = Option<String>, Header, description = "The part to download, such as `bytes=1000000-`"),
        ("If-Range" = Option<String>, Header, description = "The ETag of an earlier response, to get the whole file if it has changed"),
        ("If-Match" = Option<String>, Header, description = "The ETag of an earlier response, to get 412 if the file has changed"),
    ),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/vnd.sqlite3", headers(
            ("Accept-Ranges" = String, description = "`bytes`"),
            ("Content-Disposition" = String, description = "The file name"),
            ("ETag" = String, description = "The content"))),
        FileRange,
        (status = 304, description = "The file matches `If-None-Match`"),
        UnknownParameter,
        ExportUnavailable,
    )
)]
pub(crate) async fn database(
    state: web::Data<AppState>,
    files: web::Data<RenderedFiles>,
    _: web::Query<NoParameters>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let snapshot = state.catalog.snapshot_version().await?;
    let mut response = attachment("tvshows.db", "application/vnd.sqlite3");
    response.insert_header(ContentEncoding::Identity);
    let catalog = state.catalog.clone();
    let write = move |file| {
        let catalog = catalog.clone();
        async move { catalog.backup_to(file).await }
    };
    let runs = state.runner.runs(HISTORY_RUNS).await?;
    let last_run = runs.iter().find(|run| run.state.is_terminal()).map(|run| run.request_id);
    let version = FileVersion { snapshot, last_run };
    if let Some(file) = files.get_or_render(&state.catalog, "tvshows.db", version, &write).await? {
        return file_response(&request, file, response);
    }
    streamed(&request, response, Some(snapshot), write).await
}

/// A response whose body is written while the client reads it. It has no tag if its data does not belong to a snapshot.
async fn streamed<W>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    snapshot: Option<SnapshotVersion>,
    write: impl FnOnce(Box<dyn Write + Send>) -> W + 'static,
) -> Result<HttpResponse, Problem>
where
    W: Future<Output = Result<(), StoreError>> + 'static,
{
    if let Some(snapshot) = snapshot {
        if let Some(response) = etag::same_snapshot(request, snapshot, None) {
            return Ok(response);
        }
        response = etag::with_snapshot(response, snapshot, None);
    } else {
        response.insert_header((CACHE_CONTROL, "no-cache"));
    }
    if request.method() == Method::HEAD {
        return Ok(without_body(response));
    }
    Ok(response.body(streaming_body(write).await?))
}

/// A response to HEAD, with a body of unknown size like the response to GET.
fn without_body(mut response: HttpResponseBuilder) -> HttpResponse {
    response.streaming(stream::empty::<Result<web::Bytes, actix_web::Error>>())
}

fn attachment(name: &str, content_type: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, content_type));
    response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    response
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use actix_web::{App, http::StatusCode, test};
    use tvshows_core::{Catalog, CellValue, RowWriter};
    use tvshows_pipeline::{Pipeline, RunLog, Runner, RunnerConfig, RunnerRole};
    use tvshows_progress::InProcessTracker;
    use tvshows_sqlite::SqliteStore;

    use super::*;
    use crate::cache::response_cache::ResponseCache;

    /// Signals that it was opened, and then blocks until it is released.
    struct BlockedWriter(Receiver<()>);

    impl BlockedWriter {
        fn open(opened: &Sender<()>, release: Receiver<()>) -> io::Result<Box<dyn RowWriter>> {
            opened.send(()).map_err(io::Error::other)?;
            Ok(Box::new(BlockedWriter(release)))
        }
    }

    impl RowWriter for BlockedWriter {
        fn write_row(&mut self, _: &[CellValue<'_>]) -> io::Result<()> {
            Ok(())
        }

        fn finish(self: Box<Self>) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)
        }
    }

    #[actix_web::test]
    async fn too_many_exports_get_retry_after() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
        let store = Arc::new(store);
        let client = tvmaze_client::Client::builder().build().unwrap();
        let pipeline = Pipeline::new(client, store.clone());
        let config = RunnerConfig {
            queue: store.clone(),
            lock: store.clone(),
            lease: None,
            tracker: Arc::new(InProcessTracker::default()),
            instance: "here".into(),
            on_end: Arc::new(|_| {}),
            role: RunnerRole::Worker,
        };
        let runner = Runner::start(pipeline, config);
        let state = web::Data::new(AppState {
            runner,
            run_log: RunLog::default(),
            catalog: store.clone(),
            responses: ResponseCache::new(store.clone()),
            cdn_max_age: None,
            cache_folder: folder.path().to_owned(),
        });
        let files = web::Data::from(RenderedFiles::new(folder.path().to_owned()));
        let app = App::new()
            .app_data(state)
            .app_data(files)
            .route("/export/tvshows.db", web::get().to(database))
            .route("/export/{table}.{format}", web::get().to(table));
        let app = test::init_service(app).await;
        let download = async |file: &str| {
            let request = test::TestRequest::get().uri(&format!("/export/{file}")).to_request();
            test::call_service(&app, request).await
        };

        let ((opened, arrivals), mut blocked) = (channel(), Vec::new());
        for _ in 0..4 {
            let ((release, released), opened) = (channel(), opened.clone());
            let store = store.clone();
            let rows = Box::new(move |_| BlockedWriter::open(&opened, released));
            let export =
                async move { store.export(Table::TopShows, ShowFilter::default(), rows).await };
            blocked.push((release, actix_web::rt::spawn(export)));
        }
        let all = actix_web::rt::task::spawn_blocking(move || arrivals.iter().take(4).count());
        assert_eq!(all.await.unwrap(), 4);
        for file in ["top_shows.csv", "top_shows.ndjson", "top_shows.parquet", "tvshows.db"] {
            let rejected = download(file).await;
            assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE, "{file}");
            assert!(rejected.headers().contains_key("retry-after"), "{file}");
            let problem: serde_json::Value = test::read_body_json(rejected).await;
            assert_eq!(problem["code"], "too_many_exports", "{file}");
        }
        for (release, export) in blocked {
            drop(release);
            export.await.unwrap().unwrap_err();
        }
        assert_eq!(download("top_shows.csv").await.status(), StatusCode::OK);
    }
}
