//! What a run would fetch, without fetching it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tvshows_core::{
    DetailsFilter, Facet, FacetFilter, FetchMode, PublishedManifest, RunParameters, Show,
    ShowFilter, ShowId, ShowQuery, SnapshotVersion, Sort, SortBy, StoreError, TopShowsCriteria,
};

use crate::clock::now_millis;
use crate::convert::saturating_u32;
use crate::details::{self, duration_at_limit};
use crate::error::RunError;
use crate::incremental_plan::{self, FetchPlan, is_outdated, near_cutoff};
use crate::pipeline::{Pipeline, is_plausible, widened_criteria};
use crate::submission::SubmitError;
use crate::tasks::Tasks;
use crate::updates::{UpdatesMap, page_of};

/// Why a runner made no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// This process does not accept requests for runs.
    #[error(transparent)]
    Refused(SubmitError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same error for all plans that wait for TVmaze.
    #[error(transparent)]
    Upstream(Arc<RunError>),
    #[error("TVmaze did not respond within {} s", MAP_TIMEOUT.as_secs())]
    UpstreamTimeout,
}

/// The updates map that the plans of a runner share, so that its clients cannot flood TVmaze with requests.
#[derive(Default)]
pub(crate) struct SharedMap(Mutex<Option<MapRequest>>);

/// A request for the updates map. It is sent by a task of its own, which continues if the client that caused it
/// disconnects.
struct MapRequest {
    /// The snapshot before the request.
    snapshot: SnapshotVersion,
    response: watch::Receiver<Option<Response>>,
}

/// When the request ended, and how.
type Response = (Instant, Result<Option<Arc<UpdatesMap>>, MapError>);

#[derive(Clone)]
enum MapError {
    Upstream(Arc<RunError>),
    Timeout,
}

impl MapRequest {
    fn send(pipeline: &Pipeline, snapshot: SnapshotVersion, tasks: &Tasks) -> MapRequest {
        let (sender, response) = watch::channel(None);
        let (pipeline, shutdown) = (pipeline.clone(), tasks.shutdown.clone());
        tasks.spawn(async move {
            let map = match shutdown
                .run_until_cancelled(timeout(MAP_TIMEOUT, pipeline.updates()))
                .await
            {
                None => return,
                Some(Err(_)) => Err(MapError::Timeout),
                Some(Ok(Err(error))) => Err(MapError::Upstream(Arc::new(error))),
                Some(Ok(Ok(map))) => Ok(map.map(Arc::new)),
            };
            let _ = sender.send(Some((Instant::now(), map)));
        });
        MapRequest { snapshot, response }
    }

    /// Whether another plan can use the response.
    fn is_current(&self, snapshot: SnapshotVersion) -> bool {
        match &*self.response.borrow() {
            None => self.snapshot == snapshot && self.response.has_changed().is_ok(),
            Some((ended, Ok(_))) => self.snapshot == snapshot && ended.elapsed() < MAP_MAX_AGE,
            Some((ended, Err(_))) => ended.elapsed() < ERROR_MAX_AGE,
        }
    }
}

impl SharedMap {
    /// Plans with a map of the last minute, unless there is another snapshot since.
    pub(crate) async fn plan(
        &self,
        pipeline: &Pipeline,
        parameters: RunParameters,
        tasks: &Tasks,
    ) -> Result<RunPlan, PlanError> {
        let snapshot = pipeline.catalog.snapshot_version().await?;
        let mut response = self.response(pipeline, snapshot, tasks);
        let response = response.wait_for(Option::is_some).await.map(|response| response.clone());
        // The task ends without a response only at a shutdown.
        let (_, map) =
            response.ok().flatten().ok_or(PlanError::Refused(SubmitError::ShuttingDown))?;
        let updates = map.map_err(|error| match error {
            MapError::Upstream(error) => PlanError::Upstream(error),
            MapError::Timeout => PlanError::UpstreamTimeout,
        })?;
        Ok(pipeline.plan_with(updates.as_deref(), parameters).await?)
    }

    /// The response to the last request, or else to a new one.
    fn response(
        &self,
        pipeline: &Pipeline,
        snapshot: SnapshotVersion,
        tasks: &Tasks,
    ) -> watch::Receiver<Option<Response>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = last.take_if(|request| request.is_current(snapshot));
        let request = current.unwrap_or_else(|| MapRequest::send(pipeline, snapshot, tasks));
        last.insert(request).response.clone()
    }
}

