use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tvmaze_client::{Client, Stats};
use tvshows_core::{
    Event, RunParameters, Show, ShowId, ShowStore, Step, StoreError, TopShowsCriteria, Traffic,
};

use crate::error::RunError;
use crate::index::{self, Plan, Updates};
use crate::monitor::{Monitor, now};
use crate::singles;

/// How often the counts of requests move while nothing else does, as when TVmaze throttles.
const TRAFFIC_INTERVAL: Duration = Duration::from_millis(500);

/// What a run works with.
#[derive(Clone)]
pub struct Pipeline {
    client: Client,
    pub(crate) store: Arc<dyn ShowStore>,
}

/// The two ways in which a run is told to stop.
pub(crate) struct Stop {
    pub(crate) cancelled: CancellationToken,
    pub(crate) stopped: CancellationToken,
}

impl Pipeline {
    /// Runs fetch with `client` and publish to `store`.
    #[must_use]
    pub fn new(client: Client, store: Arc<dyn ShowStore>) -> Pipeline {
        Pipeline { client, store }
    }

    /// Does a run from its start to its end, which the monitor then shows.
    ///
    /// Stops wherever it is, except while it publishes: then it finishes that.
    pub(crate) async fn run(&self, parameters: RunParameters, monitor: &Monitor, stop: &Stop) {
        monitor.record(Event::Started);
        let begun = self.store.begin(&monitor.status()).await;
        let published = match begun {
            Ok(()) => self.work(parameters, monitor, stop).await,
            Err(error) => Err(error.into()),
        };
        let Err(error) = published else { return };
        let ended = monitor.after(match &error {
            RunError::Cancelled => Event::Cancelled,
            RunError::Stopped => Event::Interrupted(error.sentence()),
            error => Event::Failed(error.sentence()),
        });
        // Where the run never began, the staging area is another's.
        let written = match &error {
            RunError::Store(StoreError::Busy) => self.store.note(&ended).await,
            _ => self.store.abandon(&ended).await,
        };
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::error!(run.id = %ended.request_id, error, "the end of a run is not in the history");
        }
        monitor.show(ended);
    }

    async fn work(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        stop: &Stop,
    ) -> Result<(), RunError> {
        let before = self.client.stats();
        let at = whole_second(now());
        let staged = tokio::select! {
            biased;
            () = stop.stopped.cancelled() => Err(RunError::Stopped),
            () = stop.cancelled.cancelled() => Err(RunError::Cancelled),
            never = self.report_traffic(monitor, before) => never,
            top = self.stage(parameters, monitor, at) => top,
        };
        monitor.record(Event::Traffic(traffic(before, self.client.stats())));
        self.publish(&staged?, monitor).await
    }

    /// Everything before publishing. Gives the top shows, best first.
    async fn stage(
        &self,
        parameters: RunParameters,
        monitor: &Monitor,
        at: Timestamp,
    ) -> Result<Vec<ShowId>, RunError> {
        let (client, store) = (&self.client, self.store.as_ref());
        let plan = Plan::new(self.updates().await?, store.last_show_id().await?);
        if let Some(known) = plan.known_page {
            monitor.record(Event::PagesPlanned(known + 1));
        }
        monitor.record(Event::StepBegan(Step::FetchingShows));
        let disputed = index::stage(client, store, monitor, plan, at).await?;
        monitor.record(Event::PagesPlanned(monitor.status().pages_done));
        monitor.record(Event::SinglesPlanned(count(disputed.len())));
        singles::stage_shows(client, store, monitor, disputed, at).await?;

        monitor.record(Event::StepBegan(Step::ComputingTop));
        let shows = store.staged_shows().await?;
        if shows == 0 {
            return Err(RunError::EmptyIndex);
        }
        monitor.record(Event::ShowsCounted(shows));
        let top = store.rank_staged(criteria(parameters, at)).await?;

        monitor.record(Event::CastsPlanned(count(top.len())));
        monitor.record(Event::StepBegan(Step::FetchingCast));
        singles::stage_casts(client, store, monitor, &top, at).await?;
        Ok(top.iter().map(|show: &Show| show.id).collect())
    }

    async fn publish(&self, top: &[ShowId], monitor: &Monitor) -> Result<(), RunError> {
        monitor.record(Event::StepBegan(Step::Publishing));
        let mut status = monitor.status();
        let finish = Box::new(move || {
            status.apply(Event::Succeeded, now());
            status
        });
        let succeeded = self.store.publish(top, whole_second(now()), finish).await?;
        monitor.show(succeeded);
        Ok(())
    }

    /// The map of updates; `None` where TVmaze has none to give.
    async fn updates(&self) -> Result<Option<Updates>, RunError> {
        match self.client.show_updates(None).await {
            Ok(updates) if updates.is_empty() => Ok(None),
            Ok(updates) => {
                Ok(Some(updates.into_iter().map(|(id, updated)| (ShowId(id.0), updated)).collect()))
            }
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

fn traffic(before: Stats, now: Stats) -> Traffic {
    Traffic {
        requests: now.requests - before.requests,
        retries: now.retries - before.retries,
        rate_limited: now.rate_limited - before.rate_limited,
    }
}

fn criteria(parameters: RunParameters, at: Timestamp) -> TopShowsCriteria {
    let this_year = at.to_zoned(TimeZone::UTC).year();
    TopShowsCriteria { years: parameters.years, top: parameters.top, this_year }
}

/// Rows say when they were made to the second.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
