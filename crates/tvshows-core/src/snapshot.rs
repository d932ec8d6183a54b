use jiff::Timestamp;

/// Which snapshot is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SnapshotVersion {
    /// Rises with every publish that changes something; 0 before the first.
    pub number: u64,
    /// `None` before the first publish, and for a database whose last publish predates this field.
    pub published_at: Option<Timestamp>,
}

impl SnapshotVersion {
    /// A text that identifies this snapshot, even among databases that all count from 1.
    #[must_use]
    pub fn etag(&self) -> String {
        let published_at = self.published_at.map_or(0, Timestamp::as_millisecond);
        format!("{}-{published_at:x}", self.number)
    }
}
