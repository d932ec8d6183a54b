use std::convert::Infallible;
use std::future;
use std::pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::connection_fault::ConnectionFault;
use crate::handler::handle;
use crate::shared::SharedState;

/// Serves one connection until the client leaves, a fault ends it or the simulator stops.
pub(crate) async fn serve(stream: TcpStream, state: Arc<SharedState>, shutdown: CancellationToken) {
    // Without it responses are only slower.
    drop(stream.set_nodelay(true));
    let (sender, mut faults) = mpsc::channel(1);
    let service = service_fn(|request| respond(request, &state, &sender));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut is_shutting_down = false;
    let fault = loop {
        tokio::select! {
            _ = &mut connection => return,
            Some(fault) = faults.recv() => break fault,
            () = shutdown.cancelled(), if !is_shutting_down => {
                is_shutting_down = true;
                pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    fault.apply(connection.into_parts().io.into_inner(), &shutdown).await;
}

async fn respond(
    request: Request<Incoming>,
    state: &SharedState,
    faults: &mpsc::Sender<ConnectionFault>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    match handle(state, &request).await {
        Ok(response) => Ok(response.map(Full::new)),
        Err(fault) => {
            // The receiver lives in `serve`, which drops this future when it gets the fault.
            drop(faults.send(fault).await);
            future::pending().await
        }
    }
}
