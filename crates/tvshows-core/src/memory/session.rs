use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Data, MemoryStore, Snapshot, Staging, count};
use crate::{
    ChangeCounts, FinalStatus, Ownership, RunId, RunSession, RunStatus, Show, ShowFilter, ShowId,
    StagedBatch, StagingState, StoreError, StoredDetails, StoredShow, TopShowsCriteria,
};

pub(super) struct MemorySession {
    pub(super) store: MemoryStore,
    pub(super) run: RunId,
    pub(super) attempt: u32,
}

impl MemorySession {
    /// Works on the staging area, if this attempt still owns it.
    fn with_staging<T>(
        &self,
        work: impl FnOnce(&mut Staging, &Snapshot) -> T,
    ) -> Result<T, StoreError> {
        let mut data = self.store.data();
        let Data { staging, published, .. } = &mut *data;
        let owned = staging.as_mut().filter(|staging| staging.is_owned_by(self.run, self.attempt));
        owned.map(|staging| work(staging, published)).ok_or(StoreError::Fenced)
    }
}

#[async_trait]
impl RunSession for MemorySession {
    async fn staging(&self) -> Result<StagingState, StoreError> {
        self.with_staging(|staging, published| {
            let mut snapshot = staging.next_snapshot(published).manifest();
            snapshot.details = staging.staged.manifest().details;
            if staging.is_incremental {
                let mut details = published.manifest().details;
                details.append(&mut snapshot.details);
                snapshot.details = details;
            }
            StagingState {
                is_incremental: staging.is_incremental,
                pages: staging.staged.pages.clone(),
                snapshot,
            }
        })
    }

    async fn discard_staging(&self) -> Result<(), StoreError> {
        self.with_staging(|staging, _| {
            staging.is_incremental = false;
            staging.staged = Snapshot::default();
            staging.deletions.clear();
        })
    }

    async fn record_stop(&self) -> Result<(), StoreError> {
        self.with_staging(|staging, _| staging.stalled_attempts = 0)
    }

    async fn start_incremental(&self) -> Result<(), StoreError> {
        self.with_staging(|staging, _| staging.is_incremental = true)
    }

    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        self.with_staging(|staging, _| {
            if let Some(batch) = batch {
                staging.stage(Arc::unwrap_or_clone(batch));
                staging.stalled_attempts = 0;
            }
        })?;
        self.store.data().save(status);
        Ok(())
    }

    async fn staged_show_count(&self) -> Result<u32, StoreError> {
        self.with_staging(|staging, published| count(staging.next_snapshot(published).shows.len()))
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.with_staging(|staging, published| {
            let shows = staging.next_snapshot(published).shows.into_values();
            criteria.rank(shows.map(|stored| Ok(stored.show)))
        })?
    }

    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError> {
        self.with_staging(|staging, published| {
            let shows = staging.next_snapshot(published).shows.into_values();
            let matching = shows.map(|stored| stored.show).filter(|show| filter.matches(show));
            matching.map(|show| (show.id, show.updated)).collect()
        })
    }

    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let mut next = self.with_staging(|staging, published| {
            let mut next = staging.next_snapshot(published);
            next.top = top.to_vec();
            for id in top.iter().chain(detailed) {
                let details = staging.staged.details.get(id).or_else(|| published.details.get(id));
                let Some(mut stored) = details.cloned() else { continue };
                if !detailed.contains(id) {
                    stored.details.episodes = None;
                }
                next.details.insert(*id, stored);
            }
            next
        })?;
        let mut data = self.store.data();
        let status = final_status(changes(&data.published, &next));
        if data.version.published_at.is_none() || !next.has_same_content(&data.published) {
            data.publish(next, at);
        } else {
            // The rows remain as they were published.
            for (id, stored) in &mut next.details {
                if let Some(published) = data.published.details.get(id) {
                    stored.processed_at = published.processed_at;
                }
            }
            data.published = next;
        }
        data.staging = None;
        data.save(&status);
        Ok(status)
    }
}

impl Staging {
    pub(super) fn new(run: RunId) -> Staging {
        Staging {
            run,
            attempt: 0,
            ownership: Ownership::default(),
            is_incremental: false,
            stalled_attempts: 0,
            staged: Snapshot::default(),
            deletions: BTreeSet::new(),
        }
    }

    /// Discards what the next run cannot reuse.
    pub(super) fn discard_unless_reusable(&mut self) {
        self.deletions.clear();
        self.staged.pages.clear();
        if !self.is_incremental {
            self.staged.shows.clear();
        }
    }

    pub(super) fn is_owned_by(&self, run: RunId, attempt: u32) -> bool {
        self.run == run && self.attempt == attempt
    }

    fn stage(&mut self, batch: StagedBatch) {
        match batch {
            StagedBatch::Pages { pages, at } => {
                for (page, shows) in pages {
                    self.staged.pages.insert(page, at);
                    for show in shows {
                        self.stage_unless_older(show, at);
                    }
                }
            }
            StagedBatch::Shows { shows, details, at } => {
                let stored =
                    shows.into_iter().map(|show| (show.id, StoredShow { show, processed_at: at }));
                self.staged.shows.extend(stored);
                let stored = details
                    .into_iter()
                    .map(|details| (details.show_id, StoredDetails { details, processed_at: at }));
                self.staged.details.extend(stored);
            }
            StagedBatch::Deletions(shows) => {
                for id in &shows {
                    self.staged.shows.remove(id);
                }
                self.deletions.extend(shows);
            }
        }
    }

    fn stage_unless_older(&mut self, show: Show, processed_at: Timestamp) {
        let updated = |show: &Show| show.updated.unwrap_or_default();
        let staged = self.staged.shows.get(&show.id);
        if staged.is_none_or(|staged| updated(&staged.show) <= updated(&show)) {
            self.staged.shows.insert(show.id, StoredShow { show, processed_at });
        }
    }

    /// The next snapshot's shows and pages.
    fn next_snapshot(&self, published: &Snapshot) -> Snapshot {
        let mut next = Snapshot::default();
        if self.is_incremental {
            next.pages.clone_from(&published.pages);
            next.shows.clone_from(&published.shows);
            next.shows.retain(|id, _| !self.deletions.contains(id));
        }
        next.pages.extend(&self.staged.pages);
        next.shows.extend(self.staged.shows.clone());
        next
    }
}

fn changes(before: &Snapshot, after: &Snapshot) -> ChangeCounts {
    let shared = |snapshot: &BTreeMap<ShowId, StoredShow>, is_same: bool| {
        let counted = snapshot.iter().filter(|(id, stored)| {
            before.shows.get(id).is_some_and(|old| (old.show == stored.show) == is_same)
        });
        count(counted.count())
    };
    let missing = |from: &Snapshot, of: &Snapshot| {
        count(of.shows.keys().filter(|id| !from.shows.contains_key(id)).count())
    };
    ChangeCounts {
        added: missing(before, after),
        changed: shared(&after.shows, false),
        deleted: missing(after, before),
        unchanged: shared(&after.shows, true),
    }
}
