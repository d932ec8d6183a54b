use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Longer than the longest long poll, which takes a minute.
const WRITE_IDLE_TIMEOUT: Duration = Duration::from_mins(2);
/// How long a client may block a write. Meanwhile, the rest of the response stays in memory.
const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that fails if nothing has been written for [`WRITE_IDLE_TIMEOUT`], or if a write has been blocked for
/// [`WRITE_STALL_TIMEOUT`].
///
/// The HTTP server closes idle connections, and the request reader rejects headers that take too long. This type covers
/// the rest: clients that neither finish a request nor go away, and those that do not read responses.
pub(crate) struct TimeoutStream<T> {
    io: T,
    last_write: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<T> TimeoutStream<T> {
    pub(crate) fn new(io: T) -> TimeoutStream<T> {
        TimeoutStream { io, last_write: Instant::now(), timer: Box::pin(sleep(WRITE_IDLE_TIMEOUT)) }
    }

    /// Ready once `timeout` has passed since the last write. Writes are frequent, so they do not reset the timer: it
    /// is reset when it fires too early or would fire too late.
    fn poll_timeout(&mut self, timeout: Duration, cx: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.last_write + timeout;
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(deadline);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TimeoutStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_timeout(WRITE_IDLE_TIMEOUT, cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write(cx, bytes) {
            Poll::Pending => self.poll_timeout(WRITE_STALL_TIMEOUT, cx).map(Err),
            written @ Poll::Ready(_) => {
                self.last_write = Instant::now();
                written
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_a_byte_now_and_then_is_cut_off_in_the_end() {
        let (mut client, server) = duplex(64);
        let mut server = TimeoutStream::new(server);
        let mut seconds = 0;
        let error = loop {
            client.write_all(b"x").await.unwrap();
            match server.read_u8().await {
                Ok(_) => advance(Duration::from_secs(1)).await,
                Err(error) => break error,
            }
            seconds += 1;
        };
        assert_eq!((error.kind(), seconds), (io::ErrorKind::TimedOut, 120));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_disconnected() {
        let (_client, server) = duplex(64);
        let mut server = TimeoutStream::new(server);
        let start = Instant::now();
        let error = server.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, WRITE_STALL_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_something_in_time_stays() {
        let (mut client, server) = duplex(1);
        let mut server = TimeoutStream::new(server);
        for _ in 0..5 {
            server.write_all(b"x").await.unwrap();
            advance(Duration::from_secs(29)).await;
            client.read_u8().await.unwrap();
        }
        client.write_all(b"y").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'y');
    }
}
