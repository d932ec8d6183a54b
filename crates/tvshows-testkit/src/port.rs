use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use tokio::net::TcpStream;
use tokio::process::Child;

/// A port that nothing listens on, a different one at each call.
///
/// It is below the range that systems use for outgoing connections, so it stays free until the caller uses it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Waits until a process listens on a port; false if it ends before, as it does if the port is in use.
pub(crate) async fn wait_until_listening(process: &mut Child, port: u16) -> bool {
    while process.try_wait().unwrap().is_none() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
