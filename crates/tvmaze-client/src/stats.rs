use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of a client's requests since it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Requests sent, including retries.
    pub requests: u64,
    /// Requests that repeated a failed one, including after a 429.
    pub retries: u64,
    /// 429 responses.
    pub rate_limited: u64,
    /// Bytes of response bodies received, decompressed.
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
    pub(crate) fn record_request(&self, attempt: u32) {
        self.requests.fetch_add(1, Relaxed);
        self.retries.fetch_add(u64::from(attempt > 1), Relaxed);
    }

    pub(crate) fn record_429(&self) {
        self.rate_limited.fetch_add(1, Relaxed);
    }

    pub(crate) fn record_bytes(&self, bytes: usize) {
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
