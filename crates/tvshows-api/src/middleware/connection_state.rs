use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::problem::Problem;

/// What the requests of a connection and its stream tell each other.
#[derive(Default)]
pub(crate) struct ConnectionState {
    /// Why the connection's last request is invalid.
    pub(crate) problem: Cell<Option<Problem>>,
    /// Whether the connection is reset when it is dropped.
    pub(crate) must_reset: Cell<bool>,
    /// Whether the connection closes after the response to the current request.
    pub(crate) is_last_request: Cell<bool>,
    /// Whether the server has the whole response to the current request in its write buffer.
    pub(crate) has_responded: Cell<bool>,
}

/// A TCP connection that can be reset instead of closed.
///
/// Closing a connection is how an HTTP/1.0 response without a length ends. If such a response fails, only a reset lets
/// the client notice that it is incomplete.
pub(crate) struct ResettableStream {
    tcp: TcpStream,
    state: Rc<ConnectionState>,
}

impl ResettableStream {
    pub(crate) fn new(tcp: TcpStream, state: Rc<ConnectionState>) -> ResettableStream {
        ResettableStream { tcp, state }
    }
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.state.must_reset.get() {
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
