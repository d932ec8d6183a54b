use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};
use tvshows_core::{ReplicaHealth, SnapshotCopy, SnapshotPosition, SnapshotSource, StoreError};

/// How often the shared database is asked for the position of its snapshot.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How often this replica reports that it follows. A publish waits for those that reported in the last three seconds.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after it did not answer.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// The pause after an error that somebody has to fix, such as a full disk. Each attempt may copy everything.
const FAILURE_INTERVAL: Duration = Duration::from_secs(10);

/// A [`Catalog`](tvshows_core::Catalog) that reads from a local copy of a shared database.
///
/// The copy is updated by [`follow`](Self::follow) or [`catch_up`](Self::catch_up). Nothing is read from it before it
/// was filled once, or when the shared database has not answered for longer than `max_staleness`.
pub struct ReplicaCatalog {
    pub(crate) source: Arc<dyn SnapshotSource>,
    /// `None` while a deleted copy is opened again.
    copy: RwLock<Option<Arc<dyn SnapshotCopy>>>,
    reopen: Option<OpenCopy>,
    name: String,
    max_staleness: Duration,
    state: Mutex<State>,
    /// Locked while changes are applied.
    applying: tokio::sync::Mutex<()>,
}

/// Opens a copy again.
pub type OpenCopy =
    Box<dyn Fn() -> BoxFuture<'static, Result<Arc<dyn SnapshotCopy>, StoreError>> + Send + Sync>;

struct State {
    /// The position of the copy; `None` before it is filled.
    copied: Option<SnapshotPosition>,
    /// The last known position of the shared database.
    published: Option<SnapshotPosition>,
    /// When the shared database last answered.
    last_contact: Instant,
    /// When the two positions were last equal.
    last_current: Instant,
    reported: Option<(SnapshotPosition, Instant)>,
}

impl ReplicaCatalog {
    /// Creates a catalog that reads from `copy`. The shared database knows this replica as `name`, which must be another
    /// one in each process.
    pub async fn new(
        source: Arc<dyn SnapshotSource>,
        copy: Arc<dyn SnapshotCopy>,
        name: String,
        max_staleness: Duration,
    ) -> Result<ReplicaCatalog, StoreError> {
        let now = Instant::now();
        let state = State {
            copied: copy.position().await?,
            published: None,
            last_contact: now,
            last_current: now,
            reported: None,
        };
        let (state, applying) = (Mutex::new(state), tokio::sync::Mutex::default());
        let (copy, reopen) = (RwLock::new(Some(copy)), None);
        Ok(ReplicaCatalog { source, copy, reopen, name, max_staleness, state, applying })
    }

    /// Opens the copy again with `open` if its file is deleted or replaced while it is used.
    #[must_use]
    pub fn reopen_with(self, open: OpenCopy) -> ReplicaCatalog {
        ReplicaCatalog { reopen: Some(open), ..self }
    }

    /// Keeps the copy current, and the shared database informed of that. Runs until it is dropped.
    pub async fn follow(&self) -> Infallible {
        let mut failure = None;
        loop {
            let pause = match self.poll().await {
                Ok(()) => {
                    if failure.take().is_some() {
                        tracing::info!("the copy of the shared database is current again");
                    }
                    POLL_INTERVAL
                }
                Err(error) => {
                    let text = Some(error.to_string());
                    if failure != text {
                        let error = &error as &dyn Error;
                        tracing::warn!(
                            error,
                            "cannot update the copy of the shared database; retrying"
                        );
                        failure = text;
                    }
                    let is_short = error.is_transient() || self.copy().is_err();
                    if is_short { RETRY_INTERVAL } else { FAILURE_INTERVAL }
                }
            };
            self.record_lag();
            sleep(pause).await;
        }
    }

    async fn poll(&self) -> Result<(), StoreError> {
        self.reopen_if_deleted().await?;
        self.catch_up().await?;
        let due = {
            let State { copied, reported, .. } = &*self.state();
            let is_reported = reported.as_ref().is_some_and(|(position, at)| {
                copied.as_ref() == Some(position) && at.elapsed() < REPORT_INTERVAL
            });
            copied.clone().filter(|_| !is_reported)
        };
        if let Some(position) = due {
            self.source.report_replica(&self.name, &position).await?;
            self.state().reported = Some((position, Instant::now()));
        }
        Ok(())
    }

    async fn reopen_if_deleted(&self) -> Result<(), StoreError> {
        let Some(open) = &self.reopen else { return Ok(()) };
        if let Ok(copy) = self.copy() {
            let Err(StoreError::DatabaseReplaced { .. }) = copy.snapshot_version().await else {
                return Ok(());
            };
            tracing::warn!("the local copy was deleted or replaced; filling a new one");
            self.state().copied = None;
            self.set_copy(None);
            copy.close().await;
        }
        // Requests may still use the old one, which keeps it locked; then, the next attempt succeeds.
        self.set_copy(Some(open().await?));
        Ok(())
    }

