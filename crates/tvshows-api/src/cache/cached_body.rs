//! Response bodies as they are cached. Most lists are compressed, so that more of them fit into the cache, and so that they
//! are not compressed again for each client.

use std::io::{self, Read, Write};
use std::sync::Arc;

use actix_web::http::header::{ACCEPT_ENCODING, AcceptEncoding, ContentEncoding, Encoding, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

/// Smaller bodies are quicker to send than to decompress for a client that does not accept gzip.
const MIN_COMPRESSED_BYTES: usize = 8 * 1024;
/// Larger bodies are compressed on a blocking thread when the first client that accepts gzip requests them, and cached
/// uncompressed as well: clients without gzip share that form, so that those that read slowly do not take memory for a
/// copy each.
const MAX_DECOMPRESSED_BYTES: usize = 128 * 1024;

/// A fifth smaller than at the lowest level, and a fifth slower. The next level saves another eighth, but takes twice the
/// time.
const COMPRESSION_LEVEL: u32 = 2;

/// A body as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CachedBody {
    Plain(Bytes),
    /// Compressed with gzip, which nearly all clients accept.
    Gzip {
        compressed: Bytes,
        plain_length: usize,
    },
    Large(Arc<LargeBody>),
}

/// A large body in both forms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LargeBody {
    plain: Bytes,
    /// `None` if it cannot be compressed.
    compressed: OnceCell<Option<Bytes>>,
}

impl LargeBody {
    async fn compressed(&self) -> Option<Bytes> {
        let compress = async || {
            let plain = self.plain.clone();
            spawn_blocking(move || compress(&plain)).await.ok()?.ok()
        };
        self.compressed.get_or_init(compress).await.clone()
    }
}

impl CachedBody {
    /// Compresses a body if its size makes that worthwhile. Takes less time than rendering it.
    pub(crate) fn new(body: Bytes) -> CachedBody {
        let plain_length = body.len();
        if plain_length < MIN_COMPRESSED_BYTES {
            return CachedBody::Plain(body);
        }
        if plain_length > MAX_DECOMPRESSED_BYTES {
            let body = LargeBody { plain: body, compressed: OnceCell::new() };
            return CachedBody::Large(Arc::new(body));
        }
        match compress(&body) {
            Ok(compressed) => CachedBody::Gzip { compressed, plain_length },
            Err(_) => CachedBody::Plain(body),
        }
    }

    /// How many bytes are cached. A large body counts as if it could be compressed to half of its size.
    pub(crate) fn len(&self) -> usize {
        match self {
            CachedBody::Plain(body) => body.len(),
            CachedBody::Gzip { compressed, .. } => compressed.len(),
            CachedBody::Large(body) => body.plain.len() + body.plain.len() / 2,
        }
    }

    /// Completes the response to `request`, uncompressed if the client does not accept gzip.
    pub(crate) async fn send(
        self,
        request: &HttpRequest,
        mut response: HttpResponseBuilder,
    ) -> io::Result<HttpResponse> {
        let compressed = match &self {
            CachedBody::Gzip { compressed, .. } => {
                accepts_gzip(request).then(|| compressed.clone())
            }
            CachedBody::Large(body) if accepts_gzip(request) => body.compressed().await,
            CachedBody::Plain(_) | CachedBody::Large(_) => None,
        };
        if let Some(compressed) = compressed {
            return Ok(response.insert_header(ContentEncoding::Gzip).body(compressed));
        }
        match self {
            CachedBody::Plain(plain) => Ok(response.body(plain)),
            CachedBody::Large(body) => Ok(response.body(body.plain.clone())),
            CachedBody::Gzip { compressed, plain_length } => {
                let mut plain = Vec::with_capacity(plain_length);
                GzDecoder::new(&compressed[..]).read_to_end(&mut plain)?;
                Ok(response.body(plain))
            }
        }
    }
}

fn compress(plain: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(COMPRESSION_LEVEL));
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
    use actix_web::body::{MessageBody, to_bytes};
    use actix_web::http::header::CONTENT_ENCODING;
    use actix_web::test::TestRequest;

    use super::*;

    async fn sent(body: &CachedBody, accepted: Option<&str>) -> (Option<String>, Bytes) {
        let request = TestRequest::default();
        let request = match accepted {
            Some(encodings) => request.insert_header((ACCEPT_ENCODING, encodings)),
            None => request,
        };
        let request = request.to_http_request();
        let response = body.clone().send(&request, HttpResponse::Ok()).await.unwrap();
        let encoding = response.headers().get(CONTENT_ENCODING);
        let encoding = encoding.map(|encoding| encoding.to_str().unwrap().to_owned());
        (encoding, to_bytes(response.into_body()).await.unwrap())
    }

    #[actix_web::test]
    async fn a_body_is_compressed_once_and_each_client_can_read_it() {
        let sizes = [MIN_COMPRESSED_BYTES, MAX_DECOMPRESSED_BYTES, MAX_DECOMPRESSED_BYTES + 1];
        for bytes in sizes.into_iter().chain([1_700_000]) {
            let lines = (0..).map(|id: u32| format!(r#""{id}":{},"#, id.wrapping_mul(7919)));
            let plain: Vec<u8> = lines.flat_map(String::into_bytes).take(bytes).collect();
            let plain = Bytes::from(plain);
            let body = CachedBody::new(plain.clone());
            let mut sizes = Vec::new();
            for accepted in
                ["gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.5", "identity;q=0, gzip"]
            {
                let (encoding, compressed) = sent(&body, Some(accepted)).await;
                assert_eq!(encoding.as_deref(), Some("gzip"));
                let mut decompressed = Vec::new();
                GzDecoder::new(&compressed[..]).read_to_end(&mut decompressed).unwrap();
                assert!(decompressed == plain, "{accepted} {bytes}");
                sizes.push(compressed.len());
            }
            assert!(sizes[0] < bytes * 2 / 3 && sizes.iter().all(|size| *size == sizes[0]));
            let is_large = bytes > MAX_DECOMPRESSED_BYTES;
            assert_eq!(body.len(), if is_large { bytes + bytes / 2 } else { sizes[0] });
            for accepted in
                [None, Some(""), Some("identity"), Some("br"), Some("*"), Some("gzip;q=0")]
            {
                let sent = sent(&body, accepted).await;
                assert!(sent == (None, plain.clone()), "{accepted:?} {bytes}");
            }
            let request = TestRequest::default().to_http_request();
            let response = body.send(&request, HttpResponse::Ok()).await.unwrap();
            let sent = response.into_body().try_into_bytes().unwrap();
            assert_eq!(sent.as_ptr() == plain.as_ptr(), is_large, "a large one is shared");
        }
    }

    #[actix_web::test]
    async fn a_small_body_is_sent_as_it_is() {
        let plain = Bytes::from(vec![b' '; MIN_COMPRESSED_BYTES - 1]);
        let body = CachedBody::new(plain.clone());
        assert_eq!(body, CachedBody::Plain(plain.clone()));
        assert_eq!(sent(&body, Some("gzip")).await, (None, plain));
    }
}
