//! Checks requests before the HTTP server reads them.
//!
//! The server has faults that cannot be configured away. Its own responses to invalid requests are empty, and are
//! neither logged nor counted. It rejects HTTP/1.0 POST requests without `Content-Length`, which is how nginx forwards a
//! POST without a body by default. And it reads pipelined requests ahead: the responses to 16 of them pile up in memory,
//! it runs those after a response that closes the connection, and it frames a response according to the request that
//! it has read last. [`RequestReader`] decodes requests with the server's own decoder, so it accepts what the server
//! accepts, and the two agree on where each request ends.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::error::ParseError;
use actix_http::h1::{Codec, Message, MessageType};
use actix_http::{ConnectionType, Request, ServiceConfig};
use actix_web::http::header::CONNECTION;
use actix_web::http::{Method, Version};
use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::codec::Decoder;

use super::connection_state::ConnectionState;
use crate::problem::Problem;

/// How long a request header may take.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 8 * 1024;
/// How many connections may send a request with a header of more than [`READ_BYTES`]. Each takes up to 400 kB.
pub(crate) const MAX_LARGE_HEADERS: usize = 128;
/// The method of the request that takes the place of an invalid one.
const INVALID: &str = "INVALID";
/// Takes the place of an invalid request. Its body never arrives, so the server keeps reading for a while after its
/// response: closing a connection with unread data would discard the response.
const INVALID_REQUEST: &[u8] =
    b"INVALID /invalid HTTP/1.1\r\nhost: invalid\r\nconnection: close\r\ncontent-length: 1\r\n\r\n";

/// A connection that passes on only valid requests, and the next one only after the response to the last one is sent.
///
/// An invalid request is replaced by one with the method `INVALID`, and [`ConnectionState::problem`] says what is
/// wrong, so that the middleware can respond to it like to any other. Nothing after it is passed on, nor after a
/// request that asks to close the connection.
pub(crate) struct RequestReader<T> {
    io: T,
    codec: Codec,
    /// Received, but not passed on yet.
    received: BytesMut,
    /// How many of the received bytes are checked and may be passed on.
    checked: usize,
    phase: Phase,
    /// Whether the response was sent before the end of the current request.
    is_answered: bool,
    /// Set while a header is incomplete.
    header_timer: Option<Pin<Box<Sleep>>>,
    large_headers: Arc<Semaphore>,
    /// Held until the connection ends, because the server keeps its buffer that long.
    large_header: Option<OwnedSemaphorePermit>,
    state: Rc<ConnectionState>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Expects a request or the rest of one.
    Open,
    /// Waits until the response to a complete request is sent.
    Responding,
    /// Discards what is received.
    Discarding,
    /// Pretends that the client closed the connection.
    Ended,
}

/// Whether a request takes the place of an invalid one.
pub(crate) fn is_invalid(method: &Method) -> bool {
    method.as_str() == INVALID
}

impl<T> RequestReader<T> {
    /// `config` is only used to decode. `large_headers` has [`MAX_LARGE_HEADERS`] permits for all connections.
    pub(crate) fn new(
        io: T,
        state: Rc<ConnectionState>,
        config: &ServiceConfig,
        large_headers: Arc<Semaphore>,
    ) -> RequestReader<T> {
        RequestReader {
            io,
            codec: Codec::new(config.clone()),
            received: BytesMut::new(),
            checked: 0,
            phase: Phase::Open,
            is_answered: false,
            header_timer: Some(Box::pin(sleep(HEADER_TIMEOUT))),
            large_headers,
            large_header: None,
            state,
        }
    }

    pub(crate) fn state(&self) -> Rc<ConnectionState> {
        self.state.clone()
    }

    fn receive(&mut self, bytes: &[u8]) {
        if self.phase == Phase::Discarding || self.phase == Phase::Responding && self.is_last() {
            return;
        }
        let is_new = self.received.is_empty();
        self.received.extend_from_slice(bytes);
        self.proceed(is_new);
    }

    /// Checks what has been received, unless the response to the last request is still being sent.
    fn proceed(&mut self, is_new: bool) {
        if self.phase == Phase::Open {
            self.check();
        }
        if self.phase == Phase::Open && self.is_in_header() && !self.received.is_empty() {
            if self.received.len() - self.checked > READ_BYTES && self.large_header.is_none() {
                self.large_header = self.large_headers.clone().try_acquire_owned().ok();
                if self.large_header.is_none() {
                    return self.reject(Problem::TooManyLargeHeaders);
                }
                self.state.is_last_request.set(true);
            }
            if self.header_timer.is_none() {
                self.header_timer = Some(Box::pin(sleep(HEADER_TIMEOUT)));
            }
            if is_new {
                self.announce();
            }
        } else {
            self.header_timer = None;
        }
    }

