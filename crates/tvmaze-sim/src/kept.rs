use std::sync::OnceLock;

use bytes::Bytes;

use crate::encoding::Encoding;

/// A body that is rendered once, and kept only in the forms that were asked for.
///
/// A catalogue of 90,000 shows is 120 MB of pages as they are but a fraction of that compressed,
/// so a client that takes gzip must not cost the plain form too.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    plain: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Kept {
    /// The body, if it is there without any work.
    pub(crate) fn ready(&self, encoding: Encoding) -> Option<Bytes> {
        self.form(encoding).get().cloned()
    }

    /// The body; the first caller renders it and the others wait for that.
    pub(crate) fn get(&self, encoding: Encoding, render: impl FnOnce() -> Bytes) -> Bytes {
        self.form(encoding)
            .get_or_init(|| match encoding {
                Encoding::Identity => render(),
                Encoding::Gzip => encoding.encode(self.plain.get().cloned().unwrap_or_else(render)),
            })
            .clone()
    }

    fn form(&self, encoding: Encoding) -> &OnceLock<Bytes> {
        match encoding {
            Encoding::Identity => &self.plain,
            Encoding::Gzip => &self.gzip,
        }
    }
}
