use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tvmaze_sim::{Error, SimConfig, Simulator};

use crate::support::{dataset, faulty, get, simulator, status};

/// A connection with a hanging request that the simulator has received.
async fn hanging(simulator: &Simulator) -> TcpStream {
    let mut stream = TcpStream::connect(simulator.address()).await.expect("a connection");
    stream.write_all(b"GET /hang HTTP/1.1\r\nhost: tvmaze\r\n\r\n").await.expect("a request");
    while simulator.requests_for("/hang") == 0 {
        tokio::task::yield_now().await;
    }
    stream
}

#[tokio::test]
async fn stop_closes_idle_and_hanging_connections_and_the_port() {
    let simulator = simulator(faulty(&["hang@/hang"])).await;
    let address = simulator.address();
    let mut idle = TcpStream::connect(address).await.expect("a connection");
    let mut hanging = hanging(&simulator).await;
    simulator.stop().await;
    let mut nothing = Vec::new();
    // Either an orderly end, or a reset if the connection had not been accepted yet.
    drop(idle.read_to_end(&mut nothing).await);
    hanging.read_to_end(&mut nothing).await.expect("an orderly end");
    assert!(nothing.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn drop_ends_connections_too() {
    let simulator = simulator(faulty(&["hang@/hang"])).await;
    let mut hanging = hanging(&simulator).await;
    drop(simulator);
    let mut nothing = Vec::new();
    hanging.read_to_end(&mut nothing).await.expect("an orderly end");
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn two_simulators_run_side_by_side() {
    let (one, other) =
        (simulator(SimConfig::default()).await, simulator(SimConfig::default()).await);
    assert_ne!(one.address(), other.address());
    assert_eq!(status(&one, "/shows/1").await, 200);
    assert_eq!((one.request_count(), other.request_count()), (1, 0));
}

#[tokio::test]
async fn the_base_url_of_an_unspecified_address_can_be_called() {
    let simulator =
        Simulator::start("0.0.0.0:0", dataset(), SimConfig::default()).await.expect("a free port");
    let port = simulator.address().port();
    assert_eq!(simulator.base_url(), format!("http://127.0.0.1:{port}"));
    assert_eq!(get(&simulator, "/shows/1").await.expect("a response").status(), 200);
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let first = simulator(SimConfig::default()).await;
    let second = Simulator::start(first.address(), dataset(), SimConfig::default()).await;
    assert!(matches!(second, Err(Error::Listen(_))));
}
