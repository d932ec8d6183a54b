//! The ports: one trait per role, implemented by the backends around this crate.

mod catalog;
mod error;
mod progress;
mod replication;
mod run_lock;
mod run_queue;
mod run_session;

pub use catalog::{
    Catalog, DetailsCatalog, MultiCharacterActor, PublishedManifest, ReplicaHealth, ShowVersion,
    StoreHealth, TopShow,
};
pub use error::{StoreError, TrackerError};
pub use progress::ProgressTracker;
pub use replication::{RunRecord, SnapshotChanges, SnapshotCopy, SnapshotPosition, SnapshotSource};
pub use run_lock::{LOCK_TTL, LockError, LockExpiry, RunLock};
pub use run_queue::{Enqueued, NextRun, Ownership, RunQueue};
pub use run_session::{ChangeCounts, FinalStatus, RunSession, StagedBatch, StagingState};
