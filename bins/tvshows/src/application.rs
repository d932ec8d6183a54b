use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;

use actix_server::{Server, ServerHandle};
use anyhow::Context;
use tokio::task::JoinSet;
use tvshows_api::{AppState, ResponseCache, Telemetry};
use tvshows_pipeline::{RunLog, Runner};

use crate::cli::{self, Serve, Settings, Updates};
use crate::database::{self, Replica};
use crate::engine::{Engine, EngineOptions, Interrupted};
use crate::location::Location;
use crate::{metrics, otel};

/// The whole service: the HTTP server, and the engine that runs updates.
pub struct Application {
    engine: Engine,
    servers: Vec<Server>,
    address: SocketAddr,
    responses: Arc<ResponseCache>,
}

impl Application {
    /// Binds the socket, opens the database and starts the runner, which resumes an interrupted run. Serves the lines that
    /// the layer of `run_log` collects.
    ///
    /// # Errors
    ///
    /// A setting is invalid, the address is in use, or the database cannot be opened.
    pub async fn build(settings: &Serve, run_log: RunLog) -> anyhow::Result<Application> {
        let access = settings.access()?;
        let role = settings.role()?;
        let health_port = settings.health_port()?;
        let location = settings.settings.database.location()?;
        let max_staleness = settings.max_staleness(&location)?;
        let (listener, address) = listen(settings, settings.port, "HOST or PORT")?;
        let health = health_port.map(|port| listen(settings, port, "HEALTH_PORT")).transpose()?;
        let metrics = metrics::start()?;
        let stores = database::open_service(&location, max_staleness).await?;
        let is_read_only = stores.is_read_only;
        let options = EngineOptions {
            role,
            interrupted: Interrupted::Resume,
            max_details: Some(settings.settings.max_details),
        };
        let engine = Engine::start(&settings.settings, stores, options).await?;
        if let Err(error) = engine.runner.check_tracker().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "progress stays in this process until Redis is available");
        }
        if access.token.is_none() {
            tracing::warn!(
                "API_TOKEN is not set: any client that reaches {address} can start and cancel updates"
            );
        }
        if let Some(schedule) = settings.schedule.as_ref().filter(|_| !is_read_only) {
            let zone = settings.schedule_timezone.clone();
            engine.runner.schedule(schedule.clone().in_time_zone(zone)).await;
        }
        let health_address = health.as_ref().map(|(_, address)| *address);
        log_start(settings, &location, address, health_address, &engine).await;
        let catalog = engine.stores.catalog.clone();
        let responses = ResponseCache::new(catalog.clone());
        let state = AppState {
            runner: engine.runner.clone(),
            run_log,
            catalog,
            responses: responses.clone(),
            cdn_max_age: NonZeroU32::new(settings.cdn_max_age),
            cache_folder: database::folder(&settings.settings.database.database_path),
        };
        let telemetry = Telemetry { render_metrics: metrics, join_trace: otel::set_remote_parent };
        let (own_state, own_access, own_telemetry) =
            (state.clone(), access.clone(), telemetry.clone());
        let mut servers =
            vec![tvshows_api::server(listener, own_state, own_access, own_telemetry)?];
        if let Some((listener, _)) = health {
            servers.push(tvshows_api::health_server(listener, state, access, telemetry)?);
        }
        Ok(Application { engine, servers, address, responses })
    }

    /// The address that the service is bound to, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.engine.runner
    }

    /// Serves until `signal` completes, then stops gracefully.
    ///
    /// # Errors
    ///
    /// The HTTP server failed.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> anyhow::Result<()> {
        let handles: Vec<ServerHandle> = self.servers.iter().map(Server::handle).collect();
        let mut servers: JoinSet<_> = self.servers.into_iter().collect();
        let following = follow(self.engine.stores.replica.as_ref());
        tokio::pin!(following);
        tokio::select! {
            () = signal => tracing::info!("shutting down"),
            Some(ended) = servers.join_next() => {
                ended.context("the HTTP server")?.context("the HTTP server")?;
            }
            never = self.responses.keep_warm() => match never {},
            never = &mut following => match never {},
        }
        // Concurrently: responses that wait for a change end with the runner.
        // The probes last, so that they respond until the others have stopped.
        let stopping = async {
            for handle in handles {
                handle.stop(true).await;
            }
        };
        // Until then, they respond with the published shows of the moment.
        let stopping = async {
            tokio::select! {
                () = stopping => {}
                never = following => match never {},
            }
        };
        self.engine.shutdown(stopping).await;
        Ok(())
    }
}

/// Keeps the local copy of a shared database current.
async fn follow(replica: Option<&Replica>) -> Infallible {
    match replica {
        Some(replica) => replica.follow().await,
        None => std::future::pending().await,
    }
}

/// Binds a port of the host. `settings_to_change` are those with which it would succeed.
fn listen(
    settings: &Serve,
    port: u16,
    settings_to_change: &str,
) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let address = SocketAddr::new(settings.host, port);
    let listener = TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}; set another {settings_to_change}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Logs in one line what an operator wants to know about a service.
async fn log_start(
    settings: &Serve,
    location: &Location,
    address: SocketAddr,
    health_address: Option<SocketAddr>,
    engine: &Engine,
) {
    let has_token = settings.access().is_ok_and(|access| access.token.is_some());
    let Settings { database, upstream, .. } = &settings.settings;
    let copy = engine.stores.replica.as_ref().map(|_| database.database_path.display());
    let next_run_at = engine.runner.next_run_at();
    let schedule = settings.schedule.as_ref().filter(|_| next_run_at.is_some());
    let schedule =
        schedule.map(|each| each.clone().in_time_zone(settings.schedule_timezone.clone()));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        commit = cli::commit(),
        %address,
        health_address = health_address.map(tracing::field::display),
        database = %location,
        copy = copy.map(tracing::field::display),
        schema = engine.stores.catalog.health().await.ok().map(|health| health.schema),
        upstream = upstream.tvmaze_base_url,
        redis = engine.redis,
        updates = settings.updates == Updates::On,
        schedule = schedule.map(tracing::field::display),
        next_run_at = next_run_at.map(tracing::field::display),
        api_token = has_token,
        "service started"
    );
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[tokio::test]
    async fn serves_on_the_address_that_it_bound_until_the_signal() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("tvshows.db");
        let settings = Serve::parse_from([
            "serve",
            "--host=127.0.0.1",
            "--port=0",
            "--tvmaze-base-url=http://127.0.0.1:9",
            "--database-path",
            database.to_str().unwrap(),
        ]);
        let application = Application::build(&settings, RunLog::default()).await.unwrap();
        let url = format!("http://{}/health/ready", application.address());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(application.run_until(async {
            let _ = stopped.await;
        }));
        assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        assert!(reqwest::get(&url).await.is_err(), "the socket is closed");
    }
}
