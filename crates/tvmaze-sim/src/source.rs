use std::fmt::Debug;

use bytes::Bytes;
use jiff::civil::Date;

/// Where the bodies of responses come from.
pub(crate) trait Source: Debug + Send + Sync {
    fn page_count(&self) -> u32;

    fn page(&self, n: u32) -> Bytes;

    fn show(&self, id: u32) -> Option<Bytes>;

    fn cast(&self, id: u32) -> Option<Bytes>;

    /// All episodes, including specials.
    fn episodes(&self, id: u32) -> Option<Bytes>;

    fn seasons(&self, id: u32) -> Option<Bytes>;

    /// Every id with the Unix time of its last change, ordered by id.
    fn update_times(&self) -> Vec<(u32, u64)>;

    /// The day on which the dataset ends.
    fn today(&self) -> Date;
}
