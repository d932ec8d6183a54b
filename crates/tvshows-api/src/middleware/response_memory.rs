//! Limits the memory of responses that clients do not read.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use actix_http::ConnectionType;
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::framing::CHUNK_BYTES;
use crate::problem::Problem;

/// The total size of the bodies that are being sent. Bodies of up to [`CHUNK_BYTES`] are not counted: the number of
/// connections bounds them.
const MAX_UNSENT_BYTES: usize = 64 * 1024 * 1024;
/// How many responses are compressed at the same time; others are sent uncompressed. A compressor takes up to 1 MB until
/// the client has read the response.
const MAX_COMPRESSORS: usize = 32;

/// The memory of all responses that are being sent.
pub(crate) struct ResponseMemory {
    unsent: Arc<Mutex<UnsentBodies>>,
    compressors: Arc<Semaphore>,
}

impl Default for ResponseMemory {
    fn default() -> ResponseMemory {
        ResponseMemory {
            unsent: Arc::default(),
            compressors: Arc::new(Semaphore::new(MAX_COMPRESSORS)),
        }
    }
}

/// The bodies that are being sent, by address and length: how many connections share each.
#[derive(Default)]
struct UnsentBodies {
    connections: HashMap<(usize, usize), usize>,
    bytes: usize,
}

impl ResponseMemory {
    /// Counts a body until the result is dropped. `None` if all bodies together would be too large.
    fn reserve(&self, body: &Bytes) -> Option<Reservation> {
        let key = (body.as_ptr() as usize, body.len());
        let mut unsent = lock(&self.unsent);
        if let Some(connections) = unsent.connections.get_mut(&key) {
            *connections += 1;
        } else if unsent.bytes + body.len() > MAX_UNSENT_BYTES {
            return None;
        } else {
            unsent.bytes += body.len();
            unsent.connections.insert(key, 1);
        }
        Some(Reservation { key, unsent: self.unsent.clone() })
    }
}

fn lock(unsent: &Mutex<UnsentBodies>) -> MutexGuard<'_, UnsentBodies> {
    unsent.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reservation {
    key: (usize, usize),
    unsent: Arc<Mutex<UnsentBodies>>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut unsent = lock(&self.unsent);
        let Some(connections) = unsent.connections.get_mut(&self.key) else { return };
        *connections -= 1;
        if *connections == 0 {
            unsent.connections.remove(&self.key);
            unsent.bytes -= self.key.1;
        }
    }
}

/// Rejects requests whose response would exceed the limits. Must run inside the middleware that compresses.
pub(crate) async fn limit_response_memory<B: MessageBody + 'static>(
    memory: web::Data<ResponseMemory>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let accepts_encoding = request.headers().contains_key(ACCEPT_ENCODING);
    let response = next.call(request).await?;
    let is_small = match response.response().body().size() {
        BodySize::None => true,
        BodySize::Sized(bytes) => bytes <= CHUNK_BYTES as u64,
        BodySize::Stream => false,
    };
    let may_be_compressed = accepts_encoding
        && response.response().body().size() != BodySize::None
        && !response.headers().contains_key(CONTENT_ENCODING);
    if is_small && !may_be_compressed {
        return Ok(response.map_into_boxed_body());
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let mut compressor = None;
    if may_be_compressed {
        compressor = memory.compressors.clone().try_acquire_owned().ok();
        if compressor.is_none() {
            let identity = HeaderValue::from_static("identity");
            response.headers_mut().insert(CONTENT_ENCODING, identity);
        }
    }
    let (body, reservation) = match body.try_into_bytes() {
        Ok(bytes) if is_small => (BoxBody::new(bytes), None),
        Ok(bytes) => {
            let Some(reservation) = memory.reserve(&bytes) else {
                let response = ServiceResponse::new(request, response);
                let mut response = response.error_response(Problem::TooManyUnreadResponses);
                // Otherwise, pipelined requests would be rendered only to be rejected.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                return Ok(response);
            };
            (BoxBody::new(bytes), Some(reservation))
        }
        Err(body) => (body.boxed(), None),
    };
    let body = CountedBody { body, _reservation: reservation, _compressor: compressor };
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
}

/// A body whose memory is counted until it has been sent.
struct CountedBody {
    body: BoxBody,
    _reservation: Option<Reservation>,
    _compressor: Option<OwnedSemaphorePermit>,
}

impl MessageBody for CountedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_counts_once_however_many_clients_it_is_sent_to() {
        let memory = ResponseMemory::default();
        let body = Bytes::from(vec![0; MAX_UNSENT_BYTES / 2]);
        let shared: Vec<_> = (0..1000).map(|_| memory.reserve(&body).unwrap()).collect();
        let other = Bytes::from(vec![0; MAX_UNSENT_BYTES / 2]);
        let last = memory.reserve(&other).unwrap();
        let small = Bytes::from_static(b"x");
        assert!(memory.reserve(&small).is_none());
        drop(last);
        assert!(memory.reserve(&small).is_some());
        drop(shared);
        let unsent = lock(&memory.unsent);
        assert_eq!((unsent.bytes, unsent.connections.len()), (0, 0));
    }
}
