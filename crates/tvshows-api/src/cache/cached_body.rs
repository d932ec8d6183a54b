//! Bodies of responses as they are cached: most lists compressed, so that more of them fit.

use std::io::{self, Read, Write};
use std::ops::RangeInclusive;

use actix_web::http::header::{ACCEPT_ENCODING, AcceptEncoding, ContentEncoding, Encoding, Header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The sizes of bodies that are compressed. Smaller ones are quicker to send than to decompress for a client that does not
/// accept gzip. Larger ones are shared by all clients that do not read them, which a copy for each client would prevent.
const COMPRESSED_BYTES: RangeInclusive<usize> = 8 * 1024..=128 * 1024;

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
    pub(crate) fn new(body: Bytes) -> CachedBody {
        let plain_length = body.len();
        if !COMPRESSED_BYTES.contains(&plain_length) {
            return CachedBody::Plain(body);
        }
        match compress(&body) {
            Ok(compressed) => CachedBody::Gzip { compressed, plain_length },
            Err(_) => CachedBody::Plain(body),
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
            body @ CachedBody::Gzip { .. } => Ok(response.body(body.decompress()?)),
        }
    }

    fn decompress(self) -> io::Result<Bytes> {
        match self {
            CachedBody::Plain(body) => Ok(body),
            CachedBody::Gzip { compressed, plain_length } => {
                let mut plain = Vec::with_capacity(plain_length);
                GzDecoder::new(&compressed[..]).read_to_end(&mut plain)?;
                Ok(plain.into())
            }
        }
    }
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
    use actix_web::body::to_bytes;
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
    async fn a_large_body_is_compressed_and_each_client_can_read_it() {
        let plain = Bytes::from(r#"{"name":"Girls"},"#.repeat(1000));
        let body = CachedBody::new(plain.clone());
        assert!(body.len() < plain.len() / 10);
        for accepted in
            ["gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.5", "identity;q=0, gzip"]
        {
            let (encoding, compressed) = sent(&body, Some(accepted)).await;
            assert_eq!((encoding.as_deref(), compressed.len()), (Some("gzip"), body.len()));
            let mut decompressed = String::new();
            GzDecoder::new(&compressed[..]).read_to_string(&mut decompressed).unwrap();
            assert_eq!(decompressed, plain, "{accepted}");
        }
        for accepted in [None, Some(""), Some("identity"), Some("br"), Some("*"), Some("gzip;q=0")]
        {
            assert_eq!(sent(&body, accepted).await, (None, plain.clone()), "{accepted:?}");
        }
    }

    #[actix_web::test]
    async fn a_small_or_very_large_body_is_sent_as_it_is() {
        for bytes in [COMPRESSED_BYTES.start() - 1, COMPRESSED_BYTES.end() + 1] {
            let plain = Bytes::from(vec![b' '; bytes]);
            let body = CachedBody::new(plain.clone());
            assert_eq!(body, CachedBody::Plain(plain.clone()));
            assert_eq!(sent(&body, Some("gzip")).await, (None, plain));
        }
    }
}
