//! Marks the end of responses where the HTTP server gets it wrong.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::ConnectionType;
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, Version};
use actix_web::middleware::Next;
use actix_web::web::Bytes;

use super::connection_state::ConnectionState;

/// Frames the responses to HEAD and HTTP/1.0 requests.
///
/// A response to HEAD has the header of the response to GET, and its body is dropped at once: the server would wait for
/// the end of an event stream without sending it. HTTP/1.0 has no chunks, so the end of the connection marks the end of
/// a body without a length.
pub(crate) async fn frame_response<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let is_head = request.method() == Method::HEAD;
    let is_http10 = request.version() < Version::HTTP_11;
    let connection = request.conn_data::<Rc<ConnectionState>>().cloned();
    let mut response = next.call(request).await?;
    let size = response.response().body().size();
    let ends_with_connection = is_http10 && size == BodySize::Stream;
    if ends_with_connection {
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(if is_head {
        response.map_body(|_, _| EitherBody::right(BoxBody::new(OmittedBody(size))))
    } else if ends_with_connection {
        response.map_body(|_, body| {
            let body = BodyUntilClose { body: Box::pin(body), connection };
            EitherBody::right(BoxBody::new(body))
        })
    } else {
        response.map_into_left_body()
    })
}

/// Has the size of a body and none of its bytes.
struct OmittedBody(BodySize);

impl MessageBody for OmittedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Resets the connection if the body fails, so that the client notices.
struct BodyUntilClose<B> {
    body: Pin<Box<B>>,
    connection: Option<Rc<ConnectionState>>,
}

impl<B: MessageBody> MessageBody for BodyUntilClose<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let next = self.body.as_mut().poll_next(cx);
        if let (Poll::Ready(Some(Err(_))), Some(connection)) = (&next, &self.connection) {
            connection.must_reset.set(true);
        }
        next
    }
}
