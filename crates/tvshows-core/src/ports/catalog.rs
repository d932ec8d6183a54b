use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::StoreError;
use crate::{
    CastRow, DetailsVersion, Episode, EpisodeKey, MakeRowWriter, Schedule, ScheduleQuery, Show,
    ShowFilter, ShowId, ShowKey, ShowMap, ShowPage, ShowQuery, ShowStats, SnapshotVersion, Table,
};

/// The published snapshot, read-only.
///
/// The data changes only when a [`RunSession`](super::RunSession) publishes; each method reads one
/// snapshot.
#[async_trait]
pub trait Catalog: DetailsCatalog {
    /// Returns the version of the published snapshot.
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError>;

    /// Returns one page of the shows that match a query.
    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError>;

    /// Returns a show, or `None` if it does not exist. If several shows have the same external id, it is the one with
    /// the lowest id.
    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError>;

    /// Returns the first `limit` top shows, best first.
    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError>;

    /// Returns the people with more than one distinct character in the stored casts, most characters
    /// first.
    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError>;

    /// Returns counts over all shows.
    async fn stats(&self) -> Result<ShowStats, StoreError>;

    /// Returns what planning the next run needs to know about the snapshot.
    async fn manifest(&self) -> Result<PublishedManifest, StoreError>;

    /// Returns TVmaze's Unix time of the last change of each show; 0 if it is unknown.
    async fn last_changes(&self) -> Result<ShowMap<i64>, StoreError> {
        let shows = self.manifest().await?.shows.into_iter();
        Ok(shows.map(|(id, version)| (id, version.updated().unwrap_or_default())).collect())
    }

    /// Writes the rows of a table, all from one snapshot, while others read and publish. Of `All_Shows`, these
    /// are the rows that match `filter`; other tables are written as a whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyExports`] immediately if the limit of concurrent exports is reached;
    /// [`StoreError::ExportAborted`] if the writer fails.
    async fn export(
        &self,
        table: Table,
        filter: ShowFilter,
        rows: MakeRowWriter,
    ) -> Result<(), StoreError>;

    /// Writes a consistent copy of the published tables and the run history, as an SQLite database.
    ///
    /// # Errors
    ///
    /// The same as [`export`](Self::export).
    async fn backup_to(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError>;

    /// Returns the state of the store, or an error if the data cannot be read.
    async fn health(&self) -> Result<StoreHealth, StoreError>;

    /// Checks all stored data and returns a description of each defect; empty if it is intact.
    ///
    /// Takes about a second for the whole catalog.
    async fn integrity_check(&self) -> Result<Vec<String>, StoreError>;
}

/// The casts and episodes of the published snapshot, read-only.
#[async_trait]
pub trait DetailsCatalog: Send + Sync {
    /// Returns the stored cast of a show in TVmaze's order; `None` if it is not stored.
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError>;

    /// Returns the stored episodes of a show in TVmaze's order; `None` if they are not stored.
    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError>;

    /// Returns the stored episodes with a key in TVmaze's order; `None` if the episodes of its show are not stored.
    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError>;

    /// Returns the stored episodes that air on certain days.
    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError>;
}

/// The state of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreHealth {
    /// The schema version.
    pub schema: u32,
    /// Whether this process can write to it, and there is space for more than a few rows.
    pub is_writable: bool,
    pub database_bytes: u64,
    /// The size of the write-ahead log; `None` for a backend without one.
    pub wal_bytes: Option<u64>,
    /// The free disk space; `None` if it is unknown.
    pub free_bytes: Option<u64>,
    /// `None` for a database that is not a copy of another one.
    pub replica: Option<ReplicaHealth>,
}

/// How current the copy of a shared database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaHealth {
    /// How many snapshots the copy lacks, as far as this process knows.
    pub snapshots_behind: u64,
    /// How long ago the shared database last answered.
    pub last_contact: Duration,
}

/// What planning the next run needs to know about the published snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedManifest {
    pub shows: ShowMap<ShowVersion>,
    /// When each index page was last fetched. Pages that were never fetched are missing.
    pub pages: BTreeMap<u32, Timestamp>,
    /// The shows with stored details.
    pub details: BTreeMap<ShowId, DetailsVersion>,
}

/// The version of a show. Small, because there is one for each show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowVersion {
    updated: i64,
    is_updated_known: bool,
    /// Unix time.
    fetched_at: u32,
}

impl ShowVersion {
    /// Creates a version. Of the time when it was fetched, only the whole seconds are kept.
    #[must_use]
    pub fn new(updated: Option<i64>, fetched_at: Timestamp) -> ShowVersion {
        let fetched_at = fetched_at.as_second().clamp(0, u32::MAX.into());
        ShowVersion {
            updated: updated.unwrap_or_default(),
            is_updated_known: updated.is_some(),
            fetched_at: u32::try_from(fetched_at).unwrap_or_default(),
        }
    }

    /// TVmaze's Unix time of the show's last change.
    #[must_use]
    pub fn updated(self) -> Option<i64> {
        self.is_updated_known.then_some(self.updated)
    }

    #[must_use]
    pub fn fetched_at(self) -> Timestamp {
        Timestamp::from_second(self.fetched_at.into()).unwrap_or_default()
    }
}

/// A top show.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(example = json!({
    "id": 82, "name": "Game of Thrones", "rating": 8.9, "premiered": "2011-04-17",
}))]
pub struct TopShow {
    /// The show's id at TVmaze.
    pub id: ShowId,
    /// The show's name.
    pub name: String,
    /// The average rating: 0 to 10, at most one decimal place.
    pub rating: Option<f64>,
    /// The premiere date, `YYYY-MM-DD`.
    pub premiered: Option<String>,
}

/// A person who plays several characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(example = json!({"person_name": "Tatiana Maslany", "character_count": 11}))]
pub struct MultiCharacterActor {
    /// The person's name.
    pub person_name: String,
    /// Distinct characters that the person plays in the top shows.
    pub character_count: u32,
}
