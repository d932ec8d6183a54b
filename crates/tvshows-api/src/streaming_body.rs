//! Response bodies that a blocking task writes while the client reads them, in constant memory.
//!
//! The chunks that the task writes are forwarded to the client. If the client reads too slowly, forwarding stops, the
//! task ends, and its database connection becomes available again.

use std::future::ready;
use std::io::{self, Write};
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::web::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, timeout, timeout_at};
use tvshows_core::StoreError;

use crate::problem::Problem;

pub(crate) const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks are buffered for the client.
const BUFFERED_CHUNKS: usize = 4;
/// How long a client may take to accept a chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a whole download may take, because the database's WAL cannot shrink while a snapshot is read.
pub(crate) const MAX_DURATION: Duration = Duration::from_hours(1);

/// A chunk of the body, or why it is incomplete. An empty chunk marks the end.
type Frame = Result<Bytes, Problem>;

/// Returns a body that contains what `write` writes to its argument.
///
/// # Errors
///
/// `write` failed before the first byte, so the response has not started yet.
pub(crate) async fn streaming_body<F, W>(write: F) -> Result<impl MessageBody + use<F, W>, Problem>
where
    F: FnOnce(Box<dyn Write + Send>) -> W,
    W: Future<Output = Result<(), StoreError>> + 'static,
{
    let (file, chunks) = mpsc::channel(1);
    let (client, mut frames) = mpsc::channel(BUFFERED_CHUNKS);
    let writing = write(Box::new(ChunkWriter { chunks: file, buffer: Vec::new() }));
    // Ends with the body, or when the client has disconnected or is too slow.
    drop(actix_web::rt::spawn(async move {
        let (written, forwarded) = futures::join!(writing, forward(chunks, &client));
        let end = match (written, forwarded) {
            (Ok(()), Ok(())) => Ok(Bytes::new()),
            (Err(error @ StoreError::ExportAborted { .. }), _) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "export aborted by the client"
                );
                return;
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), Err(ClientGone)) => return,
        };
        let _ = timeout(CHUNK_TIMEOUT, client.send(end)).await;
    }));
    let first = frames.recv().await.unwrap_or(Err(Problem::ShuttingDown))?;
    Ok(BodyStream::new(body(first, frames)))
}

/// The client has disconnected or is too slow.
struct ClientGone;

async fn forward(mut chunks: Receiver<Bytes>, client: &Sender<Frame>) -> Result<(), ClientGone> {
    let end = Instant::now() + MAX_DURATION;
    while let Some(chunk) = chunks.recv().await {
        let deadline = end.min(Instant::now() + CHUNK_TIMEOUT);
        match timeout_at(deadline, client.send(Ok(chunk))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(ClientGone),
        }
    }
    Ok(())
}

/// Fails instead of ending if the end marker is missing, so that the client notices.
fn body(first: Bytes, frames: Receiver<Frame>) -> impl Stream<Item = io::Result<Bytes>> {
    let next = |frames: Option<Receiver<Frame>>| async move {
        let mut frames = frames?;
        match frames.recv().await {
            Some(Ok(bytes)) if bytes.is_empty() => None,
            Some(Ok(bytes)) => Some((Ok(bytes), Some(frames))),
            Some(Err(problem)) => Some((Err(abort(&problem)), None)),
            None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
        }
    };
    let frames = (!first.is_empty()).then_some(frames);
    stream::once(ready(Ok(first))).chain(stream::unfold(frames, next))
}

/// The status has already been sent, so the client only sees that the body is incomplete.
fn abort(problem: &Problem) -> io::Error {
    if let Problem::Store(error) = problem {
        tracing::error!(error = error as &dyn std::error::Error, "export failed");
    }
    io::Error::other(problem.to_string())
}

/// Sends the written bytes in chunks. Blocks while the channel is full.
struct ChunkWriter {
    chunks: Sender<Bytes>,
    buffer: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.buffer).into();
        self.chunks.blocking_send(chunk).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use tokio::task::spawn_blocking;

    use super::*;

    /// The chunks that a client receives while `write` runs on a blocking thread.
    async fn received(
        write: impl FnOnce(&mut dyn Write) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Option<Bytes>, Problem> {
        let body = streaming_body(async move |mut file: Box<dyn Write + Send>| {
            spawn_blocking(move || write(&mut file)).await.unwrap()
        });
        Ok(to_bytes(body.await?).await.ok())
    }

    fn aborted(source: io::Error) -> StoreError {
        StoreError::ExportAborted { source }
    }

    #[actix_web::test]
    async fn a_body_is_what_was_written() {
        let long = vec![7; 20 * CHUNK_BYTES];
        let written = long.clone();
        let body = received(move |file| {
            file.write_all(&written).and_then(|()| file.flush()).map_err(aborted)
        });
        assert_eq!(body.await.unwrap(), Some(long.into()));
        assert_eq!(received(|_| Ok(())).await.unwrap(), Some(Bytes::new()), "an empty one");
    }

    #[actix_web::test]
    async fn an_error_before_the_first_byte_is_an_answer_and_a_later_one_breaks_off() {
        let broken = || Err(StoreError::CorruptRow { what: "a row".into() });
        assert!(matches!(received(move |_| broken()).await, Err(Problem::Store(_))));
        let cut = received(move |file| {
            file.write_all(b"id,name").and_then(|()| file.flush()).map_err(aborted)?;
            broken()
        });
        assert_eq!(cut.await.unwrap(), None);
    }

    #[actix_web::test]
    async fn a_client_that_goes_ends_the_writing() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let body = streaming_body(async move |mut file: Box<dyn Write + Send>| {
            let endless = move || loop {
                file.write_all(&vec![0; CHUNK_BYTES]).map_err(aborted)?;
            };
            let written: Result<(), StoreError> = spawn_blocking(endless).await.unwrap();
            let _ = ended.send(());
            written
        });
        drop(body.await.unwrap());
        end.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_not_waited_for() {
        let (file, chunks) = mpsc::channel(1);
        let (client, _frames) = mpsc::channel(1);
        let begin = Instant::now();
        let writing = async { while file.send(Bytes::from_static(b"x")).await.is_ok() {} };
        let forwarding = async move { forward(chunks, &client).await.is_err() };
        let (is_gone, ()) = futures::join!(forwarding, writing);
        assert!(is_gone);
        assert_eq!(begin.elapsed(), CHUNK_TIMEOUT);
    }
}
