use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a client has done since it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Requests sent, retries among them.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Answers of 429.
    pub rate_limited: u64,
    /// Bytes of the bodies received, decompressed.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    retries: AtomicU64,
    rate_limited: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn sent(&self, attempt: u32) {
        self.requests.fetch_add(1, Relaxed);
        self.retries.fetch_add(u64::from(attempt > 1), Relaxed);
    }

    pub(crate) fn was_rate_limited(&self) {
        self.rate_limited.fetch_add(1, Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            requests: self.requests.load(Relaxed),
            retries: self.retries.load(Relaxed),
            rate_limited: self.rate_limited.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
        }
    }
}
