//! An in-memory backend for every storage port, as a reference and for fast tests.

mod catalog;
mod list;
mod queue;
mod replication;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    CastMember, Episode, LockError, LockExpiry, Ownership, PublishedManifest, RunId, RunLock,
    RunStatus, Show, ShowDetails, ShowId, ShowVersion, SnapshotVersion, StoredDetails, StoredShow,
};

/// Shows and runs in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
}

#[derive(Default)]
struct Data {
    version: SnapshotVersion,
    published: Snapshot,
    /// The last snapshots, oldest first, for copies that have one of them.
    history: VecDeque<(SnapshotVersion, Snapshot)>,
    /// In the order of their requests.
    runs: Vec<RunStatus>,
    staging: Option<Staging>,
    lock_holder: Option<String>,
}

#[derive(Clone, Default)]
struct Snapshot {
    shows: BTreeMap<ShowId, StoredShow>,
    pages: BTreeMap<u32, Timestamp>,
    /// Best first.
    top: Vec<ShowId>,
    details: BTreeMap<ShowId, StoredDetails>,
}

/// What the run in progress has staged, or what the next run can reuse.
struct Staging {
    run: RunId,
    attempt: u32,
    ownership: Ownership,
    is_incremental: bool,
    stalled_attempts: u32,
    staged: Snapshot,
    deletions: BTreeSet<ShowId>,
}

impl MemoryStore {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshot {
    /// Whether two snapshots differ in nothing but the times when their rows were fetched.
    fn has_same_content(&self, other: &Snapshot) -> bool {
        let shows = |snapshot: &Snapshot| -> Vec<Show> {
            snapshot.shows.values().map(|stored| stored.show.clone()).collect()
        };
        let details = |snapshot: &Snapshot| -> Vec<ShowDetails> {
            let details = snapshot.details.values().map(|stored| stored.details.clone());
            details.map(|details| ShowDetails { updated: None, ..details }).collect()
        };
        self.top == other.top && shows(self) == shows(other) && details(self) == details(other)
    }

    /// The casts of the top shows, best first.
    fn top_cast(&self) -> impl Iterator<Item = &CastMember> {
        let details = self.top.iter().filter_map(|id| self.details.get(id));
        details.flat_map(|stored| &stored.details.cast)
    }

    fn manifest(&self) -> PublishedManifest {
        let version =
            |stored: &StoredShow| ShowVersion::new(stored.show.updated, stored.processed_at);
        PublishedManifest {
            shows: self.shows.iter().map(|(id, stored)| (*id, version(stored))).collect(),
            pages: self.pages.clone(),
            details: self
                .details
                .iter()
                .map(|(id, stored)| (*id, stored.details.version()))
                .collect(),
        }
    }
}

/// How many snapshots a copy can be behind before it is filled again.
const MAX_HISTORY: usize = 3;

impl Data {
    /// Replaces the published snapshot with one of another content.
    fn publish(&mut self, next: Snapshot, at: Timestamp) {
        self.version = SnapshotVersion { number: self.version.number + 1, published_at: Some(at) };
        self.published = next;
        self.history.push_back((self.version, self.published.clone()));
        if self.history.len() > MAX_HISTORY {
            self.history.pop_front();
        }
    }
}

impl StoredDetails {
    fn episodes(&self) -> &[Episode] {
        self.details.episodes.as_deref().unwrap_or_default()
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[async_trait]
impl RunLock for MemoryStore {
    async fn acquire(&self, holder: &str, _evict: Option<&str>) -> Result<bool, LockError> {
        let mut data = self.data();
        let present = data.lock_holder.get_or_insert_with(|| holder.to_owned());
        Ok(present == holder)
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        Ok(self.data().lock_holder.as_deref() == Some(holder))
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        Ok(self.data().lock_holder.clone())
    }

    async fn release(&self, holder: &str) {
        self.data().lock_holder.take_if(|present| present == holder);
    }

    fn expiry(&self) -> LockExpiry {
        LockExpiry::WithProcess
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    fn new() -> std::future::Ready<Box<MemoryStore>> {
        std::future::ready(Box::default())
    }

    crate::store_conformance!(new);
}
