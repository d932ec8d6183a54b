//! A store that is unavailable for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::{Instant, pause, resume};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Enqueued, Episode, EpisodeKey, FinalStatus, LockError,
    LockExpiry, MakeRowWriter, MultiCharacterActor, NextRun, Ownership, PublishedManifest, RunId,
    RunLock, RunQueue, RunSession, RunStatus, Schedule, ScheduleQuery, Show, ShowDetails,
    ShowFilter, ShowId, ShowKey, ShowPage, ShowQuery, ShowStats, SnapshotVersion, StagedBatch,
    StagingState, StoreError, StoreHealth, Table, TopShow, TopShowsCriteria,
};

pub(crate) type MakeError = fn() -> StoreError;

/// A store in memory that loses its connection once, in the middle of one kind of operation. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    planned: Option<Outage>,
    publish_fault: Option<PublishFault>,
    failing: Option<(&'static str, MakeError)>,
    /// When the connection was lost, and for how long.
    away: Option<(Instant, Duration)>,
    /// The paths of what was staged before the outage.
    staged: BTreeSet<String>,
    queue_operations: u32,
    lock_operations: u32,
}

/// When the connection is lost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    /// The name of the method.
    pub(crate) operation: &'static str,
    /// How many of these operations succeed before.
    pub(crate) after: usize,
    pub(crate) duration: Duration,
    /// Whether the operation takes effect, and only its response is lost.
    pub(crate) takes_effect: bool,
}

/// A publish that takes effect and fails.
pub(crate) struct PublishFault {
    /// The process that it is done in the name of, if it is another one.
    pub(crate) instance: Option<&'static str>,
    pub(crate) error: MakeError,
}

impl FaultyStore {
    pub(crate) fn plan_publish(&self, fault: PublishFault) {
        self.shared().publish_fault = Some(fault);
    }

    /// Makes all operations of one kind fail without taking effect.
    pub(crate) fn fail(&self, operation: &'static str, error: MakeError) {
        self.shared().failing = Some((operation, error));
    }

    pub(crate) fn recover(&self) {
        self.shared().failing.take().expect("a failure");
    }

    pub(crate) fn plan(&self, outage: Outage) {
        self.shared().planned = Some(outage);
    }

    /// Ends an outage, which must have begun.
    pub(crate) fn end_outage(&self) {
        self.shared().away.take().expect("an outage");
        resume();
    }

    pub(crate) fn is_away(&self) -> bool {
        self.shared().away.is_some()
    }

    /// Whether a planned outage has not begun.
    pub(crate) fn is_pending(&self) -> bool {
        self.shared().planned.is_some()
    }

    pub(crate) fn staged_before_outage(&self) -> BTreeSet<String> {
        self.shared().staged.clone()
    }

    /// How many operations of the queue and of the lock there were.
    pub(crate) fn operations(&self) -> (u32, u32) {
        let shared = self.shared();
        (shared.queue_operations, shared.lock_operations)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    async fn perform<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let takes_effect = {
            let mut shared = self.shared();
            shared.queue_operations += 1;
            if let Some((_, error)) = shared.failing.filter(|(failing, _)| *failing == operation) {
                return Err(error());
            }
            shared.advance(operation)
        };
        match takes_effect {
            None => work.await,
            Some(false) => Err(unreachable()),
            Some(true) => {
                work.await?;
                Err(unreachable())
            }
        }
    }
}

pub(crate) fn unreachable() -> StoreError {
    StoreError::Unreachable { backend: "a server".into(), source: "it is away".into() }
}

impl Shared {
    /// Starts and ends the outage. Returns whether the operation takes effect, if its response is lost.
    ///
    /// Time is virtual during an outage.
    fn advance(&mut self, operation: &'static str) -> Option<bool> {
        if let Some((since, duration)) = self.away {
            if since.elapsed() < duration {
                return Some(false);
            }
            self.away = None;
            resume();
        }
        let outage = self.planned.as_mut().filter(|outage| outage.operation == operation)?;
        if outage.after > 0 {
            outage.after -= 1;
            return None;
        }
        let Outage { duration, takes_effect, .. } = *outage;
        self.planned = None;
        pause();
        self.away = Some((Instant::now(), duration));
        Some(takes_effect)
    }

    fn record(&mut self, batch: &StagedBatch) {
        if self.planned.is_none() {
            return;
        }
        match batch {
            StagedBatch::Pages { pages, .. } => {
                self.staged.extend(pages.iter().map(|(page, _)| format!("/shows?page={page}")));
            }
            StagedBatch::Shows { shows, details, .. } => {
                let came_with_details =
                    |show: &&Show| details.iter().any(|details| details.show_id == show.id);
                let alone = shows.iter().filter(|show| !came_with_details(show));
                self.staged.extend(alone.map(|show| format!("/shows/{}", show.id)));
                self.staged.extend(details.iter().map(
                    |ShowDetails { show_id, episodes, .. }| match episodes {
                        Some(_) => {
                            format!("/shows/{show_id}?embed%5B%5D=episodes&embed%5B%5D=cast")
                        }
                        None => format!("/shows/{show_id}/cast"),
                    },
                ));
            }
            StagedBatch::Deletions(_) => {}
        }
    }
}

