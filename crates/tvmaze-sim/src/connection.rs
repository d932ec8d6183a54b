use std::convert::Infallible;
use std::future;
use std::pin;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use crate::answer::{Outcome, outcome};
use crate::state::State;

/// What is done to a connection behind the HTTP server's back.
enum Fate {
    /// Send this and close.
    Cut(Vec<u8>),
    Hang,
    Reset,
}

/// Serves one connection until the client leaves, a fault ends it or the simulator stops.
pub(crate) async fn serve(stream: TcpStream, state: &State, mut stopping: watch::Receiver<bool>) {
    let (fate_sender, mut fates) = mpsc::channel(1);
    let service = service_fn(|request| respond(request, state, &fate_sender));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut finishing = false;
    let fate = loop {
        tokio::select! {
            _ = &mut connection => return,
            Some(fate) = fates.recv() => break fate,
            () = stopped(&mut stopping), if !finishing => {
                finishing = true;
                pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    // An error from here on means that the client left first, which is its right.
    let mut stream = connection.into_parts().io.into_inner();
    match fate {
        Fate::Reset => drop(stream.set_zero_linger()),
        Fate::Cut(bytes) => {
            if stream.write_all(&bytes).await.is_ok() {
                drop(stream.shutdown().await);
            }
        }
        Fate::Hang => tokio::select! {
            () = end_of_input(&mut stream) => {}
            () = stopped(&mut stopping) => {}
        },
    }
}

async fn end_of_input(stream: &mut TcpStream) {
    drop(tokio::io::copy(stream, &mut tokio::io::sink()).await);
}

/// Completes when the simulator stops, or is no more.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|&stopping| stopping).await);
}

async fn respond(
    request: Request<Incoming>,
    state: &State,
    fates: &mpsc::Sender<Fate>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let fate = match outcome(state, &request).await {
        Outcome::Answer(response) => return Ok(response.map(Full::new)),
        Outcome::Cut(response) => Fate::Cut(first_half(&response)),
        Outcome::Hang => Fate::Hang,
        Outcome::Reset => Fate::Reset,
    };
    // The connection's own loop holds the receiver and drops this future on receipt.
    drop(fates.send(fate).await);
    future::pending().await
}

/// The head of a response, whose length is that of the whole body, and half of the body.
fn first_half(response: &Response<Bytes>) -> Vec<u8> {
    let body = response.body();
    let mut bytes =
        format!("HTTP/1.1 {}\r\n{CONTENT_LENGTH}: {}\r\n", response.status(), body.len())
            .into_bytes();
    for (name, value) in response.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body[..body.len() / 2]);
    bytes
}
