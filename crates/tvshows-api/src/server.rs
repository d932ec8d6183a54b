use std::future::ready;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, Resource, Route};
use tokio::net::TcpStream;
use tvshows_core::ShowStore;
use tvshows_pipeline::Runner;
use utoipa_swagger_ui::SwaggerUi;

use crate::access::{Guard, admit};
use crate::answers::Answers;
use crate::connection::Connection;
use crate::observe::observe;
use crate::problem::Problem;
use crate::routes::{catalogue, events, export, health, metrics, pipeline, shows};
use crate::statuses::Statuses;
use crate::{Access, Origins, Telemetry, headers, openapi, page};

/// How long a stop waits for answers under way. Those that wait for a change end with the runner.
const SHUTDOWN_SECONDS: u64 = 5;
/// How long the head of the first request of a connection may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may take to close a connection that is told to close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Room for five thousand who follow a run. A bound for the memory: each may hold a head of 128 kB, and the rest of
/// an answer.
const MOST_CONNECTIONS: u64 = 6144;
/// What the database, its exports, Redis and TVmaze need, with room to spare.
const OWN_FILES: u64 = 256;
/// What systems allow commonly.
const LEAST_FILES: u64 = 1024;

/// What the routes work with.
#[derive(Clone)]
pub struct Services {
    pub runner: Runner,
    pub store: Arc<dyn ShowStore>,
}

/// The service on a listener. It ends by its handle, not by signals.
///
/// # Errors
///
/// The listener cannot be used.
pub fn server(
    listener: TcpListener,
    services: Services,
    access: Access,
    telemetry: Telemetry,
) -> std::io::Result<Server> {
    let guard = web::Data::new(Guard::new(access));
    let telemetry = web::Data::new(telemetry);
    let answers = web::Data::new(Answers::default());
    let statuses = web::Data::new(Statuses::default());
    let workers = available_parallelism().map_or(1, NonZeroUsize::get);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections((connections() / workers).max(1))
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS);
    let stop = server.graceful_shutdown_signal();
    let server = server.listen("tvshows", listener, move || {
        let origins = guard.origins();
        let app = App::new()
            .app_data(guard.clone())
            .app_data(answers.clone())
            .app_data(statuses.clone())
            .app_data(telemetry.clone())
            .wrap(from_fn(admit))
            .wrap(Compress::default())
            .wrap(from_fn(headers::add))
            .wrap(Condition::new(*origins != Origins::None, origins.cors()))
            .wrap(from_fn(observe))
            .configure(routes(services.clone()));
        let stop = stop.clone();
        let http = HttpService::build()
            .client_request_timeout(HEAD_PATIENCE)
            .client_disconnect_timeout(CLOSE_PATIENCE)
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let connection = |io: TcpStream| {
            let client = io.peer_addr().ok();
            ready(Ok((Connection::new(io), client)))
        };
        fn_service(connection).and_then(http)
    })?;
    Ok(server.run())
}

/// How many connections are held at a time; more of them wait. Never so many that no file could be opened
/// any more, for the database least of all.
fn connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(LEAST_FILES);
    let for_connections = files.saturating_sub(OWN_FILES).min(MOST_CONNECTIONS);
    usize::try_from(for_connections).unwrap_or(usize::MAX)
}

/// Every route.
pub(crate) fn routes(services: Services) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(services))
            .app_data(
                web::QueryConfig::default().error_handler(|error, _| Problem::from(error).into()),
            )
            .service(only("/pipeline/update", "POST", web::post().to(pipeline::update)))
            .service(read("/pipeline/runs", || web::to(pipeline::runs)))
            .service(read("/shows", || web::to(catalogue::list)))
            .service(read("/shows/stats", || web::to(catalogue::stats)))
            .service(read("/shows/top_shows", || web::to(shows::top_shows)))
            .service(read("/shows/top_shows_multi_char_actors", || {
                web::to(shows::multi_character_actors)
            }))
            // After the paths without parameters, which are cheap to try, and those first that are asked for most.
            .service(read("/pipeline/status/{request_id}", || web::to(pipeline::status)))
            .service(read("/shows/{id}", || web::to(shows::show)))
            .service(read("/pipeline/status/{request_id}/events", || web::to(events::events)))
            .service(only(
                "/pipeline/cancel/{request_id}",
                "POST",
                web::post().to(pipeline::cancel),
            ))
            .service(read("/shows/{id}/cast", || web::to(catalogue::cast)))
            .service(read("/export/tvshows.db", || web::to(export::database)))
            .service(read("/export/{table}.{format}", || web::to(export::table)))
            .service(read("/health/live", || web::to(health::live)))
            .service(read("/health/ready", || web::to(health::ready)))
            .service(read("/metrics", || web::to(metrics::metrics)))
            .service(read("/", || web::to(page::html)))
            .service(read("/page/{file}", || web::to(page::file)))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", openapi()))
            .default_service(web::to(async || Err::<HttpResponse, _>(Problem::NoSuchPath)));
    }
}

/// A resource that is read: GET, and HEAD for those who want no body.
fn read(path: &str, route: impl Fn() -> Route) -> Resource {
    let get = route().guard(actix_web::guard::Get());
    let head = route().guard(actix_web::guard::Head());
    only(path, "GET, HEAD", get).route(head)
}

fn only(path: &str, methods: &'static str, route: Route) -> Resource {
    let refuse =
        move || std::future::ready(Err::<HttpResponse, _>(Problem::MethodNotAllowed(methods)));
    web::resource(path).route(route).default_service(web::to(refuse))
}
