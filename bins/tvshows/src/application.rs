use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_server::Server;
use anyhow::Context;
use tokio::time::sleep;
use tvshows_api::{AppState, Telemetry};
use tvshows_core::{Catalog, ShowQuery};
use tvshows_pipeline::{RunLog, Runner};

use crate::cli::{self, Serve, Settings, Updates};
use crate::engine::{Engine, Interrupted};
use crate::{database, metrics, otel};

/// How often to check whether a new snapshot is published.
const WARM_UP_INTERVAL: Duration = Duration::from_secs(1);

/// The whole service: the HTTP server, and the engine that runs updates.
pub struct Application {
    engine: Engine,
    server: Server,
    address: SocketAddr,
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
        let address = SocketAddr::new(settings.host, settings.port);
        let listener = TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}; set another HOST or PORT"))?;
        let address = listener.local_addr()?;
        let metrics = metrics::start()?;
        let stores = database::open_or_read_only(&settings.settings.database.location()?).await?;
        let is_read_only = stores.is_read_only;
        let engine = Engine::start(&settings.settings, stores, role, Interrupted::Resume).await?;
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
        log_start(settings, address, &engine, access.token.is_some()).await;
        let state = AppState {
            runner: engine.runner.clone(),
            run_log,
            catalog: engine.stores.catalog.clone(),
            cdn_max_age: NonZeroU32::new(settings.cdn_max_age),
            cache_folder: database::folder(&settings.settings.database.database_path),
        };
        let telemetry = Telemetry { render_metrics: metrics, join_trace: otel::set_remote_parent };
        let server = tvshows_api::server(listener, state, access, telemetry)?;
        Ok(Application { engine, server, address })
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
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        tokio::select! {
            () = signal => tracing::info!("shutting down"),
            ended = &mut server => ended.context("the HTTP server")?.context("the HTTP server")?,
            never = keep_warm(self.engine.stores.catalog.as_ref()) => match never {},
        }
        // Concurrently: responses that wait for a change end with the runner.
        self.engine.shutdown(handle.stop(true)).await;
        Ok(())
    }
}

/// Logs in one line what an operator wants to know about a service.
async fn log_start(settings: &Serve, address: SocketAddr, engine: &Engine, has_token: bool) {
    let Settings { database, upstream, .. } = &settings.settings;
    let next_run_at = engine.runner.next_run_at();
    let schedule = settings.schedule.as_ref().filter(|_| next_run_at.is_some());
    let schedule =
        schedule.map(|each| each.clone().in_time_zone(settings.schedule_timezone.clone()));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        commit = cli::commit(),
        %address,
        database = %database.database_path.display(),
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

/// Requests a list of each new snapshot, so that its index is in memory before clients need it.
async fn keep_warm(catalog: &dyn Catalog) -> Infallible {
    let mut warm = None;
    loop {
        // A database that cannot be read now is tried again.
        if let Ok(snapshot) = catalog.snapshot_version().await
            && warm != Some(snapshot)
            && catalog.shows(ShowQuery { limit: 1, ..ShowQuery::default() }).await.is_ok()
        {
            warm = Some(snapshot);
        }
        sleep(WARM_UP_INTERVAL).await;
    }
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
