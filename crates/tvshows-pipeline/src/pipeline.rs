use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tvmaze_client::Client;
use tvshows_core::{
    FetchMode, Ownership, PublishedManifest, RunEvent, RunParameters, Show, ShowId, ShowStore,
    StagingState, Step, StoreError, TopLimit, TopShowsCriteria,
};

use crate::changes::{self, FetchPlan};
use crate::error::RunError;
use crate::index::{self, Plan, Updates};
use crate::monitor::{Monitor, now, this_second};
use crate::refresh::{self, Known};
use crate::singles;

/// How often the counts of requests move while nothing else does, as when TVmaze throttles.
const TRAFFIC_INTERVAL: Duration = Duration::from_millis(500);

/// How often in a row a run may go on in vain: its process died before it staged anything more. A run that
/// kills its process must not do so for ever.
const MOST_IDLE_RESUMES: u32 = 3;

/// The age beyond which an index page is due, unless set otherwise.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// What a run works with.
#[derive(Clone)]
pub struct Pipeline {
    client: Client,
    pub(crate) store: Arc<dyn ShowStore>,
    max_age: Duration,
}

/// The `updated` of each show with a cast to which that cast belongs.
type Casts = BTreeMap<ShowId, Option<i64>>;

/// The ways in which a run is told to stop.
pub(crate) struct Stop {
    pub(crate) cancelled: CancellationToken,
    pub(crate) stopped: CancellationToken,
    /// Another process has the lease.
    pub(crate) overtaken: CancellationToken,
}

/// How a process is done with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is over, or interrupted, and the store knows.
    Written,
    /// It is over, and the store does not know: its disk is full, say.
    Unwritten,
    /// It is another process's now, which will say how it ends.
    Overtaken,
    /// It has not begun, since another program has the store locked.
    Locked,
}

impl Pipeline {
    /// Runs fetch with `client` and publish to `store`, with [`DEFAULT_MAX_AGE`].
    #[must_use]
    pub fn new(client: Client, store: Arc<dyn ShowStore>) -> Pipeline {
        Pipeline { client, store, max_age: DEFAULT_MAX_AGE }
    }