    /// Checks the received bytes up to the end of the current request, as far as they are complete.
    fn check(&mut self) {
        // Decoding consumes its input.
        let mut unchecked = BytesMut::from(&self.received[self.checked..]);
        while self.phase == Phase::Open {
            let decoded = self.decode(&mut unchecked);
            if decoded.is_ok() {
                self.checked = self.received.len() - unchecked.len();
            }
            match decoded {
                Ok(None) => return,
                Ok(Some(message)) => {
                    if is_last(&message) {
                        self.state.is_last_request.set(true);
                    }
                    if self.is_in_header() {
                        self.complete();
                    }
                }
                Err(error) if self.is_in_header() => {
                    return self.reject(problem(&error, &self.received[self.checked..]));
                }
                // The request has been passed on; the server reports that its body is incomplete.
                Err(_) => {
                    self.received.truncate(self.checked);
                    self.phase = Phase::Ended;
                }
            }
        }
    }

    /// Ends the current request.
    fn complete(&mut self) {
        if self.is_last() {
            self.received.truncate(self.checked);
        }
        self.phase = match (std::mem::take(&mut self.is_answered), self.is_last()) {
            (false, _) => Phase::Responding,
            (true, false) => Phase::Open,
            (true, true) => Phase::Ended,
        };
    }

    /// Continues with the next request if the response has been sent.
    fn end_response(&mut self, cx: &mut Context<'_>) {
        if !self.state.has_responded.take() {
            return;
        }
        if self.phase == Phase::Open {
            self.is_answered = true;
        } else if self.phase == Phase::Responding {
            self.phase = if self.is_last() { Phase::Ended } else { Phase::Open };
            if !self.received.is_empty() {
                self.proceed(true);
            } else if !self.is_last() {
                // The server already waits for the next request.
                return;
            }
            cx.waker().wake_by_ref();
        }
    }

    /// Decodes what comes next. Completes an HTTP/1.0 POST without a length.
    fn decode(&mut self, unchecked: &mut BytesMut) -> Result<Option<Message<Request>>, ParseError> {
        let decoded = self.codec.decode(unchecked);
        if decoded.is_ok() || !self.is_in_header() {
            return decoded;
        }
        let completed = with_content_length(&self.received[self.checked..]);
        let Some(completed) = completed else { return decoded };
        let mut undecoded = completed.clone();
        let decoded = self.codec.decode(&mut undecoded);
        if decoded.is_ok() {
            self.received.truncate(self.checked);
            self.received.unsplit(completed);
            *unchecked = undecoded;
        }
        decoded
    }

    /// Lets the server know that a request is on its way, so that it does not close the connection as idle. It ignores
    /// empty lines between requests.
    fn announce(&mut self) {
        let rest = self.received.split_off(self.checked);
        self.received.extend_from_slice(b"\r\n");
        self.checked = self.received.len();
        self.received.unsplit(rest);
    }

    fn reject(&mut self, problem: Problem) {
        self.state.problem.set(Some(problem));
        self.received.truncate(self.checked);
        self.received.extend_from_slice(INVALID_REQUEST);
        self.checked = self.received.len();
        self.phase = Phase::Discarding;
    }

    fn is_last(&self) -> bool {
        self.state.is_last_request.get()
    }

    /// Whether the next byte is part of a header, not of a body.
    fn is_in_header(&self) -> bool {
        matches!(self.codec.message_type(), MessageType::None)
    }

    fn pass_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let bytes = self.checked.min(buffer.remaining());
        buffer.put_slice(&self.received.split_to(bytes));
        self.checked -= bytes;
        if self.received.is_empty() {
            // Idle connections need no buffer.
            self.received = BytesMut::new();
        }
    }
}

/// Whether the connection ends after this request: the client asks for it, or it does not ask HTTP/1.0 to keep it.
fn is_last(message: &Message<Request>) -> bool {
    let Message::Item(request) = message else { return false };
    let head = request.head();
    let is_kept = match head.connection_type() {
        ConnectionType::Close => false,
        ConnectionType::KeepAlive => true,
        ConnectionType::Upgrade => head.version >= Version::HTTP_11,
    };
    // The decoder ignores a field with characters other than ASCII.
    let is_close = |option: &[u8]| option.trim_ascii().eq_ignore_ascii_case(b"close");
    let mut fields = head.headers().get_all(CONNECTION);
    !is_kept || fields.any(|field| field.as_bytes().split(|byte| *byte == b',').any(is_close))
}

