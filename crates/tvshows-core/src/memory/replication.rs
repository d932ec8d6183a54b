use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::{Data, MemoryStore, count};
use crate::{
    Catalog, PublishedManifest, RunQueue, RunRecord, SnapshotChanges, SnapshotPosition,
    SnapshotSource, StoreError, StoredDetails, StoredShow, TopShow,
};

/// Shows in a batch: few, so that tests have several batches.
const BATCH_SHOWS: usize = 2;

#[async_trait]
impl SnapshotSource for MemoryStore {
    async fn position(&self) -> Result<SnapshotPosition, StoreError> {
        let database_id = self.database_id().await?;
        Ok(SnapshotPosition { database_id, version: self.data().version })
    }

    async fn report_replica(&self, _: &str, _: &SnapshotPosition) -> Result<(), StoreError> {
        Ok(())
    }

    async fn changes_since(
        &self,
        since: Option<&SnapshotPosition>,
    ) -> Result<SnapshotChanges, StoreError> {
        let database_id = self.database_id().await?;
        let since = since.filter(|since| since.database_id == database_id);
        let data = self.data();
        Ok(changes(&data, since, database_id))
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        Catalog::manifest(self).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        Catalog::top_shows(self, limit).await
    }

    async fn run_history(&self) -> Result<Vec<RunRecord>, StoreError> {
        let data = self.data();
        let runs = (1..).zip(&data.runs);
        Ok(runs.map(|(sequence, run)| RunRecord { sequence, status: run.clone() }).collect())
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

fn changes(data: &Data, since: Option<&SnapshotPosition>, database_id: String) -> SnapshotChanges {
    let since = since.and_then(|since| {
        data.history.iter().find_map(|(version, old)| (*version == since.version).then_some(old))
    });
    let published = &data.published;
    let is_changed = |stored: &&StoredShow| {
        since.and_then(|old| old.shows.get(&stored.show.id)).is_none_or(|old| old != *stored)
    };
    let shows: Vec<StoredShow> = published.shows.values().filter(is_changed).cloned().collect();
    let old_ids = since.into_iter().flat_map(|old| old.shows.keys());
    let batches: Vec<_> = shows.chunks(BATCH_SHOWS).map(|batch| Ok(batch.to_vec())).collect();
    let is_changed = |stored: &&StoredDetails| {
        let old = since.and_then(|old| old.details.get(&stored.details.show_id));
        old.is_none_or(|old| old != *stored)
    };
    let details: Vec<_> = published.details.values().filter(is_changed).cloned().collect();
    let details: Vec<_> = details.chunks(BATCH_SHOWS).map(|batch| Ok(batch.to_vec())).collect();
    SnapshotChanges {
        target: SnapshotPosition { database_id, version: data.version },
        show_count: count(published.shows.len()),
        is_complete: since.is_none(),
        deleted: old_ids.filter(|id| !published.shows.contains_key(id)).copied().collect(),
        top: published.top.clone(),
        detailed: published.details.keys().copied().collect(),
        shows: stream::iter(batches).boxed(),
        details: stream::iter(details).boxed(),
    }
}