struct FaultySession {
    inner: Box<dyn RunSession>,
    store: FaultyStore,
}

#[async_trait]
impl RunSession for FaultySession {
    async fn staging(&self) -> Result<StagingState, StoreError> {
        self.store.perform("staging", self.inner.staging()).await
    }

    async fn discard_staging(&self) -> Result<(), StoreError> {
        self.store.perform("discard_staging", self.inner.discard_staging()).await
    }

    async fn record_stop(&self) -> Result<(), StoreError> {
        self.store.perform("record_stop", self.inner.record_stop()).await
    }

    async fn start_incremental(&self) -> Result<(), StoreError> {
        self.store.perform("start_incremental", self.inner.start_incremental()).await
    }

    async fn commit(
        &self,
        batch: Option<Arc<StagedBatch>>,
        status: &RunStatus,
    ) -> Result<(), StoreError> {
        self.store.perform("commit", self.inner.commit(batch.clone(), status)).await?;
        if let Some(batch) = batch {
            self.store.shared().record(&batch);
        }
        Ok(())
    }

    async fn staged_show_count(&self) -> Result<u32, StoreError> {
        self.store.perform("staged_show_count", self.inner.staged_show_count()).await
    }

    async fn rank_staged(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        self.store.perform("rank_staged", self.inner.rank_staged(criteria)).await
    }

    async fn matching_shows(
        &self,
        filter: ShowFilter,
    ) -> Result<BTreeMap<ShowId, Option<i64>>, StoreError> {
        self.store.perform("matching_shows", self.inner.matching_shows(filter)).await
    }

    async fn publish(
        &self,
        top: &[ShowId],
        detailed: &[ShowId],
        at: Timestamp,
        final_status: FinalStatus,
    ) -> Result<RunStatus, StoreError> {
        let fault = self.store.shared().publish_fault.take();
        if let Some(PublishFault { instance, error }) = fault {
            let as_instance: FinalStatus = Arc::new(move |changes| {
                let status = final_status(changes);
                let instance = instance.map_or(status.instance, str::to_owned);
                RunStatus { instance, ..status }
            });
            self.inner.publish(top, detailed, at, as_instance).await?;
            return Err(error());
        }
        self.store.perform("publish", self.inner.publish(top, detailed, at, final_status)).await
    }
}

#[async_trait]
impl RunQueue for FaultyStore {
    async fn database_id(&self) -> Result<String, StoreError> {
        self.perform("database_id", self.inner.database_id()).await
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        self.perform("enqueue", self.inner.enqueue(status, except, max_waiting)).await
    }

    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError> {
        self.perform("next", self.inner.next(except)).await
    }

    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        self.perform("list", self.inner.list(limit)).await
    }

    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        self.perform("get", self.inner.get(run)).await
    }

    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.perform("save_status", self.inner.save_status(status)).await
    }

    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError> {
        self.perform("finish_unpublished", self.inner.finish_unpublished(status)).await
    }

    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError> {
        let inner = self.perform("begin", self.inner.begin(status, ownership)).await?;
        Ok(Box::new(FaultySession { inner, store: self.clone() }))
    }

    async fn close(&self) {}
}

#[async_trait]
impl RunLock for FaultyStore {
    async fn acquire(&self, holder: &str, evict: Option<&str>) -> Result<bool, LockError> {
        self.shared().lock_operations += 1;
        self.inner.acquire(holder, evict).await
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        self.shared().lock_operations += 1;
        self.inner.renew(holder).await
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        self.shared().lock_operations += 1;
        self.inner.holder().await
    }

    async fn release(&self, holder: &str) {
        self.shared().lock_operations += 1;
        self.inner.release(holder).await;
    }

    fn expiry(&self) -> LockExpiry {
        self.inner.expiry()
    }
}

#[async_trait]
impl DetailsCatalog for FaultyStore {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        self.inner.cast(show).await
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        self.inner.episodes(show).await
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        self.inner.find_episodes(key).await
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        self.inner.schedule(query).await
    }
}

#[async_trait]
impl Catalog for FaultyStore {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        self.inner.snapshot_version().await
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        self.inner.shows(query).await
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        self.inner.show(key).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.inner.top_shows(limit).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.inner.multi_character_actors().await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        self.inner.stats().await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        self.perform("manifest", self.inner.manifest()).await
    }

    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError> {
        self.inner.export(table, filter, rows).await
    }

    async fn backup_to(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError> {
        self.inner.backup_to(file).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        self.inner.health().await
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.integrity_check().await
    }
}
