use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// The content coding of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Gzip if the request accepts it, otherwise identity.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Self {
        let gzip = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(accepts_gzip);
        if gzip { Self::Gzip } else { Self::Identity }
    }

    pub(crate) fn encode(self, plain: Bytes) -> Bytes {
        match self {
            Self::Identity => plain,
            Self::Gzip => gzip(&plain),
        }
    }
}

fn accepts_gzip(coding: &str) -> bool {
    let (name, parameter) = coding.split_once(';').unwrap_or((coding, ""));
    let is_refused = parameter
        .trim()
        .strip_prefix("q=")
        .and_then(|quality| quality.parse::<f32>().ok())
        .is_some_and(|quality| quality <= 0.0);
    matches!(name.trim(), "gzip" | "*") && !is_refused
}

fn gzip(plain: &[u8]) -> Bytes {
    // The default compression level of nginx, which serves TVmaze, is 1.
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .expect("writing to a vector cannot fail")
        .into_boxed_slice()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        let cases = [
            ("gzip", Encoding::Gzip),
            ("br;q=1.0, gzip;q=0.5", Encoding::Gzip),
            ("*", Encoding::Gzip),
            ("gzip; q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("", Encoding::Identity),
        ];
        for (value, encoding) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().expect(value))]);
            assert_eq!(Encoding::negotiate(&headers), encoding, "{value}");
        }
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Encoding::Identity);
    }
}
