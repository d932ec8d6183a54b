use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long nothing needs to be written. Longer than any answer takes to begin: a poll is held for a minute at
/// most.
const SILENCE: Duration = Duration::from_mins(2);
/// How long what waits to be written may be held up: the rest of the answer waits in memory.
const STALL: Duration = Duration::from_secs(30);

/// A connection that ends when nothing was written to it for [`SILENCE`], or could be for [`STALL`].
///
/// The server itself ends one on which no request comes, or the first one only in part. This is for those
/// whose later requests come a byte now and then, and for those that take no answer.
pub(crate) struct Connection<T> {
    io: T,
    written: Instant,
    end: Pin<Box<Sleep>>,
}

impl<T> Connection<T> {
    pub(crate) fn new(io: T) -> Connection<T> {
        Connection { io, written: Instant::now(), end: Box::pin(sleep(SILENCE)) }
    }

    /// Ready when so much time has passed since the last write. The timer is set anew only when it rings, or
    /// would ring too late: writes are many.
    fn poll_end(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<io::Error> {
        let end = self.written + patience;
        if self.end.deadline() > end {
            self.end.as_mut().reset(end);
        }
        loop {
            ready!(self.end.as_mut().poll(cx));
            if end <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.end.as_mut().reset(end);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(end) = self.poll_end(SILENCE, cx) {
            return Poll::Ready(Err(end));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write(cx, bytes) {
            Poll::Pending => self.poll_end(STALL, cx).map(Err),
            written @ Poll::Ready(_) => {
                self.written = Instant::now();
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
        let mut server = Connection::new(server);
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
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (_client, server) = duplex(64);
        let mut server = Connection::new(server);
        let start = Instant::now();
        let error = server.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, STALL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_something_in_time_stays() {
        let (mut client, server) = duplex(1);
        let mut server = Connection::new(server);
        for _ in 0..5 {
            server.write_all(b"x").await.unwrap();
            advance(Duration::from_secs(29)).await;
            client.read_u8().await.unwrap();
        }
        client.write_all(b"y").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'y');
    }
}
