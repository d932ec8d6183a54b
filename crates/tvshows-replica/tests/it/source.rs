//! A shared database in memory, with faults.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::{StreamExt, stream};
use tokio::time::Instant;
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    PublishedManifest, RunRecord, SnapshotChanges, SnapshotPosition, SnapshotSource, StoreError,
    TopShow,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server does not answer.
    Unreachable,
    /// The connection is lost after the first batch of shows.
    CutShort,
    /// Nothing arrives after the first batch of shows.
    Hanging,
    /// Changes cannot be read.
    Corrupt,
}

/// Clones share everything.
#[derive(Clone, Default)]
pub(crate) struct FaultySource {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    store: MemoryStore,
    fault: Option<Fault>,
    polls: u32,
    /// For each request for changes, whether the answer was complete.
    changes: Vec<bool>,
    reports: Vec<(String, SnapshotPosition, Instant)>,
}

impl FaultySource {
    pub(crate) fn store(&self) -> MemoryStore {
        self.with(|inner| inner.store.clone())
    }

    /// Replaces the database by another one.
    pub(crate) fn replace_store(&self, store: MemoryStore) {
        self.with(|inner| inner.store = store);
    }

    pub(crate) fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        self.with(|inner| inner.fault = fault.into());
    }

    pub(crate) fn polls(&self) -> u32 {
        self.with(|inner| inner.polls)
    }

    /// For each request for changes since the last call, whether the answer was complete.
    pub(crate) fn take_changes(&self) -> Vec<bool> {
        self.with(|inner| std::mem::take(&mut inner.changes))
    }

    /// The reports since the last call.
    pub(crate) fn take_reports(&self) -> Vec<(String, SnapshotPosition, Instant)> {
        self.with(|inner| std::mem::take(&mut inner.reports))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap())
    }

    fn reach(&self) -> Result<MemoryStore, StoreError> {
        self.with(|inner| match inner.fault {
            Some(Fault::Unreachable) => Err(unreachable()),
            _ => Ok(inner.store.clone()),
        })
    }
}

fn unreachable() -> StoreError {
    StoreError::Unreachable { backend: "the test".into(), source: "it is away".into() }
}

#[async_trait]
impl SnapshotSource for FaultySource {
    async fn position(&self) -> Result<SnapshotPosition, StoreError> {
        self.with(|inner| inner.polls += 1);
        self.reach()?.position().await
    }

    async fn report_replica(
        &self,
        replica: &str,
        has: &SnapshotPosition,
    ) -> Result<(), StoreError> {
        self.reach()?;
        let report = (replica.to_owned(), has.clone(), Instant::now());
        self.with(|inner| inner.reports.push(report));
        Ok(())
    }

    async fn changes_since(
        &self,
        since: Option<&SnapshotPosition>,
    ) -> Result<SnapshotChanges, StoreError> {
        let mut changes = self.reach()?.changes_since(since).await?;
        let fault = self.with(|inner| {
            inner.changes.push(changes.is_complete);
            inner.fault
        });
        match fault {
            Some(Fault::CutShort) => {
                let cut = stream::once(async { Err(unreachable()) });
                changes.shows = changes.shows.take(1).chain(cut).boxed();
            }
            Some(Fault::Hanging) => {
                changes.shows = changes.shows.take(1).chain(stream::pending()).boxed();
            }
            Some(Fault::Corrupt) => return Err(StoreError::CorruptRow { what: "a test".into() }),
            _ => {}
        }
        Ok(changes)
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        SnapshotSource::manifest(&self.reach()?).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        SnapshotSource::top_shows(&self.reach()?, limit).await
    }

    async fn run_history(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.reach()?.run_history().await
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.reach()?;
        Ok(vec!["a defect of the source".into()])
    }
}
