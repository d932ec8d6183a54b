use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{PublishedManifest, StoreError, TopShow};
use crate::{Catalog, RunStatus, ShowId, SnapshotVersion, StoredDetails, StoredShow};

/// A shared store whose published snapshots are copied by replicas.
#[async_trait]
pub trait SnapshotSource: Send + Sync {
    /// Returns the position of the published snapshot. Cheap: replicas ask several times a second.
    async fn position(&self) -> Result<SnapshotPosition, StoreError>;

    /// Records which snapshot the copy of `replica` has. A publish waits, for a second at most, until each replica
    /// that reported in the last three seconds has the new one.
    async fn report_replica(&self, replica: &str, has: &SnapshotPosition)
    -> Result<(), StoreError>;

    /// Returns how the published snapshot differs from the one at `since`, all from one snapshot. Everything, if
    /// `since` is `None` or is not a snapshot of this store that it still knows: the store may have been restored, or
    /// have lost its last publish in a failover.
    async fn changes_since(
        &self,
        since: Option<&SnapshotPosition>,
    ) -> Result<SnapshotChanges, StoreError>;

    /// Returns what planning the next run needs to know about the snapshot.
    async fn manifest(&self) -> Result<PublishedManifest, StoreError>;

    /// Returns the first `limit` top shows, best first, for a process without a copy.
    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError>;

    /// Returns the whole history of runs, oldest first.
    async fn run_history(&self) -> Result<Vec<RunRecord>, StoreError>;

    /// Checks all stored data and returns a description of each defect; empty if it is intact.
    async fn integrity_check(&self) -> Result<Vec<String>, StoreError>;
}

/// A catalog that holds a copy of another store's snapshot. It can be deleted at any time.
#[async_trait]
pub trait SnapshotCopy: Catalog {
    /// Returns the position of the snapshot that was last applied, or `None` if the copy is empty.
    async fn position(&self) -> Result<Option<SnapshotPosition>, StoreError>;

    /// Publishes the snapshot that `changes` lead to, all or nothing.
    async fn apply(&self, changes: SnapshotChanges) -> Result<(), StoreError>;

    /// Replaces the history of runs.
    async fn replace_run_history(&self, runs: Vec<RunRecord>) -> Result<(), StoreError>;

    /// Closes the copy. Best effort.
    async fn close(&self);
}

/// A snapshot among those of all databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPosition {
    /// The [id](super::RunQueue::database_id) of the database that published it.
    pub database_id: String,
    pub version: SnapshotVersion,
}

/// How a snapshot differs from an earlier one.
pub struct SnapshotChanges {
    /// The snapshot that the changes lead to.
    pub target: SnapshotPosition,
    /// How many shows it has, so that a copy that lacks some is noticed.
    pub show_count: u32,
    /// Whether `shows` and `details` are all of them, rather than those that were added or changed.
    pub is_complete: bool,
    /// The shows that were deleted; empty if the changes are complete.
    pub deleted: Vec<ShowId>,
    /// All top shows, best first. Their `processed_at` is the time of the publish.
    pub top: Vec<ShowId>,
    /// All shows with details, in ascending order.
    pub detailed: Vec<ShowId>,
    /// Batches of shows, in no particular order.
    pub shows: BoxStream<'static, Result<Vec<StoredShow>, StoreError>>,
    /// Batches of the details that were added or changed, or of all, in no particular order. They may arrive only once
    /// all of `shows` were read.
    pub details: BoxStream<'static, Result<Vec<StoredDetails>, StoreError>>,
}

/// A row of the history of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Rises with each request for a run.
    pub sequence: u64,
    pub status: RunStatus,
}
