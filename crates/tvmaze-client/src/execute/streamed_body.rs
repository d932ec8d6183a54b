//! Bodies that are decoded while they arrive, and never in memory as a whole.

use std::io::{self, BufReader, Read};

use bytes::{Buf, Bytes};
use reqwest::Response;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::attempt::join;
use crate::client::Inner;
use crate::decode::{BYTE_ORDER_MARK, DecodeError};

/// How many chunks may wait to be decoded. A chunk is what arrived at once: at most some hundred kilobytes.
const MAX_WAITING_CHUNKS: usize = 2;

impl Inner {
    /// Reads and decodes a body; `None` if it is larger than `limit`.
    pub(super) async fn decode_while_reading<T: DeserializeOwned + Send + 'static>(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Option<Result<T, DecodeError>>, reqwest::Error> {
        let (sender, chunks) = mpsc::channel(MAX_WAITING_CHUNKS);
        let body = BodyReader { chunks, chunk: Bytes::new(), is_at_start: true };
        // It ends when the sender is dropped, for whatever reason.
        let decoding =
            tokio::task::spawn_blocking(move || serde_json::from_reader(BufReader::new(body)));
        let mut read = 0;
        while let Some(chunk) = self.read_chunk(&mut response).await? {
            read += chunk.len();
            if read > limit {
                return Ok(None);
            }
            if sender.send(chunk).await.is_err() {
                // The decoder has found an error.
                break;
            }
        }
        drop(sender);
        let decoded = join(decoding).await;
        Ok(Some(decoded.map_err(|cause| DecodeError { cause, path: String::new(), id: None })))
    }
}

/// Reads chunks as they arrive. Blocks.
struct BodyReader {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
    is_at_start: bool,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.chunks.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
            if self.is_at_start && self.chunk.starts_with(BYTE_ORDER_MARK) {
                self.chunk.advance(BYTE_ORDER_MARK.len());
            }
            self.is_at_start &= self.chunk.is_empty();
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
