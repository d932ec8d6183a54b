use std::io;

use async_trait::async_trait;
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Episode, EpisodeKey, MakeRowWriter, MultiCharacterActor,
    PublishedManifest, Schedule, ScheduleQuery, Show, ShowFilter, ShowId, ShowKey, ShowMap,
    ShowPage, ShowQuery, ShowStats, SnapshotVersion, StoreError, StoreHealth, Table, TopShow,
};

use crate::ReplicaCatalog;

#[async_trait]
impl Catalog for ReplicaCatalog {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        self.readable_copy()?.snapshot_version().await
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        self.readable_copy()?.shows(query).await
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        self.readable_copy()?.show(key).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.readable_copy()?.top_shows(limit).await
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        self.readable_copy()?.multi_character_actors().await
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        self.readable_copy()?.stats().await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        self.source.manifest().await
    }

    async fn last_changes(&self) -> Result<ShowMap<i64>, StoreError> {
        self.readable_copy()?.last_changes().await
    }

    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError> {
        let copy = self.readable_copy()?;
        if table == Table::Runs {
            self.copy_run_history().await;
        }
        copy.export(table, filter, rows).await
    }

    async fn backup_to(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError> {
        let copy = self.readable_copy()?;
        self.copy_run_history().await;
        copy.backup_to(file).await
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        let health = self.readable_copy()?.health().await?;
        Ok(StoreHealth { replica: Some(self.replica_health()), ..health })
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        let mut defects = self.source.integrity_check().await?;
        let of_copy = self.copy()?.integrity_check().await?;
        defects.extend(of_copy.into_iter().map(|defect| format!("the local copy: {defect}")));
        Ok(defects)
    }
}

#[async_trait]
impl DetailsCatalog for ReplicaCatalog {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        self.readable_copy()?.cast(show).await
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        self.readable_copy()?.episodes(show).await
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        self.readable_copy()?.find_episodes(key).await
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        self.readable_copy()?.schedule(query).await
    }
}