/// How many shows are read from the catalog at a time.
const BATCH: u32 = 2000;
/// TVmaze's own map can be an hour old.
const MAP_MAX_AGE: Duration = Duration::from_mins(1);
/// How long an error is returned again, instead of a request to a TVmaze that is down.
const ERROR_MAX_AGE: Duration = Duration::from_secs(10);
/// How long clients wait for a map, which takes a second or two. An update has more time.
const MAP_TIMEOUT: Duration = Duration::from_secs(30);

/// What a run would fetch now. It can be a few requests more, for what only the responses tell: a show that is newer
/// than its index page, one that newly matches `DETAILS`, or one that enters the top shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RunPlan {
    /// `full` if the whole index would be fetched.
    pub mode: FetchMode,
    /// Index pages; `null` if the length of the index is unknown, because TVmaze has no updates map.
    pub index_pages: Option<u32>,
    /// Shows to fetch individually.
    pub shows: u32,
    /// Shows whose episodes and cast would be fetched, each with one request; `null` if that is known only after the
    /// shows are fetched.
    pub details: Option<u32>,
    /// Casts of top shows.
    pub casts: u32,
    /// Published shows that would be deleted, without a request.
    pub deletions: u32,
    /// All requests, including the one for the updates map, but not those for an unknown number of details.
    pub requests: u64,
    /// How long these requests take at TVmaze's limit, in seconds.
    pub seconds: u64,
}

impl Pipeline {
    /// Plans a run as if it started now, ignoring what an interrupted or failed one has staged. Sends one request, and
    /// changes nothing.
    pub async fn plan(&self, parameters: RunParameters) -> Result<RunPlan, RunError> {
        let updates = self.updates().await?;
        Ok(self.plan_with(updates.as_ref(), parameters).await?)
    }

    pub(crate) async fn plan_with(
        &self,
        updates: Option<&UpdatesMap>,
        parameters: RunParameters,
    ) -> Result<RunPlan, StoreError> {
        let published = self.catalog.manifest().await?;
        let updates = updates.filter(|updates| is_plausible(updates, &published));
        let chosen = self.chosen(&published, updates).await?;
        let (chosen, none) = (chosen.as_ref(), BTreeSet::new());
        let limits = self.plan_limits(chosen.unwrap_or(&none), self.max_details);
        let incremental = updates
            .filter(|_| parameters.mode == FetchMode::Auto && !published.shows.is_empty())
            .and_then(|updates| {
                let staged = BTreeMap::new();
                let plan =
                    incremental_plan::plan(&published, &staged, updates, limits, now_millis());
                Some((plan?, updates))
            });
        match incremental {
            Some((plan, updates)) => {
                let ranked = self.ranked(widened_criteria(parameters)).await?;
                Ok(incremental_run(&published, updates, plan, &ranked, chosen, parameters))
            }
            None => Ok(full_run(&published, updates, chosen, parameters)),
        }
    }

    /// The shows that are known to be chosen by `DETAILS`; `None` if no show is known.
    async fn chosen(
        &self,
        published: &PublishedManifest,
        updates: Option<&UpdatesMap>,
    ) -> Result<Option<BTreeSet<ShowId>>, StoreError> {
        let DetailsFilter::Matching(filter) = &self.details else {
            return Ok(Some(BTreeSet::new()));
        };
        let by_id = filter.ids.as_ref().zip(updates).map(|(ids, updates)| {
            ids.iter().filter(|id| updates.contains_key(id)).collect::<BTreeSet<_>>()
        });
        if published.shows.is_empty() {
            return Ok(by_id);
        }
        let mut chosen = self.published_matches(filter).await?;
        let new = updates.map(|updates| details::chosen_by_id(filter, updates, published));
        chosen.extend(new.into_iter().flatten());
        Ok(Some(chosen))
    }

    async fn published_matches(&self, filter: &ShowFilter) -> Result<BTreeSet<ShowId>, StoreError> {
        let mut matching = BTreeSet::new();
        let mut query = ShowQuery { filter: filter.clone(), limit: BATCH, ..ShowQuery::default() };
        loop {
            let page = self.catalog.shows(query.clone()).await?;
            matching.extend(page.shows.iter().map(|show| show.id));
            if page.next.is_none() {
                return Ok(matching);
            }
            query.after = page.next;
        }
    }

