use std::sync::OnceLock;

use bytes::Bytes;

use crate::encoding::Encoding;

/// A body that is rendered at most once, and stored only in the encodings that were requested.
///
/// The pages of 90,000 shows are 120 MB uncompressed and a fraction of that compressed, so a client
/// that accepts gzip must not make the server store the uncompressed pages as well.
#[derive(Debug, Default)]
pub(crate) struct CachedBody {
    plain: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl CachedBody {
    /// The body, if it has been rendered in this encoding.
    pub(crate) fn peek(&self, encoding: Encoding) -> Option<Bytes> {
        self.slot(encoding).get().cloned()
    }

    /// The body; the first caller renders it while concurrent callers wait.
    pub(crate) fn get_or_render(
        &self,
        encoding: Encoding,
        render: impl FnOnce() -> Bytes,
    ) -> Bytes {
        self.slot(encoding)
            .get_or_init(|| match encoding {
                Encoding::Identity => render(),
                Encoding::Gzip => encoding.encode(self.plain.get().cloned().unwrap_or_else(render)),
            })
            .clone()
    }

    fn slot(&self, encoding: Encoding) -> &OnceLock<Bytes> {
        match encoding {
            Encoding::Identity => &self.plain,
            Encoding::Gzip => &self.gzip,
        }
    }
}
