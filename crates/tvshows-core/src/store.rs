use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    CastMember, CastRow, MakeRowWriter, RunId, RunStatus, Show, ShowId, ShowPage, ShowQuery,
    ShowStats, SnapshotVersion, Table, TopShowsCriteria,
};

/// Where shows, casts and the history of runs last.
///
/// Readers see the three published tables only, and those change in [`publish`](Self::publish) alone.
/// Everything that a run writes before lies in a staging area that no reader sees.
///
/// A run prepares a *snapshot*, which is what it publishes: the shows that it staged and, after
/// [`keep_published`](Self::keep_published), the published ones that it neither staged nor dropped.
///
/// The history is also the queue, for all processes that share the data. One of them at a time may work
/// on it: whoever has [`claimed`](Self::claim) it. What a run writes is fenced beside that: it counts only
/// while the staging area is that of the run's present attempt, and fails with
/// [`StoreError::Fenced`] once another run or a later attempt has [begun](Self::begin).
#[async_trait]
pub trait ShowStore: Send + Sync {
    /// Names the data, the same in every process and after every restart.
    async fn id(&self) -> Result<String, StoreError>;

    /// Writes a queued run into the history. Where one with the same parameters is unfinished already,
    /// that one meets the request; none of `except` does. At most `most_waiting` runs wait.
    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        most_waiting: u32,
    ) -> Result<Enqueued, StoreError>;

    /// The run to work on next, none of `except`: what was begun and is not ended, then what waits, in
    /// the order of their requests.
    async fn next_run(&self, except: &[RunId]) -> Result<Option<RunStatus>, StoreError>;

    /// Takes the right to work on runs, until [`release`](Self::release) or the end of the process.
    ///
    /// # Errors
    ///
    /// [`StoreError::RunLockHeld`] while somebody has it.
    async fn claim(&self) -> Result<(), StoreError>;

    /// Gives the right to work on runs back.
    async fn release(&self);

    /// Whether somebody has the right to work on runs, this process included.
    async fn is_claimed(&self) -> Result<bool, StoreError>;

    /// Opens an attempt at a run, whose number and state `status` has, and writes that into the history.
    /// The staging area stays as it is where it is that of an earlier attempt at the run, and is emptied
    /// where it is another run's. `by` says by which rights the process works on it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] where the run has ended, or an attempt as late as this was opened.
    async fn begin(&self, status: &RunStatus, by: Ownership) -> Result<(), StoreError>;

    /// By which rights the attempt was begun whose the staging area is; none where it is nobody's.
    async fn rights(&self) -> Result<Ownership, StoreError>;

    /// What earlier attempts at the run that was begun have left in the staging area.
    async fn staged(&self) -> Result<StagingState, StoreError>;

    /// Empties the staging area of the run that was begun.
    async fn unstage(&self) -> Result<(), StoreError>;

    /// Counts an attempt that goes on with what is staged, until something more is.
    async fn count_resume(&self) -> Result<(), StoreError>;

    /// Lets the snapshot begin as what is published, in place of empty.
    async fn keep_published(&self) -> Result<(), StoreError>;

    /// Stages index pages, each a number and shows, and the note that they were fetched. Of a show that was
    /// staged before, the version with the later `updated` stays.
    ///
    /// This and the three that follow write the run's `status` to the history with it, all or nothing.
    async fn stage_pages(
        &self,
        pages: Vec<(u32, Vec<Show>)>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError>;

    /// Stages shows that were fetched by themselves, whatever version of them was staged before.
    async fn stage_shows(
        &self,
        shows: Vec<Show>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError>;

    /// Takes shows that TVmaze no longer has out of the snapshot.
    async fn drop_shows(&self, shows: Vec<ShowId>, status: &RunStatus) -> Result<(), StoreError>;

    /// Stages the cast of a show as it is in the snapshot, in TVmaze's order. A top show without a staged
    /// cast keeps the published one.
    async fn stage_cast(
        &self,
        show: &Show,
        cast: Vec<CastMember>,
        at: Timestamp,
        status: &RunStatus,
    ) -> Result<(), StoreError>;

    /// How many shows the snapshot has.
    async fn snapshot_size(&self) -> Result<u32, StoreError>;

    /// The top shows of the snapshot, best first.
    async fn rank_snapshot(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError>;

    /// Makes the three tables the snapshot, with `top` as the top shows, and writes the run's last
    /// status, which `finish` gives when all but the commit is done: all of it or nothing. Ends the
    /// run, and gives the status that was written.
    async fn publish(
        &self,
        top: &[ShowId],
        at: Timestamp,
        finish: FinalStatus,
    ) -> Result<RunStatus, StoreError>;

    /// Ends a run that publishes nothing: writes its last status and clears the staging area, where
    /// that is still this attempt's. May be tried again after a failure.
    async fn abandon(&self, status: &RunStatus) -> Result<(), StoreError>;

    /// Writes a run's status to the history, and nothing else, unless the run has ended or a later
    /// attempt was begun.
    async fn note(&self, status: &RunStatus) -> Result<(), StoreError>;

    /// What is published, as far as planning the next run needs it.
    async fn published(&self) -> Result<PublishedManifest, StoreError>;

    /// A published show.
    async fn show(&self, id: ShowId) -> Result<Option<Show>, StoreError>;

    /// The first `limit` published top shows, best first.
    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError>;

    /// People with more than one distinct character in the published casts, most characters first.
    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError>;

    /// The last `limit` runs of the history, newest first.
    async fn runs(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError>;

    /// A run of the history.
    async fn run(&self, id: RunId) -> Result<Option<RunStatus>, StoreError>;

    /// Which snapshot is published. Its number rises by one in every publish, with what that changes.
    async fn snapshot(&self) -> Result<SnapshotVersion, StoreError>;

    /// A page of the published shows.
    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError>;

    /// The published cast of a show, in TVmaze's order; empty when none is stored.
    async fn cast(&self, show: ShowId) -> Result<Vec<CastRow>, StoreError>;

    /// Counts of the published shows.
    async fn stats(&self) -> Result<ShowStats, StoreError>;

    /// Gives every row of a published table, all of the same snapshot, while others read and runs
    /// write. Ends early when one is not taken.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyExports`] at once, while too many exports are under way.
    async fn export(&self, table: Table, rows: MakeRowWriter) -> Result<(), StoreError>;

    /// Gives a copy of everything that is published and of the history, as a file that the backend's
    /// own tools open.
    ///
    /// # Errors
    ///
    /// As for [`export`](Self::export).
    async fn export_all(&self, file: Box<dyn io::Write + Send>) -> Result<(), StoreError>;

    /// Tells how the store is when the data can be read.
    async fn check(&self) -> Result<StoreHealth, StoreError>;
}

/// How a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreHealth {
    /// The version of its schema.
    pub schema: u32,
    /// Whether it lies where this process may write.
    pub is_writable: bool,
    /// The size of the data.
    pub database_bytes: u64,
    /// The size of what is written and not yet folded into the data.
    pub wal_bytes: u64,
    /// The room that is left beside it.
    pub free_bytes: u64,
}

/// Makes the last status of a run that is about to be published from what that changes.
pub type FinalStatus = Box<dyn FnOnce(ChangeCounts) -> RunStatus + Send>;

/// What publishing a snapshot changes among the shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeCounts {
    /// Shows that were not published before.
    pub added: u32,
    /// Shows of which something is different.
    pub changed: u32,
    /// Shows that were published before.
    pub deleted: u32,
    /// Shows that are as they were.
    pub unchanged: u32,
}

/// What is published, as far as planning the next run needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedManifest {
    /// Every show.
    pub shows: BTreeMap<ShowId, ShowVersion>,
    /// When each index page was last fetched; none of a page that never was.
    pub pages: BTreeMap<u32, Timestamp>,
    /// The `updated` of each show with a cast to which that cast belongs.
    pub casts: BTreeMap<ShowId, Option<i64>>,
}

