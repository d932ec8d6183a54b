use std::future::ready;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::{Extensions, HttpService, ServiceConfig};
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{App, web};
use tokio::net::TcpStream;

use crate::cache::rendered_files::RenderedFiles;
use crate::cache::response_cache::ResponseCache;
use crate::cache::status_cache::StatusCache;
use crate::middleware::access::{AccessGuard, AccessPolicy, enforce_access};
use crate::middleware::connection_state::{ConnectionState, ResettableStream};
use crate::middleware::cors::{AllowedOrigins, explain_rejection};
use crate::middleware::framing::frame_response;
use crate::middleware::idle_timeout::TimeoutStream;
use crate::middleware::request_log::log_request;
use crate::middleware::request_reader::RequestReader;
use crate::middleware::security_headers::add_security_headers;
use crate::router::routes;
use crate::state::{AppState, Telemetry};

/// How long a shutdown waits for responses in progress. Long polls and event streams end with the runner.
const SHUTDOWN_TIMEOUT_SECONDS: u64 = 5;
/// How long a client may take to close a connection after the server has asked for it.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Enough for five thousand event streams. Bounds memory: a connection may buffer a 128 kB header twice, and the rest of
/// a response.
const MAX_CONNECTIONS: u64 = 6144;
/// File descriptors for the database, its exports, Redis and TVmaze, with a margin.
const RESERVED_FDS: u64 = 256;
/// The common default limit, assumed if the real one is unknown.
const MIN_FDS: u64 = 1024;

type Reader = RequestReader<TimeoutStream<ResettableStream>>;

/// Serves the API on `listener` until the server's handle stops it. Signals are not handled.
///
/// # Errors
///
/// The listener cannot be used.
pub fn server(
    listener: TcpListener,
    state: AppState,
    access: AccessPolicy,
    telemetry: Telemetry,
) -> std::io::Result<Server> {
    let guard = web::Data::new(AccessGuard::new(access));
    let telemetry = web::Data::new(telemetry);
    let responses = web::Data::new(ResponseCache::default());
    let statuses = web::Data::new(StatusCache::default());
    let files = web::Data::from(RenderedFiles::new(state.cache_folder.clone()));
    let workers = available_parallelism().map_or(1, NonZeroUsize::get);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections((max_connections() / workers).max(1))
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_TIMEOUT_SECONDS);
    let shutdown = server.graceful_shutdown_signal();
    let server = server.listen("tvshows", listener, move || {
        let origins = guard.allowed_origins();
        let app = App::new()
            .app_data(guard.clone())
            .app_data(responses.clone())
            .app_data(statuses.clone())
            .app_data(files.clone())
            .app_data(telemetry.clone())
            .wrap(from_fn(enforce_access))
            .wrap(Compress::default())
            .wrap(Condition::new(*origins != AllowedOrigins::None, origins.cors()))
            .wrap(from_fn(explain_rejection))
            .wrap(from_fn(add_security_headers))
            .wrap(from_fn(log_request))
            .wrap(from_fn(frame_response))
            .configure(routes(state.clone()));
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            // The request reader has one.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .on_connect_ext(|reader: &Reader, data: &mut Extensions| {
                data.insert(reader.state());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let config = ServiceConfig::default();
        let connection = move |tcp: TcpStream| {
            let client = tcp.peer_addr().ok();
            let state = Rc::new(ConnectionState::default());
            let stream = TimeoutStream::new(ResettableStream::new(tcp, state.clone()));
            ready(Ok((RequestReader::new(stream, state, &config), client)))
        };
        fn_service(connection).and_then(http)
    })?;
    Ok(server.run())
}

/// Leaves enough file descriptors for the database; connections beyond the limit wait.
fn max_connections() -> usize {
    let fds = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(MIN_FDS);
    let for_connections = fds.saturating_sub(RESERVED_FDS).min(MAX_CONNECTIONS);
    usize::try_from(for_connections).unwrap_or(usize::MAX)
}
