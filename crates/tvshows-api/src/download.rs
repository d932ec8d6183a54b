//! Bodies that a blocking task writes while a client reads them, with flat memory.
//!
//! The task's chunks go through a pump, which waits for the client and loses patience with a slow one: the
//! task then ends, and the database connection that it holds is free.

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

/// What is sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks wait for the client.
const WAITING_CHUNKS: usize = 4;
/// How long a client may take over one chunk.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take over all of them: while a snapshot is read, the database's WAL cannot shrink.
const LONGEST: Duration = Duration::from_hours(1);

/// A part of a body, or why it ends before its end. An empty part is its end.
type Part = Result<Bytes, Problem>;

/// A body of what `write` sends into the file that it gets.
///
/// # Errors
///
/// What `write` fails with before the first byte: the answer is not begun yet.
pub(crate) async fn download<F, W>(write: F) -> Result<impl MessageBody + use<F, W>, Problem>
where
    F: FnOnce(Box<dyn Write + Send>) -> W,
    W: Future<Output = Result<(), StoreError>> + 'static,
{
    let (file, chunks) = mpsc::channel(1);
    let (client, mut parts) = mpsc::channel(WAITING_CHUNKS);
    let writing = write(Box::new(ChunkWriter { chunks: file, buffer: Vec::new() }));
    // It ends by itself: with the body, or when the client is gone or too slow.
    drop(actix_web::rt::spawn(async move {
        let (written, pumped) = futures::join!(writing, pump(chunks, &client));
        let end = match (written, pumped) {
            (Ok(()), Ok(())) => Ok(Bytes::new()),
            (Err(error @ StoreError::ExportAborted { .. }), _) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "an export was cut off");
                return;
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), Err(Unread)) => return,
        };
        let _ = timeout(PATIENCE, client.send(end)).await;
    }));
    let first = parts.recv().await.unwrap_or(Err(Problem::Stopping))?;
    Ok(BodyStream::new(body(first, parts)))
}

/// The client is gone or too slow.
struct Unread;

async fn pump(mut chunks: Receiver<Bytes>, client: &Sender<Part>) -> Result<(), Unread> {
    let end = Instant::now() + LONGEST;
    while let Some(chunk) = chunks.recv().await {
        let patience = end.min(Instant::now() + PATIENCE);
        match timeout_at(patience, client.send(Ok(chunk))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(Unread),
        }
    }
    Ok(())
}

/// A body that breaks off, in place of ending, where the end did not come.
fn body(first: Bytes, parts: Receiver<Part>) -> impl Stream<Item = io::Result<Bytes>> {
    let next = |parts: Option<Receiver<Part>>| async move {
        let mut parts = parts?;
        match parts.recv().await {
            Some(Ok(bytes)) if bytes.is_empty() => None,
            Some(Ok(bytes)) => Some((Ok(bytes), Some(parts))),
            Some(Err(problem)) => Some((Err(broken_off(&problem)), None)),
            None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
        }
    };
    let parts = (!first.is_empty()).then_some(parts);
    stream::once(ready(Ok(first))).chain(stream::unfold(parts, next))
}

/// The status is sent already: the client only sees that the body has no end.
fn broken_off(problem: &Problem) -> io::Error {
    if let Problem::Store(error) = problem {
        tracing::error!(error = error as &dyn std::error::Error, "an export broke off");
    }
    io::Error::other(problem.to_string())
}

/// Sends what is written in chunks. Waits while there are enough of them, so only for a blocking thread.
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

    /// What a client gets of what `write` writes on a blocking thread.
    async fn taken(
        write: impl FnOnce(&mut dyn Write) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Option<Bytes>, Problem> {
        let body = download(async move |mut file: Box<dyn Write + Send>| {
            spawn_blocking(move || write(&mut file)).await.unwrap()
        });
        Ok(to_bytes(body.await?).await.ok())
    }

    fn not_taken(source: io::Error) -> StoreError {
        StoreError::ExportAborted { source }
    }

    #[actix_web::test]
    async fn a_body_is_what_was_written() {
        let long = vec![7; 20 * CHUNK_BYTES];
        let written = long.clone();
        let body = taken(move |file| {
            file.write_all(&written).and_then(|()| file.flush()).map_err(not_taken)
        });
        assert_eq!(body.await.unwrap(), Some(long.into()));
        assert_eq!(taken(|_| Ok(())).await.unwrap(), Some(Bytes::new()), "an empty one");
    }

    #[actix_web::test]
    async fn an_error_before_the_first_byte_is_an_answer_and_a_later_one_breaks_off() {
        let broken = || Err(StoreError::CorruptRow { what: "a row".into() });
        assert!(matches!(taken(move |_| broken()).await, Err(Problem::Store(_))));
        let cut = taken(move |file| {
            file.write_all(b"id,name").and_then(|()| file.flush()).map_err(not_taken)?;
            broken()
        });
        assert_eq!(cut.await.unwrap(), None);
    }

    #[actix_web::test]
    async fn a_client_that_goes_ends_the_writing() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let body = download(async move |mut file: Box<dyn Write + Send>| {
            let endless = move || loop {
                file.write_all(&vec![0; CHUNK_BYTES]).map_err(not_taken)?;
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
        let (client, _parts) = mpsc::channel(1);
        let begin = Instant::now();
        let writing = async { while file.send(Bytes::from_static(b"x")).await.is_ok() {} };
        let pumping = async move { pump(chunks, &client).await.is_err() };
        let (unread, ()) = futures::join!(pumping, writing);
        assert!(unread);
        assert_eq!(begin.elapsed(), PATIENCE);
    }
}
