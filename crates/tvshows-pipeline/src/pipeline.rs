use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tvmaze_client::{Client, Stats};
use tvshows_core::{
    Event, Mode, Published, RunParameters, RunStatus, Show, ShowId, ShowStore, Step, StoreError,
    TopLimit, TopShowsCriteria, Traffic,
};

use crate::changes::{self, Changes};
use crate::convert;
use crate::error::RunError;
use crate::index::{self, Plan, Updates};
use crate::monitor::{Monitor, now, this_second};
use crate::refresh::{self, Known};
use crate::singles;

/// How often the counts of requests move while nothing else does, as when TVmaze throttles.
const TRAFFIC_INTERVAL: Duration = Duration::from_millis(500);

/// How often, and after how long, a store that another process holds is tried again.
const BUSY_ATTEMPTS: u32 = 4;
const BUSY_DELAY: Duration = Duration::from_millis(250);

/// The age beyond which an index page is due, unless set otherwise.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// What a run works with.
#[derive(Clone)]
pub struct Pipeline {
    client: Client,
    pub(crate) store: Arc<dyn ShowStore>,
    max_age: Duration,
}

/// The two ways in which a run is told to stop.
pub(crate) struct Stop {
    pub(crate) cancelled: CancellationToken,
    pub(crate) stopped: CancellationToken,
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

    /// Does a run from its start to its end, which the monitor then shows.
    ///
    /// Stops wherever it is, except while it publishes: then it finishes that. `false` says that the
    /// end of a run that has begun could not be written.
    pub(crate) async fn run(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        stop: &Stop,
    ) -> bool {
        monitor.record(Event::Started);
        if let Err(error) = self.begin(&monitor.status()).await {
            // The staging area may be another process's: only the history is written.
            let failed = monitor.after(Event::Failed(RunError::from(error).sentence()));
            log_unwritten(&failed, self.store.note(&failed).await);
            monitor.show(failed);
            return true;
        }
        match self.work(parameters, monitor, stop).await {
            Ok(()) => true,
            Err(error) => self.end(error, monitor).await,
        }
    }

    /// Begins a run, patiently: another process may hold the store for a moment, to look for runs that
    /// died.
    async fn begin(&self, status: &RunStatus) -> Result<(), StoreError> {
        for _ in 0..BUSY_ATTEMPTS {
            match self.store.begin(status).await {
                Err(StoreError::Busy) => tokio::time::sleep(BUSY_DELAY).await,
                begun => return begun,
            }
        }
        self.store.begin(status).await
    }

    /// Ends a run that has begun and publishes nothing. `false` says that the end could not be written,
    /// as on a full disk.
    pub(crate) async fn end(&self, error: RunError, monitor: &Monitor) -> bool {
        let ended = monitor.after(match &error {
            RunError::Cancelled => Event::Cancelled,
            RunError::Stopped => Event::Interrupted(error.sentence()),
            error => Event::Failed(error.sentence()),
        });
        let written = self.store.abandon(&ended).await;
        let is_written = written.is_ok();
        log_unwritten(&ended, written);
        monitor.show(ended);
        is_written
    }

    async fn work(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        stop: &Stop,
    ) -> Result<(), RunError> {
        let before = self.client.stats();
        let staged = tokio::select! {
            biased;
            () = stop.stopped.cancelled() => Err(RunError::Stopped),
            () = stop.cancelled.cancelled() => Err(RunError::Cancelled),
            never = self.report_traffic(monitor, before) => never,
            top = self.stage(parameters, monitor) => top,
        };
        monitor.record(Event::Traffic(traffic(before, self.client.stats())));
        let top = staged?;
        monitor.record(Event::StepBegan(Step::Publishing));
        // A cancel that comes later than this step is refused: see Queue::cancel.
        if stop.cancelled.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        self.publish(&top, monitor).await
    }

