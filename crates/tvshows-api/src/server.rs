use std::future::ready;
use std::net::TcpListener;
use std::num::{NonZeroU32, NonZeroUsize};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::{Extensions, HttpService, ServiceConfig};
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::ServiceConfig as Routes;
use actix_web::{App, web};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::cache::rendered_files::RenderedFiles;
use crate::middleware::access::{AccessGuard, AccessPolicy, enforce_access};
use crate::middleware::cache_headers::add_cache_headers;
use crate::middleware::connection_state::{ConnectionState, ResettableStream};
use crate::middleware::cors::{AllowedOrigins, explain_rejection};
use crate::middleware::framing::{CHUNK_BYTES, frame_response};
use crate::middleware::idle_timeout::TimeoutStream;
use crate::middleware::rejection_log::RejectionLog;
use crate::middleware::request_log::log_request;
use crate::middleware::request_reader::{MAX_LARGE_HEADERS, RequestReader};
use crate::middleware::response_memory::{ResponseMemory, limit_response_memory};
use crate::middleware::security_headers::add_security_headers;
use crate::middleware::stream_limit::StreamLimit;
use crate::router::{health_routes, routes};
use crate::run_feeds::RunFeeds;
use crate::state::{AppState, Telemetry};

/// How long a shutdown waits for responses in progress. Long polls and event streams end with the runner.
const SHUTDOWN_TIMEOUT_SECONDS: u64 = 5;
/// How many connections to the port for probes are accepted at the same time.
const MAX_HEALTH_CONNECTIONS: usize = 64;
/// How long a client may take to close a connection after the server has asked for it.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How much unsent data the system buffers for a connection, in addition to the server's own buffer.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 32 * 1024;
/// How much of the requests of a connection the system buffers. They are small.
const UNREAD_BYTES: usize = 32 * 1024;
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
    let workers = available_parallelism().map_or(1, NonZeroUsize::get);
    let connections = max_connections(access.max_connections);
    let workers = workers.min(connections);
    let limits = WorkerLimits { workers, connections_per_worker: connections / workers };
    serve(listener, state, access, telemetry, limits, routes)
}

/// Serves the probes and the metrics on `listener`, so that they respond even if [`server`] has no connection left.
///
/// # Errors
///
/// The listener cannot be used.
pub fn health_server(
    listener: TcpListener,
    state: AppState,
    access: AccessPolicy,
    telemetry: Telemetry,
) -> std::io::Result<Server> {
    let limits = WorkerLimits { workers: 1, connections_per_worker: MAX_HEALTH_CONNECTIONS };
    serve(listener, state, access, telemetry, limits, health_routes)
}

struct WorkerLimits {
    workers: usize,
    connections_per_worker: usize,
}

fn serve<C: FnOnce(&mut Routes)>(
    listener: TcpListener,
    state: AppState,
    access: AccessPolicy,
    telemetry: Telemetry,
    WorkerLimits { workers, connections_per_worker }: WorkerLimits,
    routes: impl Fn(AppState) -> C + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let streams = web::Data::new(StreamLimit::new(connections_per_worker * workers));
    let guard = web::Data::new(AccessGuard::new(access));
    let rejections = web::Data::new(RejectionLog::new());
    let memory = web::Data::new(ResponseMemory::default());
    let telemetry = web::Data::new(telemetry);
    let feeds = web::Data::new(RunFeeds::default());
    let files = web::Data::from(RenderedFiles::new(state.cache_folder.clone()));
    limit_buffers(&listener);
    let large_headers = Arc::new(Semaphore::new(MAX_LARGE_HEADERS));
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(connections_per_worker)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_TIMEOUT_SECONDS);
    let shutdown = server.graceful_shutdown_signal();
    let server = server.listen("tvshows", listener, move || {
        let origins = guard.allowed_origins();
        let app = App::new()
            .app_data(guard.clone())
            .app_data(feeds.clone())
            .app_data(files.clone())
            .app_data(telemetry.clone())
            .app_data(streams.clone())
            .app_data(rejections.clone())
            .app_data(memory.clone())
            .wrap(from_fn(enforce_access))
            .wrap(from_fn(limit_response_memory))
            .wrap(Compress::default())
            .wrap(from_fn(add_cache_headers))
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
            .h1_write_buffer_size(CHUNK_BYTES)
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .on_connect_ext(|reader: &Reader, data: &mut Extensions| {
                data.insert(reader.state());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let config = ServiceConfig::default();
        let large_headers = large_headers.clone();
        let connection = move |tcp: TcpStream| {
            let client = tcp.peer_addr().ok();
            // A response is written in chunks, which must not wait for acknowledgments. Fails only if the client is gone.
            let _ = tcp.set_nodelay(true);
            let state = Rc::new(ConnectionState::default());
            let stream = TimeoutStream::new(ResettableStream::new(tcp, state.clone()));
            let reader = RequestReader::new(stream, state, &config, large_headers.clone());
            ready(Ok((reader, client)))
        };
        fn_service(connection).and_then(http)
    })?;
    Ok(server.run())
}

/// The limit of connections that leaves enough file descriptors for the database.
fn max_connections(wanted: NonZeroU32) -> usize {
    let fds = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(MIN_FDS);
    let available = fds.saturating_sub(RESERVED_FDS).max(1);
    let wanted = u64::from(wanted.get());
    if wanted > available {
        tracing::warn!(
            "CONNECTIONS is {wanted}, but the limit of {fds} file descriptors allows {available}; raise it with ulimit -n"
        );
    }
    usize::try_from(wanted.min(available)).unwrap_or(usize::MAX)
}

/// Keeps clients from filling the system's buffers, which can take several megabytes for a connection. Connections
/// inherit these options from the listener.
fn limit_buffers(listener: &TcpListener) {
    let socket = SockRef::from(listener);
    let limited = socket.set_recv_buffer_size(UNREAD_BYTES);
    // Unlike a smaller buffer, this does not slow down clients that read.
    #[cfg(target_os = "linux")]
    let limited = limited.and_then(|()| socket.set_tcp_notsent_lowat(UNSENT_BYTES));
    if let Err(error) = limited {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "cannot limit the system's buffers for connections");
    }
}