    /// How old an index page may become before it is fetched again although nothing on it is known to
    /// have changed: ratings and weights move without a change mark. Zero is always.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Pipeline {
        self.max_age = max_age;
        self
    }

    /// Does a run, or goes on with it, to its end, which the monitor then shows.
    ///
    /// Stops wherever it is, except while it publishes: then it finishes that.
    pub(crate) async fn run(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        by: Ownership,
        stop: &Stop,
    ) -> Outcome {
        let started = monitor.after(RunEvent::Started);
        match self.store.begin(&started, by).await {
            Ok(()) => monitor.show(started),
            Err(StoreError::DatabaseBusy) => return Outcome::Locked,
            Err(error) => return self.end(error.into(), monitor).await,
        }
        match self.work(parameters, monitor, stop).await {
            Ok(()) => Outcome::Written,
            Err(error) => self.end(error, monitor).await,
        }
    }

    /// Ends a run that publishes nothing, or leaves it as interrupted for whoever goes on with it.
    pub(crate) async fn end(&self, error: RunError, monitor: &Monitor) -> Outcome {
        let (ended, written) = match error {
            RunError::Store(StoreError::Fenced) => return Outcome::Overtaken,
            error if self.leaves_interrupted(&error, monitor).await => {
                let interrupted = monitor.after(RunEvent::Interrupted(error.sentence()));
                let written = self.store.note(&interrupted).await;
                (interrupted, written)
            }
            error => {
                let ended = monitor.after(match error {
                    RunError::Cancelled => RunEvent::Cancelled,
                    error => RunEvent::Failed(error.sentence()),
                });
                let written = self.store.abandon(&ended).await;
                (ended, written)
            }
        };
        let outcome = if written.is_ok() { Outcome::Written } else { Outcome::Unwritten };
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::error!(run.id = %ended.request_id, error, "the end of a run is not in the history");
        }
        monitor.show(ended);
        outcome
    }

    /// Whether a run that comes to this error is gone on with: where the service stops, where another program
    /// has the store locked, and where a run that has something staged finds TVmaze away, as after a start
    /// without a network, but not for ever.
    async fn leaves_interrupted(&self, error: &RunError, monitor: &Monitor) -> bool {
        let goes_on = async || {
            self.store.count_resume().await?;
            let staged = self.store.staged().await?;
            Ok::<_, StoreError>(staged.idle_resumes < MOST_IDLE_RESUMES)
        };
        match error {
            // The other program's lock ends some time, and what is staged is there still.
            RunError::Stopped | RunError::Store(StoreError::DatabaseBusy) => true,
            RunError::Unreachable { .. } if monitor.status().attempt > 1 => {
                goes_on().await.unwrap_or_default()
            }
            _ => false,
        }
    }

    async fn work(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        stop: &Stop,
    ) -> Result<(), RunError> {
        monitor.count_requests(&self.client);
        let staged = tokio::select! {
            biased;
            () = stop.stopped.cancelled() => Err(RunError::Stopped),
            () = stop.cancelled.cancelled() => Err(RunError::Cancelled),
            () = stop.overtaken.cancelled() => Err(StoreError::Fenced.into()),
            never = report_traffic(monitor) => never,
            failed = self.count_resume(monitor) => Err(failed),
            top = self.stage(parameters, monitor) => top,
        };
        monitor.record_traffic();
        let top = staged?;
        monitor.record(RunEvent::StepBegan(Step::Publishing));
        // A cancel that comes later than this step is refused: see InHand::cancel.
        if stop.cancelled.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        self.publish(&top, monitor).await
    }

    /// Counts an attempt that goes on with a run, once there is something to stage: whoever ends before that
    /// ended for another reason than this run.
    async fn count_resume(&self, monitor: &Monitor) -> RunError {
        monitor.answered().notified().await;
        if monitor.status().attempt > 1
            && let Err(error) = self.store.count_resume().await
        {
            return error.into();
        }
        std::future::pending().await
    }

    /// Everything before publishing. Gives the top shows, best first.
    async fn stage(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
    ) -> Result<Vec<ShowId>, RunError> {
        let store = self.store.as_ref();
        let staged = store.staged().await?;
        if staged.idle_resumes >= MOST_IDLE_RESUMES {
            return Err(RunError::Stuck { resumes: staged.idle_resumes });
        }
        // While TVmaze answers.
        let published = async { store.published().await.map_err(RunError::from) };
        let (updates, published) = tokio::try_join!(self.updates(), published)?;
        if monitor.status().attempt > 1 {
            // A page may have been staged right before the process ended.
            monitor.record(RunEvent::Resumed(count(staged.pages.len())));
        }
        let casts = self.stage_shows(parameters, monitor, staged, &published, updates).await?;
        drop(published);

        monitor.record(RunEvent::StepBegan(Step::ComputingTop));
        let shows = store.snapshot_size().await?;
        if shows == 0 {
            return Err(RunError::EmptyIndex);
        }
        monitor.record(RunEvent::ShowsCounted(shows));
        let top = store.rank_snapshot(criteria(parameters)).await?;

        // A change of a cast is a change of its show.
        let is_new = |show: &&Show| casts.get(&show.id) != Some(&show.updated);
        let new: Vec<Show> = top.iter().filter(is_new).cloned().collect();
        let casts = monitor.status().casts_done + count(new.len());
        self.plan(monitor, RunEvent::CastsPlanned(casts)).await?;
        monitor.record(RunEvent::StepBegan(Step::FetchingCast));
        singles::stage_casts(&self.client, store, monitor, &new).await?;
        Ok(top.iter().map(|show| show.id).collect())
    }

    /// Stages what changed, or everything, beside what an earlier attempt has `staged`. Gives the casts that
    /// the snapshot has.
    async fn stage_shows(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        mut staged: StagingState,
        published: &PublishedManifest,
        updates: Option<Updates>,
    ) -> Result<Casts, RunError> {
        let store = self.store.as_ref();
        let last_published = published.shows.last_key_value().map(|(id, _)| *id);
        let is_fresh = staged.pages.is_empty() && last_published.is_some();
        let base = match parameters.mode {
            _ if staged.keeps_published => Some(&staged.snapshot),
            FetchMode::Auto if is_fresh => Some(published),
            _ => None,
        };
        let changes = updates.as_ref().zip(base).and_then(|(updates, base)| {
            let changes = changes::since(base, &staged.pages, updates, self.max_age, now())?;
            Some((updates, base, changes))
        });
        if let Some((updates, base, changes)) = changes {
            if !staged.keeps_published {
                store.keep_published().await?;
            }
            self.stage_changes(parameters, monitor, base, updates, changes).await?;
            return Ok(base.casts.clone());
        }
        if staged.keeps_published {
            store.unstage().await?;
            monitor.record(RunEvent::StagingDiscarded);
            staged = StagingState::default();
        }
        let casts = std::mem::take(&mut staged.snapshot.casts);
        self.stage_everything(monitor, Plan::new(updates, last_published, staged)).await?;
        Ok(casts)
    }

    async fn stage_everything(&self, monitor: &Monitor, plan: Plan) -> Result<(), RunError> {
        let (client, store) = (&self.client, self.store.as_ref());
        if let Some(left) = plan.pages_left() {
            let pages = monitor.status().pages_done + left;
            self.plan(monitor, RunEvent::PagesPlanned(pages)).await?;
        }
        monitor.record(RunEvent::StepBegan(Step::FetchingShows));
        let disputed = index::stage(client, store, monitor, plan).await?;
        self.plan(monitor, RunEvent::PagesPlanned(monitor.status().pages_done)).await?;
        self.plan_singles(monitor, disputed.len()).await?;
        singles::stage_shows(client, store, monitor, disputed).await
    }

    /// Beside the snapshot as it is, only what changed since.
    async fn stage_changes(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        snapshot: &PublishedManifest,
        updates: &Updates,
        changes: FetchPlan,
    ) -> Result<(), RunError> {
        let (client, store) = (&self.client, self.store.as_ref());
        let FetchPlan { pages, shows: mut alone, gone } = changes;
        if !gone.is_empty() {
            store.drop_shows(gone, &monitor.status()).await?;
        }
        let ranked = store.rank_snapshot(twice_the_top(parameters)).await?;
        let near = changes::near_the_edge(snapshot, &ranked, parameters.top, now());
        alone.extend(near.into_iter().filter(|id| !pages.contains(&changes::page_of(*id))));

        let planned = monitor.status().pages_done + count(pages.len());
        self.plan(monitor, RunEvent::PagesPlanned(planned)).await?;
        self.plan_singles(monitor, alone.len()).await?;
        monitor.record(RunEvent::StepBegan(Step::FetchingShows));
        let known = Known { published: snapshot, updates };
        alone.extend(refresh::stage_pages(client, store, monitor, &known, pages).await?);
        self.plan_singles(monitor, alone.len()).await?;
        singles::stage_shows(client, store, monitor, alone).await
    }

    async fn plan_singles(&self, monitor: &Monitor, left: usize) -> Result<(), RunError> {
        let shows = monitor.status().singles_done + count(left);
        self.plan(monitor, RunEvent::RefetchesPlanned(shows)).await
    }

    /// Says how much there is to do. Less than was expected is progress, which is written down before anyone
    /// sees it: it must not fall after a kill.
    async fn plan(&self, monitor: &Monitor, planned: RunEvent) -> Result<(), RunError> {
        let reached = monitor.after(planned.clone());
        if reached.progress > monitor.status().progress {
            self.store.note(&reached).await?;
        }
        monitor.record(planned);
        Ok(())
    }

    async fn publish(&self, top: &[ShowId], monitor: &Monitor) -> Result<(), RunError> {
        let mut status = monitor.status();
        let finish = Box::new(move |changes| {
            status.apply(RunEvent::Succeeded(changes), now());
            status
        });
        let succeeded = self.store.publish(top, this_second(), finish).await?;
        monitor.show(succeeded);
        Ok(())
    }

    /// The map of updates; `None` where TVmaze has none to give.
    async fn updates(&self) -> Result<Option<Updates>, RunError> {
        match self.client.show_updates(None).decode_as::<Updates>().await {
            Ok(updates) if updates.is_empty() => Ok(None),
            Ok(updates) => Ok(Some(updates)),
            Err(source) if source.is_unreachable() => Err(RunError::Unreachable { source }),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "no map of updates; the 404 at the end of the index must do");
                Ok(None)
            }
        }
    }
}

async fn report_traffic<T>(monitor: &Monitor) -> T {
    let mut interval = tokio::time::interval(TRAFFIC_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        monitor.record_traffic();
    }
}

fn criteria(parameters: RunParameters) -> TopShowsCriteria {
    let this_year = now().to_zoned(TimeZone::UTC).year();
    TopShowsCriteria { years: parameters.years, top: parameters.top, this_year }
}

/// The top and as many again: whoever could move over its edge.
fn twice_the_top(parameters: RunParameters) -> TopShowsCriteria {
    let criteria = criteria(parameters);
    let twice = TopLimit::new(2 * parameters.top.number());
    TopShowsCriteria { top: twice.unwrap_or(parameters.top), ..criteria }
}

pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
