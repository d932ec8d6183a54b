//! Marks the end of responses where the HTTP server gets it wrong, and limits how much of them it buffers.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::ConnectionType;
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, Version};
use actix_web::middleware::Next;
use actix_web::web::Bytes;

use super::connection_state::ConnectionState;

/// The server copies each chunk of a body into its write buffer, and asks for the next one when the buffer has less
/// than this. So it buffers at most twice as much.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

/// Frames the responses to HEAD and HTTP/1.0 requests, splits large bodies, and reports the end of each response to the
/// connection. The outermost middleware.
///
/// A response to HEAD has the header of the response to GET, and its body is dropped at once: the server would wait for
/// the end of an event stream without sending it. HTTP/1.0 has no chunks, so the end of the connection marks the end of
/// a body without a length.
pub(crate) async fn frame_response<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_head = request.method() == Method::HEAD;
    let is_http10 = request.version() < Version::HTTP_11;
    let end = ResponseEnd(request.conn_data::<Rc<ConnectionState>>().cloned());
    let mut response = next.call(request).await?;
    if end.0.as_ref().is_some_and(|connection| connection.is_last_request.get()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let size = response.response().body().size();
    let ends_with_connection = is_http10 && size == BodySize::Stream;
    if ends_with_connection {
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| {
        if is_head {
            BoxBody::new(OmittedBody { size, _end: end })
        } else {
            let body = Box::pin(body);
            BoxBody::new(FramedBody { body, rest: Bytes::new(), ends_with_connection, end })
        }
    }))
}

/// Reports to the connection, when it is dropped, that the server has taken all of the response.
struct ResponseEnd(Option<Rc<ConnectionState>>);

impl Drop for ResponseEnd {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.has_responded.set(true);
        }
    }
}

/// Has the size of a body and none of its bytes.
struct OmittedBody {
    size: BodySize,
    _end: ResponseEnd,
}

impl MessageBody for OmittedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

/// A body in chunks of at most [`CHUNK_BYTES`].
struct FramedBody<B> {
    body: Pin<Box<B>>,
    /// The rest of what `body` has returned.
    rest: Bytes,
    /// Resets the connection if the body fails, so that the client notices.
    ends_with_connection: bool,
    end: ResponseEnd,
}

impl<B: MessageBody> MessageBody for FramedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(self.body.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => {
                    if let (true, Some(connection)) = (self.ends_with_connection, &self.end.0) {
                        connection.must_reset.set(true);
                    }
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            }
        }
        let bytes = self.rest.len().min(CHUNK_BYTES);
        Poll::Ready(Some(Ok(self.rest.split_to(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[actix_web::test]
    async fn a_large_body_is_split_and_its_end_reported() {
        let connection = Rc::<ConnectionState>::default();
        let sent: Bytes = (0..=u8::MAX).cycle().take(3 * CHUNK_BYTES + 1).collect();
        let mut body = FramedBody {
            body: Box::pin(sent.clone()),
            rest: Bytes::new(),
            ends_with_connection: false,
            end: ResponseEnd(Some(connection.clone())),
        };
        assert_eq!(body.size(), BodySize::Sized(sent.len() as u64));
        let (mut received, mut lengths) = (Vec::new(), Vec::new());
        while let Some(chunk) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            let chunk = chunk.unwrap();
            received.extend_from_slice(&chunk);
            lengths.push(chunk.len());
        }
        assert_eq!(received, sent);
        assert_eq!(lengths, [CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES, 1]);
        assert!(!connection.has_responded.get());
        drop(body);
        assert!(connection.has_responded.get());
    }
}
