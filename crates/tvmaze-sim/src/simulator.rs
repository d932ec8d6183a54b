use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::SimConfig;
use crate::connection;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::fault_injector::FaultInjector;
use crate::rate_limit::RateLimit;
use crate::shared::{SharedState, decode_brackets};

/// How long [`Simulator::stop`] waits for responses in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The delay after a failed accept, which usually means that the process is out of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// A running simulator. Dropping it closes the port and all connections immediately.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    state: Arc<SharedState>,
    shutdown: CancellationToken,
    accept_task: JoinHandle<()>,
}

impl Simulator {
    /// Listens on `address`, where port 0 means any free port, and serves requests when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if the address cannot be listened on.
    pub async fn start(
        address: impl ToSocketAddrs,
        dataset: Dataset,
        config: SimConfig,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let state = Arc::new(SharedState::new(dataset, config));
        let shutdown = CancellationToken::new();
        let accept_task = tokio::spawn(accept(listener, Arc::clone(&state), shutdown.clone()));
        Ok(Self { address, state, shutdown, accept_task })
    }

    /// The address that it listens on, with the actual port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that replaces `https://api.tvmaze.com` for clients on this machine, without a trailing
    /// slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }

    /// Replaces the configuration from the next request on. The token bucket is full, the edge cache
    /// empty and no fault used up.
    pub fn set_config(&self, config: SimConfig) {
        self.state.lock().faults = FaultInjector::new(config, Instant::now());
    }

    /// Replaces the rate limit from the next request on. Unlike [`Simulator::set_config`] it does not
    /// refill the token bucket.
    pub fn set_limit(&self, limit: Option<RateLimit>) {
        self.state.lock().faults.set_limit(limit, Instant::now());
    }

    /// Replaces the dataset from the next request on, as if TVmaze had changed.
    pub fn set_dataset(&self, dataset: Dataset) {
        self.state.lock().dataset = dataset;
    }

    /// The number of requests for this path and query, exactly as requested, whatever the response. Only
    /// `embed[]` is the same with and without percent-encoding.
    #[must_use]
    pub fn requests_for(&self, path: &str) -> u64 {
        self.state.lock().requests.get(&*decode_brackets(path)).copied().unwrap_or(0)
    }

    /// The number of requests, including rate-limited and faulty ones.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.state.lock().requests.values().sum()
    }

    /// The number of requests rejected by the rate limit. A 429 from a fault does not count.
    #[must_use]
    pub fn rate_limited_count(&self) -> u64 {
        self.state.lock().rate_limited
    }

    /// Stops listening, waits up to two seconds for responses in progress and closes all connections.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        // This fails only if the runtime is shutting down, which has already stopped the task.
        drop((&mut self.accept_task).await);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The task owns the listener and the connections, so this closes them too.
        self.accept_task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<SharedState>, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let state = Arc::clone(&state);
                    connections.spawn(connection::serve(stream, state, shutdown.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_RETRY_DELAY).await,
            },
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Dropping the set aborts the connections that are still open.
    drop(tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await);
}