fn problem(error: &ParseError, received: &[u8]) -> Problem {
    let reason = match error {
        ParseError::TooLarge => return Problem::HeaderTooLarge,
        _ if received.starts_with(&[0x16, 3]) => "it is a TLS handshake, but this port has no TLS",
        ParseError::Version => "its version is neither 1.1 nor 1.0",
        ParseError::Method => "its method is invalid",
        ParseError::Uri(_) => "its path is invalid or too long",
        _ => "its first line or a header field is invalid, or its `Host` is missing",
    };
    Problem::MalformedRequest(reason)
}

/// Adds `Content-Length: 0` to an HTTP/1.0 POST request.
fn with_content_length(request: &[u8]) -> Option<BytesMut> {
    let start = request.iter().position(|byte| !b"\r\n".contains(byte))?;
    let end = start + request[start..].iter().position(|byte| *byte == b'\n')?;
    let line = request[start..end].trim_ascii_end();
    if !line.starts_with(b"POST ") || !line.ends_with(b" HTTP/1.0") {
        return None;
    }
    let (line, rest) = request.split_at(end + 1);
    Some([line, b"content-length: 0\r\n", rest].concat().as_slice().into())
}

impl<T: AsyncRead + Unpin> AsyncRead for RequestReader<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.checked > 0 {
                this.pass_on(buffer);
                return Poll::Ready(Ok(()));
            }
            if this.phase == Phase::Ended {
                return Poll::Ready(Ok(()));
            }
            if this.phase == Phase::Responding && !this.received.is_empty() {
                // `end_response` wakes the server.
                return Poll::Pending;
            }
            let timer = this.header_timer.as_mut();
            if timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                this.header_timer = None;
                // A client that has sent nothing is not waiting for a response.
                if this.received.is_empty() {
                    this.phase = Phase::Ended;
                } else {
                    this.reject(Problem::HeaderTooSlow);
                }
                continue;
            }
            let mut space = [MaybeUninit::uninit(); READ_BYTES];
            let mut chunk = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.receive(chunk.filled());
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for RequestReader<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    /// The server calls this when its write buffer is empty.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.end_response(cx);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, advance, pause, timeout};

    use super::*;

    const LAST: &str = "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    fn reader() -> (DuplexStream, RequestReader<DuplexStream>) {
        let (client, server) = duplex(1 << 20);
        let state = Rc::new(ConnectionState::default());
        let large_headers = Arc::new(Semaphore::new(1));
        (client, RequestReader::new(server, state, &ServiceConfig::default(), large_headers))
    }

    /// What the server can read now, without responding.
    async fn read_request(reader: &mut RequestReader<DuplexStream>) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Ok(Ok(1..)) = timeout(Duration::ZERO, reader.read_buf(&mut bytes)).await {}
        bytes
    }

    async fn respond(reader: &mut RequestReader<DuplexStream>) {
        reader.state.has_responded.set(true);
        reader.flush().await.unwrap();
    }

    /// What the server can read now, if it responds to each request at once.
    async fn read(reader: &mut RequestReader<DuplexStream>) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            bytes.extend(read_request(reader).await);
            if reader.phase != Phase::Responding {
                return bytes;
            }
            respond(reader).await;
        }
    }

    fn status(reader: &RequestReader<DuplexStream>) -> Option<u16> {
        Some(reader.state.problem.take()?.status_code().as_u16())
    }

    /// What the server reads of what a client sends in several pieces, and the status of the problem.
    async fn passed_on(pieces: &[&[u8]]) -> (Vec<u8>, Option<u16>) {
        let (mut client, mut reader) = reader();
        let mut passed = Vec::new();
        for piece in pieces {
            client.write_all(piece).await.unwrap();
            passed.extend(read(&mut reader).await);
        }
        let status = status(&reader);
        (passed, status)
    }

    /// Describes the requests in `bytes`.
    fn decode(bytes: &[u8]) -> Vec<String> {
        let (mut codec, mut bytes) = (Codec::default(), BytesMut::from(bytes));
        let mut requests = Vec::new();
        while let Some(message) = codec.decode(&mut bytes).unwrap() {
            match message {
                Message::Item(request) => requests.push(format!("{request:?}")),
                Message::Chunk(Some(chunk)) => {
                    *requests.last_mut().unwrap() += str::from_utf8(&chunk).unwrap();
                }
                Message::Chunk(None) => {}
            }
        }
        requests
    }

    #[actix_web::test]
    async fn valid_requests_are_passed_on_however_they_are_split() {
        for request in [
            "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
            "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
            "\r\nGET /a?b=c HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\nhost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
            "POST / HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\nPOST",
        ] {
            let sent = request.repeat(2) + LAST;
            for split in 0..sent.len() {
                let (start, end) = sent.as_bytes().split_at(split);
                let (passed, status) = passed_on(&[start, end]).await;
                assert_eq!(status, None, "{sent} at {split}");
                assert_eq!(decode(&passed), decode(sent.as_bytes()), "{sent} at {split}");
            }
        }
    }

    #[actix_web::test]
    async fn a_post_of_http_1_0_without_a_length_gets_one() {
        let post = "POST / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
        let completed = "POST / HTTP/1.0\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n";
        for split in 0..post.len() {
            let (start, end) = post.as_bytes().split_at(split);
            let (passed, status) = passed_on(&[start, end, LAST.as_bytes()]).await;
            assert_eq!(status, None);
            let expected = completed.to_owned() + LAST;
            assert_eq!(decode(&passed), decode(expected.as_bytes()), "{split}");
        }
        for invalid in ["transfer-encoding: chunked", "content-length: x"] {
            let post = format!("POST / HTTP/1.0\r\n{invalid}\r\n\r\n");
            assert_eq!(passed_on(&[post.as_bytes()]).await.1, Some(400), "{invalid}");
        }
    }

    #[actix_web::test]
    async fn nothing_is_passed_on_after_the_last_request() {
        for (last, passed_on_of_it) in [
            (LAST, LAST),
            ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"),
            ("POST / HTTP/1.0\r\n\r\n", "POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n"),
            (
                "POST / HTTP/1.0\r\ncontent-length: 1\r\n\r\n!",
                "POST / HTTP/1.0\r\ncontent-length: 1\r\n\r\n!",
            ),
        ] {
            let more = last.to_owned() + "GET /more HTTP/1.1\r\nhost: x\r\n\r\n";
            let (passed, status) = passed_on(&[more.as_bytes(), b"or less"]).await;
            assert_eq!((passed.as_slice(), status), (passed_on_of_it.as_bytes(), None));
        }
    }

    #[actix_web::test]
    async fn a_request_is_the_last_one_however_it_says_so() {
        let more = "GET /more HTTP/1.1\r\nhost: x\r\n\r\n";
        for (version, field, is_last) in [
            ("1.1", "Connection: keep-alive, CLOSE", true),
            ("1.1", "Connection: upgrade\r\nconnection:\tclose ", true),
            ("1.1", "Connection: close, \u{e9}", true),
            ("1.1", "Connection: closed", false),
            ("1.1", "Connection: upgrade", false),
            ("1.0", "Connection: upgrade", true),
            ("1.0", "Connection: x", true),
            ("1.0", "Connection: keep-alive", false),
        ] {
            let (mut client, mut reader) = reader();
            let request = format!("GET / HTTP/{version}\r\nhost: x\r\n{field}\r\n\r\n");
            client.write_all((request.clone() + more).as_bytes()).await.unwrap();
            let passed = read(&mut reader).await;
            let expected = if is_last { request.clone() } else { request.clone() + more };
            assert_eq!(String::from_utf8(passed).unwrap(), expected, "{field}");
            if is_last {
                let end = timeout(Duration::ZERO, reader.read_u8()).await.unwrap();
                assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{field}");
            }
        }
    }

    #[actix_web::test]
    async fn a_request_waits_until_the_response_before_it_is_sent() {
        let first = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n!";
        let second = "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n";
        for split in 0..first.len() + second.len() {
            let (mut client, mut reader) = reader();
            let sent = first.to_owned() + second + second;
            let mut passed = Vec::new();
            let (start, end) = sent.as_bytes().split_at(split);
            for piece in [start, end] {
                client.write_all(piece).await.unwrap();
                passed.extend(read_request(&mut reader).await);
            }
            assert_eq!(decode(&passed), decode(first.as_bytes()), "{split}");
            reader.flush().await.unwrap();
            assert!(read_request(&mut reader).await.is_empty(), "a part of the response");
            for _ in 0..2 {
                respond(&mut reader).await;
                let passed = read_request(&mut reader).await;
                assert_eq!(decode(&passed), decode(second.as_bytes()), "{split}");
            }
        }
    }

    #[actix_web::test]
    async fn a_response_can_precede_the_end_of_its_request() {
        let start = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n!";
        let second = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let (mut client, mut reader) = reader();
        client.write_all(start.as_bytes()).await.unwrap();
        assert_eq!(read_request(&mut reader).await, start.as_bytes());
        respond(&mut reader).await;
        client.write_all(("!".to_owned() + second + second).as_bytes()).await.unwrap();
        assert_eq!(read_request(&mut reader).await, ("!".to_owned() + second).as_bytes());
    }

    #[actix_web::test]
    async fn a_client_that_sends_ahead_is_read_no_further() {
        let request = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let (mut client, mut reader) = reader();
        client.write_all(request.repeat(10_000).as_bytes()).await.unwrap();
        for _ in 0..1000 {
            let passed = read_request(&mut reader).await;
            assert_eq!(decode(&passed), decode(request.as_bytes()));
            assert!(reader.received.len() <= READ_BYTES);
            respond(&mut reader).await;
        }
    }

    #[actix_web::test]
    async fn a_client_that_closes_the_connection_during_a_response_is_noticed() {
        let (mut client, mut reader) = reader();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(!read_request(&mut reader).await.is_empty());
        drop(client);
        assert_eq!(reader.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[actix_web::test]
    async fn an_invalid_request_is_replaced() {
        let first = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let long = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(140_000));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(97));
        for (request, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET /\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
            ("\x16\x03\x01\x02\x00", 400),
            (long.as_str(), 431),
            (many.as_str(), 431),
        ] {
            let sent = first.to_owned() + request;
            let (passed, status) = passed_on(&[sent.as_bytes(), b"more"]).await;
            assert_eq!(status, Some(expected), "{sent}");
            let expected = [first.as_bytes(), INVALID_REQUEST].concat();
            assert_eq!(decode(&passed), decode(&expected), "{sent}");
        }
    }

    #[actix_web::test]
    async fn the_number_of_large_headers_is_limited() {
        let header = |bytes| format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(bytes));
        let (mut client, mut reader) = reader();
        let permits = reader.large_headers.clone();
        let request = header(100_000) + "\r\n\r\n";
        client.write_all((request.clone() + LAST).as_bytes()).await.unwrap();
        let passed = read(&mut reader).await;
        assert_eq!(decode(&passed), decode(request.as_bytes()), "and the connection closes");
        assert_eq!(permits.available_permits(), 0);

        let (mut client, server) = duplex(1 << 20);
        let state = Rc::new(ConnectionState::default());
        let mut other =
            RequestReader::new(server, state, &ServiceConfig::default(), permits.clone());
        let small = header(1000) + "\r\n\r\n";
        client.write_all((small.clone() + &header(10_000)).as_bytes()).await.unwrap();
        let passed = read(&mut other).await;
        assert_eq!(decode(&passed), decode(&[small.as_bytes(), INVALID_REQUEST].concat()));
        assert_eq!(status(&other), Some(503));
        drop(reader);
        assert_eq!(permits.available_permits(), 1);
    }

    #[actix_web::test]
    async fn an_invalid_body_ends_the_connection() {
        let request = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        let (mut client, mut reader) = reader();
        client.write_all((request.to_owned() + "zz\r\n").as_bytes()).await.unwrap();
        let mut passed = String::new();
        reader.read_to_string(&mut passed).await.unwrap();
        assert!(passed.starts_with(request), "{passed}");
        assert_eq!(status(&reader), None);
    }

    #[actix_web::test]
    async fn a_header_that_takes_too_long_is_replaced_at_any_time() {
        pause();
        for first in ["", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let (mut client, mut reader) = reader();
            client.write_all(first.as_bytes()).await.unwrap();
            let mut passed = read(&mut reader).await;
            client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            passed.extend(read(&mut reader).await);
            advance(HEADER_TIMEOUT.mul_f64(0.99)).await;
            client.write_all(b"host:").await.unwrap();
            passed.extend(read(&mut reader).await);
            assert_eq!(decode(&passed), decode(first.as_bytes()));
            passed = vec![0; 2];
            let start = Instant::now();
            reader.read_exact(&mut passed).await.unwrap();
            assert!(start.elapsed() < HEADER_TIMEOUT / 10);
            assert_eq!((passed, status(&reader)), (b"IN".to_vec(), Some(408)));
        }
    }

    #[actix_web::test]
    async fn a_client_that_sends_nothing_is_disconnected() {
        pause();
        let (_client, mut reader) = reader();
        let start = Instant::now();
        assert_eq!(reader.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(start.elapsed() >= HEADER_TIMEOUT);
        assert_eq!(status(&reader), None);
    }
}
