use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PublishedManifest, StoreError};
use crate::{RunStatus, Show, ShowDetails, ShowFilter, ShowId, TopShowsCriteria};

/// One attempt at a run: it stages data and publishes all of it, or nothing.
///
/// A session prepares the next snapshot: the shows that it staged and, after
/// [`start_incremental`](Self::start_incremental), the published shows that it neither staged nor
/// deleted. No reader sees staged data.
///
/// Every write is fenced: once another run or a later attempt has begun, it fails with
/// [`StoreError::Fenced`] and changes nothing.
///
/// Every operation may be repeated after a [transient](StoreError::is_transient) error, even if it took effect: a
/// repeated write changes nothing more, except that a repeated [`publish`](Self::publish) is fenced.
#[async_trait]
pub trait RunSession: Send + Sync {
    /// Returns what earlier attempts at this run have staged, and what it reuses of a run that failed.
    async fn staging(&self) -> Result<StagingState, StoreError>;

    /// Discards everything that is staged.
    async fn discard_staging(&self) -> Result<(), StoreError>;

    /// Resets the count of [stalled attempts](super::NextRun::stalled_attempts), as a committed batch does:
    /// this attempt ends because it was asked to.
    async fn record_stop(&self) -> Result<(), StoreError>;

    /// Starts the next snapshot from the published one instead of from nothing.
    async fn start_incremental(&self) -> Result<(), StoreError>;

    /// Stages a batch, if any, and saves `status`, both or neither.
    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError>;

    /// Returns how many shows the next snapshot has.
    async fn staged_show_count(&self) -> Result<u32, StoreError>;

    /// Returns the top shows of the next snapshot, best first.
    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError>;

    /// Returns the shows of the next snapshot that match a filter, each with its `updated`.
    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError>;

    /// Publishes the next snapshot with `top` as the top shows, and saves the run's final status, all or
    /// nothing. Returns that status.
    ///
    /// It has the episodes and the casts of the shows in `detailed`, and the casts of `top`: as staged, or else as
    /// published. Of other shows, no details are published.
    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError>;
}

/// Data to stage together, in one transaction, with the time when it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub enum StagedBatch {
    /// Index pages, each a page number and its shows. If a show is staged already, the version with the
    /// later `updated` remains.
    Pages { pages: Vec<(u32, Vec<Show>)>, at: Timestamp },
    /// Shows and details of shows that were fetched individually. They replace any staged version. A show has staged
    /// details only if it is staged or published.
    Shows { shows: Vec<Show>, details: Vec<ShowDetails>, at: Timestamp },
    /// Shows that no longer exist at TVmaze.
    Deletions(Vec<ShowId>),
}

/// Makes the final status of a run that is about to be published. May be called more than once, when a
/// backend repeats its transaction.
pub type FinalStatus = Arc<dyn Fn(ChangeCounts) -> RunStatus + Send + Sync>;

/// How many shows a publish changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChangeCounts {
    /// Shows that publishing added.
    pub added: u32,
    /// Shows that publishing changed.
    pub changed: u32,
    /// Shows that publishing deleted.
    pub deleted: u32,
    /// Shows that publishing left unchanged.
    pub unchanged: u32,
}

/// What is staged when an attempt at a run begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StagingState {
    /// Whether the next snapshot starts from the published one.
    pub is_incremental: bool,
    /// When each staged index page was fetched.
    pub pages: BTreeMap<u32, Timestamp>,
    /// The next snapshot as staged so far.
    pub snapshot: PublishedManifest,
}