    /// The published shows that would rank best.
    async fn ranked(&self, criteria: TopShowsCriteria) -> Result<Vec<Show>, StoreError> {
        let mut filter = ShowFilter::default();
        for (facet, value) in
            [(Facet::Language, TopShowsCriteria::LANGUAGE), (Facet::Genre, TopShowsCriteria::GENRE)]
        {
            filter.facets.insert(facet, FacetFilter::Is(value.to_owned()));
        }
        filter.premiered_from = format!("{:04}", criteria.first_year()).parse().ok();
        let sort = Sort { by: SortBy::Rating, descending: true };
        let limit = u32::from(criteria.top.get());
        let query = ShowQuery { filter, sort, limit, ..ShowQuery::default() };
        let shows = self.catalog.shows(query).await?.shows;
        criteria.rank(shows.into_iter().map(Ok))
    }
}

fn incremental_run(
    published: &PublishedManifest,
    updates: &UpdatesMap,
    plan: FetchPlan,
    ranked: &[Show],
    chosen: Option<&BTreeSet<ShowId>>,
    parameters: RunParameters,
) -> RunPlan {
    let FetchPlan { pages, mut shows, detailed, deletions } = plan;
    let near = near_cutoff(published, ranked, parameters.top, now_millis());
    shows.extend(near.into_iter().filter(|id| !pages.contains(&page_of(*id))));
    shows.retain(|id| !detailed.contains(id));
    let is_changed =
        |id: &ShowId| updates.get(id).is_some_and(|updated| is_outdated(published, *id, *updated));
    let known_version = |id: &ShowId| published.shows.get(id).and_then(|version| version.updated());
    let details = chosen.map(|chosen| {
        let deleted: BTreeSet<ShowId> = deletions.iter().copied().collect();
        let needed = chosen.iter().filter(|id| {
            is_changed(id) || details::is_outdated(published.details.get(id), known_version(id))
        });
        let needed = needed.filter(|id| !deleted.contains(id)).count();
        // A new show can be fetched with its details before it is known to be chosen.
        saturating_u32(needed + detailed.difference(chosen).count())
    });
    let has_details = |id: &ShowId| chosen.is_some_and(|chosen| chosen.contains(id));
    let top = ranked.iter().take(parameters.top.get().into()).map(|show| show.id);
    let casts = top.filter(|id| {
        let version = published.details.get(id);
        let has_cast = version.is_some_and(|version| version.updated >= known_version(id));
        !has_details(id) && (is_changed(id) || !has_cast)
    });
    let (index_pages, shows) = (saturating_u32(pages.len()), saturating_u32(shows.len()));
    RunPlan {
        mode: FetchMode::Auto,
        index_pages: Some(index_pages),
        shows,
        details,
        casts: saturating_u32(casts.count()),
        deletions: saturating_u32(deletions.len()),
        ..RunPlan::EMPTY
    }
    .with_total()
}

fn full_run(
    published: &PublishedManifest,
    updates: Option<&UpdatesMap>,
    chosen: Option<&BTreeSet<ShowId>>,
    parameters: RunParameters,
) -> RunPlan {
    let last = updates.and_then(|updates| updates.last_key_value().map(|(id, _)| *id));
    let last = last.or_else(|| published.shows.last_key_value().map(|(id, _)| *id));
    let is_deleted = |id: &&ShowId| updates.is_some_and(|updates| !updates.contains_key(id));
    let details = chosen.map(|chosen| {
        let needed = chosen.iter().filter(|id| {
            let known_version = published.shows.get(id).and_then(|version| version.updated());
            let newest = updates.and_then(|updates| updates.get(id).copied()).or(known_version);
            let version = published.details.get(id);
            parameters.mode == FetchMode::Full || details::is_outdated(version, newest)
        });
        saturating_u32(needed.count())
    });
    RunPlan {
        // The last one returns 404.
        index_pages: last.map(|id| page_of(id) + 2),
        details,
        casts: parameters.top.get().into(),
        deletions: saturating_u32(published.shows.keys().filter(is_deleted).count()),
        ..RunPlan::EMPTY
    }
    .with_total()
}

impl RunPlan {
    const EMPTY: RunPlan = RunPlan {
        mode: FetchMode::Full,
        index_pages: None,
        shows: 0,
        details: None,
        casts: 0,
        deletions: 0,
        requests: 0,
        seconds: 0,
    };

    fn with_total(mut self) -> RunPlan {
        let parts = [self.index_pages, Some(self.shows), self.details, Some(self.casts)];
        // One is for the updates map.
        self.requests = 1 + parts.into_iter().flatten().map(u64::from).sum::<u64>();
        self.seconds = duration_at_limit(self.requests).as_secs();
        self
    }
}
