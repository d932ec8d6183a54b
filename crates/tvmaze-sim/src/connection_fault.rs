use bytes::Bytes;
use hyper::Response;
use hyper::header::CONTENT_LENGTH;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A fault that the HTTP server cannot produce, so it is applied to the socket.
#[derive(Debug)]
pub(crate) enum ConnectionFault {
    /// Send these bytes and close.
    Truncate(Vec<u8>),
    /// Send nothing and stay open.
    Hang,
    Reset,
}

impl ConnectionFault {
    pub(crate) fn truncate(response: &Response<Bytes>) -> Self {
        Self::Truncate(truncated_response(response))
    }

    /// Applies the fault; returns when the connection can be closed.
    pub(crate) async fn apply(self, mut stream: TcpStream, shutdown: &CancellationToken) {
        // Errors are ignored: they mean that the client has closed the connection.
        match self {
            Self::Truncate(bytes) => {
                if stream.write_all(&bytes).await.is_ok() {
                    drop(stream.shutdown().await);
                }
            }
            Self::Hang => tokio::select! {
                () = closed_by_client(&mut stream) => {}
                () = shutdown.cancelled() => {}
            },
            Self::Reset => drop(stream.set_zero_linger()),
        }
    }
}

async fn closed_by_client(stream: &mut TcpStream) {
    drop(tokio::io::copy(stream, &mut tokio::io::sink()).await);
}

/// The head of a response, with the length of the whole body, and the first half of the body.
fn truncated_response(response: &Response<Bytes>) -> Vec<u8> {
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
