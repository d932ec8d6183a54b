//! Bodies of responses as they are cached: most lists compressed, so that more of them fit, and none is compressed again
//! for each client.

use std::io::{self, Cursor, Read, Write};
use std::iter;

use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::header::{ACCEPT_ENCODING, AcceptEncoding, ContentEncoding, Encoding, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use futures::stream;
use tokio::task::spawn_blocking;

use crate::middleware::response_memory::BodyMemory;

/// Smaller bodies are quicker to send than to decompress for a client that does not accept gzip.
const MIN_COMPRESSED_BYTES: usize = 8 * 1024;
/// Larger bodies are compressed in a thread of their own, and decompressed in parts while they are sent: otherwise,
/// each client that reads slowly would take the memory of a whole one.
const MAX_WHOLE_BYTES: usize = 128 * 1024;
/// The size of such a part.
const PART_BYTES: usize = 16 * 1024;
/// What a client that reads slowly takes: a part, and the decompressor with its window of 32 kB.
const STREAM_BYTES: usize = PART_BYTES + 48 * 1024;

/// A body as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CachedBody {
    Plain(Bytes),
    /// Compressed with gzip, which nearly all clients accept.
    Gzip {
        compressed: Bytes,
        plain_length: usize,
    },
}

impl CachedBody {
    /// Compresses a body if its size makes that worthwhile. Takes less time than rendering it.
    pub(crate) async fn new(body: Bytes) -> CachedBody {
        let plain_length = body.len();
        let compressed = if plain_length < MIN_COMPRESSED_BYTES {
            None
        } else if plain_length <= MAX_WHOLE_BYTES {
            compress(&body).ok()
        } else {
            let body = body.clone();
            spawn_blocking(move || compress(&body)).await.ok().and_then(Result::ok)
        };
        match compressed {
            Some(compressed) => CachedBody::Gzip { compressed, plain_length },
            None => CachedBody::Plain(body),
        }
    }

    /// How many bytes are cached.
    pub(crate) fn len(&self) -> usize {
        match self {
            CachedBody::Plain(body) => body.len(),
            CachedBody::Gzip { compressed, .. } => compressed.len(),
        }
    }

    /// Completes the response to `request`, decompressed if the client does not accept gzip.
    pub(crate) fn send(
        self,
        request: &HttpRequest,
        mut response: HttpResponseBuilder,
    ) -> io::Result<HttpResponse> {
        match self {
            CachedBody::Plain(body) => Ok(response.body(body)),
            CachedBody::Gzip { compressed, .. } if accepts_gzip(request) => {
                Ok(response.insert_header(ContentEncoding::Gzip).body(compressed))
            }
            CachedBody::Gzip { compressed, plain_length } if plain_length <= MAX_WHOLE_BYTES => {
                Ok(response.body(read_part(&mut GzDecoder::new(&compressed[..]), plain_length)?))
            }
            CachedBody::Gzip { compressed, plain_length } => {
                let memory = BodyMemory { shared: compressed.clone(), own_bytes: STREAM_BYTES };
                let mut response = response.body(decompress_in_parts(compressed, plain_length));
                response.extensions_mut().insert(memory);
                Ok(response)
            }
        }
    }
}

/// A body that is decompressed as fast as the client reads it.
fn decompress_in_parts(compressed: Bytes, plain_length: usize) -> BoxBody {
    let mut decoder = GzDecoder::new(Cursor::new(compressed));
    let parts = iter::from_fn(move || match read_part(&mut decoder, PART_BYTES) {
        Ok(part) if part.is_empty() => None,
        part => Some(part),
    });
    BoxBody::new(SizedStream::new(plain_length as u64, stream::iter(parts)))
}

fn read_part(decoder: &mut impl Read, length: usize) -> io::Result<Bytes> {
    let mut part = Vec::with_capacity(length);
    decoder.take(length as u64).read_to_end(&mut part)?;
    Ok(part.into())
}

fn compress(plain: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    // Without spare capacity, which would be cached as well.
    Ok(encoder.finish()?.into_boxed_slice().into())
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let supported = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(ACCEPT_ENCODING)
        && AcceptEncoding::parse(request)
            .is_ok_and(|accepted| accepted.negotiate(supported.iter()) == Some(Encoding::gzip()))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_web::body::{BodySize, MessageBody, to_bytes};
    use actix_web::http::header::CONTENT_ENCODING;
    use actix_web::test::TestRequest;

    use super::*;

    async fn sent(body: &CachedBody, accepted: Option<&str>) -> (Option<String>, Bytes) {
        let request = TestRequest::default();
        let request = match accepted {
            Some(encodings) => request.insert_header((ACCEPT_ENCODING, encodings)),
            None => request,
        };
        let response = body.clone().send(&request.to_http_request(), HttpResponse::Ok()).unwrap();
        let encoding = response.headers().get(CONTENT_ENCODING);
        let encoding = encoding.map(|encoding| encoding.to_str().unwrap().to_owned());
        (encoding, to_bytes(response.into_body()).await.unwrap())
    }

    #[actix_web::test]
    async fn a_body_is_compressed_once_and_each_client_can_read_it() {
        for bytes in [MIN_COMPRESSED_BYTES, MAX_WHOLE_BYTES, MAX_WHOLE_BYTES + 1, 1_700_000] {
            let lines = (0..).map(|id: u32| format!(r#""{id}":{},"#, id.wrapping_mul(7919)));
            let plain: String =
                lines.flat_map(String::into_bytes).map(char::from).take(bytes).collect();
            let plain = Bytes::from(plain);
            let body = CachedBody::new(plain.clone()).await;
            assert!(body.len() < plain.len() * 2 / 3, "{bytes}");
            for accepted in
                ["gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.5", "identity;q=0, gzip"]
            {
                let (encoding, compressed) = sent(&body, Some(accepted)).await;
                assert_eq!((encoding.as_deref(), compressed.len()), (Some("gzip"), body.len()));
                let mut decompressed = Vec::new();
                GzDecoder::new(&compressed[..]).read_to_end(&mut decompressed).unwrap();
                assert!(decompressed == plain, "{accepted} {bytes}");
            }
            for accepted in
                [None, Some(""), Some("identity"), Some("br"), Some("*"), Some("gzip;q=0")]
            {
                assert!(
                    sent(&body, accepted).await == (None, plain.clone()),
                    "{accepted:?} {bytes}"
                );
            }
        }
    }

    #[actix_web::test]
    async fn a_client_that_does_not_read_takes_the_memory_of_a_part() {
        let plain = Bytes::from(vec![b' '; 1_000_000]);
        let body = CachedBody::new(plain.clone()).await;
        let request = TestRequest::default().to_http_request();
        let response = body.send(&request, HttpResponse::Ok()).unwrap();
        let mut sent = std::pin::pin!(response.into_body());
        assert_eq!(sent.size(), BodySize::Sized(1_000_000));
        let mut length = 0;
        while let Some(part) = poll_fn(|context| sent.as_mut().poll_next(context)).await {
            let part = part.unwrap();
            assert!(part.len() <= PART_BYTES);
            length += part.len();
        }
        assert_eq!(length, 1_000_000);
    }

    #[actix_web::test]
    async fn a_small_body_is_sent_as_it_is() {
        let plain = Bytes::from(vec![b' '; MIN_COMPRESSED_BYTES - 1]);
        let body = CachedBody::new(plain.clone()).await;
        assert_eq!(body, CachedBody::Plain(plain.clone()));
        assert_eq!(sent(&body, Some("gzip")).await, (None, plain));
    }
}