    /// Everything before publishing. Gives the top shows, best first.
    async fn stage(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
    ) -> Result<Vec<ShowId>, RunError> {
        let store = self.store.as_ref();
        let published = store.published().await?;
        let updates = self.updates().await?;
        let changes = match (&updates, parameters.mode) {
            (Some(updates), Mode::Auto) if !published.shows.is_empty() => {
                changes::since(&published, updates, self.max_age, now())
            }
            _ => None,
        };
        let kept = match (updates, changes) {
            (Some(updates), Some(changes)) => {
                self.stage_changes(parameters, monitor, &published, &updates, changes).await?;
                published.casts
            }
            (updates, _) => {
                self.stage_everything(monitor, Plan::new(updates, &published)).await?;
                BTreeMap::new()
            }
        };

        monitor.record(Event::StepBegan(Step::ComputingTop));
        let shows = store.snapshot_size().await?;
        if shows == 0 {
            return Err(RunError::EmptyIndex);
        }
        monitor.record(Event::ShowsCounted(shows));
        let top = store.rank_snapshot(criteria(parameters)).await?;

        // A change of a cast is a change of its show.
        let is_new = |show: &&Show| kept.get(&show.id) != Some(&show.updated);
        let new: Vec<Show> = top.iter().filter(is_new).cloned().collect();
        monitor.record(Event::CastsPlanned(count(new.len())));
        monitor.record(Event::StepBegan(Step::FetchingCast));
        singles::stage_casts(&self.client, store, monitor, &new).await?;
        Ok(top.iter().map(|show| show.id).collect())
    }

    async fn stage_everything(&self, monitor: &Monitor, plan: Plan) -> Result<(), RunError> {
        let (client, store) = (&self.client, self.store.as_ref());
        if let Some(known) = plan.known {
            monitor.record(Event::PagesPlanned(known.last + 1));
        }
        monitor.record(Event::StepBegan(Step::FetchingShows));
        let disputed = index::stage(client, store, monitor, plan).await?;
        monitor.record(Event::PagesPlanned(monitor.status().pages_done));
        monitor.record(Event::SinglesPlanned(count(disputed.len())));
        singles::stage_shows(client, store, monitor, disputed).await
    }

    /// Beside what is published, only what changed since.
    async fn stage_changes(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        published: &Published,
        updates: &Updates,
        changes: Changes,
    ) -> Result<(), RunError> {
        let (client, store) = (&self.client, self.store.as_ref());
        store.keep_published().await?;
        let Changes { pages, shows: mut alone, gone } = changes;
        store.drop_shows(gone).await?;
        let ranked = store.rank_snapshot(twice_the_top(parameters)).await?;
        let near = changes::near_the_edge(published, &ranked, parameters.top, now());
        alone.extend(near.into_iter().filter(|id| !pages.contains(&changes::page_of(*id))));

        monitor.record(Event::PagesPlanned(count(pages.len())));
        monitor.record(Event::SinglesPlanned(count(alone.len())));
        monitor.record(Event::StepBegan(Step::FetchingShows));
        let known = Known { published, updates };
        alone.extend(refresh::stage_pages(client, store, monitor, &known, pages).await?);
        monitor.record(Event::SinglesPlanned(count(alone.len())));
        singles::stage_shows(client, store, monitor, alone).await
    }

    async fn publish(&self, top: &[ShowId], monitor: &Monitor) -> Result<(), RunError> {
        let mut status = monitor.status();
        let finish = Box::new(move |changes| {
            status.apply(Event::Succeeded(changes), now());
            status
        });
        let succeeded = self.store.publish(top, this_second(), finish).await?;
        monitor.show(succeeded);
        Ok(())
    }

    /// The map of updates; `None` where TVmaze has none to give.
    async fn updates(&self) -> Result<Option<Updates>, RunError> {
        match self.client.show_updates(None).await {
            Ok(updates) if updates.is_empty() => Ok(None),
            Ok(updates) => Ok(Some(convert::updates(updates))),
            Err(source) if source.is_unreachable() => Err(RunError::Unreachable { source }),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "no map of updates; the 404 at the end of the index must do");
                Ok(None)
            }
        }
    }

    async fn report_traffic<T>(&self, monitor: &Monitor, before: Stats) -> T {
        let mut interval = tokio::time::interval(TRAFFIC_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            monitor.record(Event::Traffic(traffic(before, self.client.stats())));
        }
    }
}

fn log_unwritten(ended: &RunStatus, written: Result<(), StoreError>) {
    if let Err(error) = written {
        let error = &error as &dyn std::error::Error;
        tracing::error!(run.id = %ended.request_id, error, "the end of a run is not in the history");
    }
}

fn traffic(before: Stats, now: Stats) -> Traffic {
    Traffic {
        requests: now.requests - before.requests,
        retries: now.retries - before.retries,
        rate_limited: now.rate_limited - before.rate_limited,
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

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
