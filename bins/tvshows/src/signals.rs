/// Listens from the call on. Ends with the first SIGINT or SIGTERM.
#[cfg(unix)]
pub(crate) fn stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        match signals {
            (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Then a signal ends the process at once.
            _ => std::future::pending().await,
        }
    }
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn stop() {
    let _ = tokio::signal::ctrl_c().await;
}
