use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::connection::{serve, stopped};
use crate::state::State;
use crate::{Behaviour, Catalogue, Error, RateLimit};

/// How long a stop waits for answers on their way: far more than one takes without latency.
const GRACE: Duration = Duration::from_secs(2);

/// A pause after a failed accept, which is what running out of file descriptors looks like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running simulator; dropping it ends it and all its connections at once.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    stopping: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Simulator {
    /// Listens on `address` (port 0 takes a free one) and answers from the moment this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if the address cannot be listened on.
    pub async fn start(
        address: impl ToSocketAddrs,
        catalogue: Catalogue,
        behaviour: Behaviour,
    ) -> Result<Self, Error> {
        let listen = |source| Error::Listen { source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let state = Arc::new(State::new(catalogue, behaviour));
        let (stopping, stop) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), stop));
        Ok(Self { address, state, stopping, accepting })
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client on this machine takes for `https://api.tvmaze.com`, without a slash at the end.
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

    /// Changes the behaviour from the next request on: a full bucket, an empty edge cache, every
    /// fault to come.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.state.set_behaviour(behaviour);
    }

    /// Changes the rate limit from the next request on. Unlike [`Simulator::set_behaviour`] it fills no
    /// bucket: the calls that it was short of it still is.
    pub fn set_limit(&self, limit: Option<RateLimit>) {
        self.state.set_limit(limit);
    }

    /// Changes what is served from the next request on: the upstream moves on.
    pub fn set_catalogue(&self, catalogue: Catalogue) {
        self.state.set_catalogue(catalogue);
    }

    /// How many requests came for this path and query, exactly as requested, whatever became of them.
    #[must_use]
    pub fn requests_for(&self, path: &str) -> u64 {
        self.state.requests_for(path)
    }

    /// How many requests came, the rate-limited and the faulty included.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.state.request_count()
    }

    /// How many requests the rate limit refused; a 429 made by a fault is not one of them.
    #[must_use]
    pub fn rate_limited_count(&self) -> u64 {
        self.state.rate_limited_count()
    }

    /// Stops listening, lets answers on their way finish for up to two seconds and closes the rest.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        // It fails only if the runtime is shutting down, and then there is nothing left to stop.
        drop((&mut self.accepting).await);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The task owns the listener and the set of connections, so they go with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, mut stopping: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&state), stopping.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Whoever is late is aborted as the set is dropped.
    drop(tokio::time::timeout(GRACE, finished).await);
}

async fn connection(stream: TcpStream, state: Arc<State>, stopping: watch::Receiver<bool>) {
    // Only slower without it; the client left if it fails.
    drop(stream.set_nodelay(true));
    serve(stream, &state, stopping).await;
}