/// What earlier attempts have left in the staging area of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StagingState {
    /// Whether the snapshot began as what is published.
    pub keeps_published: bool,
    /// How many attempts in a row went on with this and staged nothing more.
    pub idle_resumes: u32,
    /// When each staged index page was fetched.
    pub pages: BTreeMap<u32, Timestamp>,
    /// The whole snapshot as it stands.
    pub snapshot: PublishedManifest,
}

/// By which rights a process works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ownership {
    /// By the store's claim: it ends with the process.
    pub claim: bool,
    /// By the tracker's lease: it ends when it is not renewed.
    pub lease: bool,
}

/// How a request for a run is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// By this new run.
    New(RunStatus),
    /// By this run with the same parameters, which was there already.
    Joined(RunStatus),
    /// By none: as many runs wait as may.
    Full,
}

/// Which version of a show is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShowVersion {
    /// TVmaze's Unix time of the show's last change.
    pub updated: Option<i64>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

/// A row of the list of top shows.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"id": 82, "name": "Game of Thrones", "rating": 8.9, "premiered": "2011-04-17"}))]
pub struct TopShow {
    /// The show's id at TVmaze.
    pub id: ShowId,
    /// The show's name.
    pub name: String,
    /// The average rating, 0 to 10 with at most one decimal.
    pub rating: Option<f64>,
    /// The date of the first broadcast, `YYYY-MM-DD`.
    pub premiered: Option<String>,
}

/// A row of the list of actors with several characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"person_name": "Tatiana Maslany", "character_count": 11}))]
pub struct MultiCharacterActor {
    /// The person's name.
    pub person_name: String,
    /// How many distinct characters the person plays in the top shows.
    pub character_count: u32,
}

/// Why a store could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else has the right to work on runs.
    #[error("another process is running an update on this database; wait for it or stop it")]
    RunLockHeld,
    /// Another program has the data locked.
    #[error("another program holds the database locked; close that and try again")]
    DatabaseBusy,
    /// Another run, or another process with the same run, has taken the staging area over.
    #[error("another process has taken this update over; this one can publish nothing")]
    Fenced,
    /// As many exports as are allowed are under way.
    #[error("too many exports are under way; try again when one has ended")]
    TooManyExports,
    /// Whatever takes an export's rows does not take them any more.
    #[error("the export was not taken to its end")]
    ExportAborted {
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Something that a person can put right: another program's file, no space, no permission.
    #[error("the database cannot be used: {reason}")]
    InvalidDatabase {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The backend refused for another reason.
    #[error("the database cannot be used")]
    Unavailable {
        /// What the backend's library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored row does not hold what it should.
    #[error("the database holds an unreadable row: {what}")]
    CorruptRow {
        /// Which row, and what does not fit.
        what: String,
    },
}