    /// Updates the copy to the published snapshot, unless it already has it.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _applying = self.applying.lock().await;
        let published = self.source.position().await?;
        if self.record_contact(|state| state.published = Some(published)) {
            return Ok(());
        }
        // Not the position in `state`: an earlier call may have been dropped before it could record that.
        let copied = self.copy()?.position().await?;
        let target = self.apply_changes(copied.as_ref()).await?;
        tracing::info!(
            snapshot = target.version.number,
            previous = copied.map(|copied| copied.version.number),
            "copied a snapshot of the shared database"
        );
        // The snapshot may be a later one than the one that was asked for first.
        self.record_contact(|state| {
            state.copied = Some(target.clone());
            state.published = Some(target);
        });
        Ok(())
    }

    /// Applies how the published snapshot differs from the copy, and returns its position. Changes that do not fit are
    /// those of another copy: this one is filled again.
    async fn apply_changes(
        &self,
        copied: Option<&SnapshotPosition>,
    ) -> Result<SnapshotPosition, StoreError> {
        let changes = self.source.changes_since(copied).await?;
        let (target, is_complete) = (changes.target.clone(), changes.is_complete);
        match self.copy()?.apply(changes).await {
            Ok(()) => return Ok(target),
            Err(
                error @ (StoreError::InvalidDatabase { .. }
                | StoreError::Unavailable { .. }
                | StoreError::CorruptRow { .. }),
            ) if !is_complete => {
                let error = &error as &dyn Error;
                tracing::warn!(
                    error,
                    "the copy differs from the shared database; filling it again"
                );
            }
            Err(error) => return Err(error),
        }
        let changes = self.source.changes_since(None).await?;
        let target = changes.target.clone();
        self.copy()?.apply(changes).await?;
        Ok(target)
    }

    /// How current the copy is.
    #[must_use]
    pub fn replica_health(&self) -> ReplicaHealth {
        let state = self.state();
        ReplicaHealth {
            snapshots_behind: state.snapshots_behind(),
            last_contact: state.last_contact.elapsed(),
        }
    }

    /// Closes the copy.
    pub async fn close(&self) {
        if let Ok(copy) = self.copy() {
            copy.close().await;
        }
    }

    pub(crate) fn copy(&self) -> Result<Arc<dyn SnapshotCopy>, StoreError> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner);
        copy.clone().ok_or_else(unfilled)
    }

    fn set_copy(&self, copy: Option<Arc<dyn SnapshotCopy>>) {
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = copy;
    }

    /// Returns the copy, unless it must not be read.
    pub(crate) fn readable_copy(&self) -> Result<Arc<dyn SnapshotCopy>, StoreError> {
        let staleness = {
            let state = self.state();
            if state.copied.is_none() {
                return Err(unfilled());
            }
            state.last_contact.elapsed()
        };
        if staleness > self.max_staleness {
            return Err(StoreError::Stale { seconds: staleness.as_secs() });
        }
        self.copy()
    }

    /// Copies the history of runs, which is not part of a snapshot. If that fails, the copy has the history of some time
    /// ago.
    pub(crate) async fn copy_run_history(&self) {
        let copied = match (self.source.run_history().await, self.copy()) {
            (Ok(runs), Ok(copy)) => copy.replace_run_history(runs).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        if let Err(error) = copied {
            let error = &error as &dyn Error;
            tracing::warn!(error, "cannot copy the history of runs; the last copy is used");
        }
    }

    /// Records what the shared database has answered. Returns whether the copy is current.
    fn record_contact(&self, record: impl FnOnce(&mut State)) -> bool {
        let mut state = self.state();
        record(&mut state);
        state.last_contact = Instant::now();
        let is_current = state.copied == state.published;
        if is_current {
            state.last_current = state.last_contact;
        }
        is_current
    }

    #[expect(clippy::cast_precision_loss, reason = "a small number of snapshots")]
    fn record_lag(&self) {
        let (snapshots, seconds) = {
            let state = self.state();
            (state.snapshots_behind(), state.last_current.elapsed().as_secs_f64())
        };
        metrics::gauge!("tvshows_replica_lag_snapshots").set(snapshots as f64);
        metrics::gauge!("tvshows_replica_lag_seconds").set(seconds);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unfilled() -> StoreError {
    StoreError::Unreachable {
        backend: "the copy of the shared database".into(),
        source: "it has not been filled yet".into(),
    }
}

impl State {
    /// One, if the copy has another snapshot that is not an earlier one.
    fn snapshots_behind(&self) -> u64 {
        match (&self.copied, &self.published) {
            (_, None) => 0,
            (copied, published) if copied == published => 0,
            (None, Some(published)) => published.version.number.max(1),
            (Some(copied), Some(published)) => {
                published.version.number.saturating_sub(copied.version.number).max(1)
            }
        }
    }
}
