//! Copies the published snapshot and the history of updates to an empty database, over the ports.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use indicatif::ProgressBar;
use jiff::Timestamp;
use tokio::time::sleep;
use tvshows_core::{
    Catalog, CellValue, FinalStatus, Ownership, PublishedManifest, RowWriter, RunEvent, RunId,
    RunParameters, RunSession, RunState, RunStatus, Show, ShowDetails, ShowFilter, ShowId,
    ShowQuery, Sort, SortBy, StagedBatch, Table, Trigger,
};

use crate::database::Stores;
use crate::output;

/// How many shows are read at a time: a few megabytes.
const PAGE_SIZE: u32 = 2000;
/// Of how many shows the details are staged at a time: a few megabytes.
const DETAILS_BATCH_SIZE: usize = 100;
/// Several times within the shortest lifetime of a lock.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);

/// What the names of copying processes begin with.
const HOLDER_PREFIX: &str = "copy-";

const PUBLISHED_MEANWHILE: &str = "an update was published during the copy; start it again";

/// What was copied.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    pub(crate) shows: u32,
    pub(crate) top_shows: u32,
    pub(crate) cast_rows: u32,
    pub(crate) episodes: u32,
    pub(crate) runs: u32,
}

/// Copies everything from one database to another one, or publishes nothing. Gives up when `interrupted` completes.
///
/// The target must be empty, or have what a copy of the same database left behind that did not complete.
pub(crate) async fn copy(
    from: &Stores,
    to: &Stores,
    bar: &ProgressBar,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<Copied> {
    let holder = format!("{HOLDER_PREFIX}{}", to.instance);
    let is_acquired = to.lock.acquire(&holder, None).await?;
    ensure!(is_acquired, "another process works on updates there; stop it and try again");
    let transfer = Transfer { from, to, holder: &holder, bar };
    let copied = tokio::select! {
        copied = transfer.run() => copied,
        lost = lock_lost(to, &holder) => Err(lost),
        () = interrupted => Err(anyhow!("interrupted by a signal")),
    };
    to.lock.release(&holder).await;
    copied
}

/// Renews the lock until that fails.
async fn lock_lost(to: &Stores, holder: &str) -> anyhow::Error {
    loop {
        sleep(RENEWAL_INTERVAL).await;
        match to.lock.renew(holder).await {
            Ok(true) => {}
            Ok(false) => return anyhow!("another process has taken over the database"),
            Err(error) => return error.into(),
        }
    }
}

struct Transfer<'a> {
    from: &'a Stores,
    to: &'a Stores,
    holder: &'a str,
    bar: &'a ProgressBar,
}

/// When each show or its details were fetched, by what its rows say.
type FetchTimes = BTreeMap<ShowId, Timestamp>;

impl Transfer<'_> {
    async fn run(&self) -> anyhow::Result<Copied> {
        let (from, to) = (self.from, self.to);
        let mut runs = from.queue.list(u32::MAX).await?;
        let unfinished = runs.iter().filter(|run| !run.state.is_terminal()).count();
        if unfinished > 0 {
            let updates =
                output::count(unfinished as u64, "unfinished update", "unfinished updates");
            output::eprint_line(format!("warning: {updates} will not be copied"));
        }
        runs.retain(|run| run.state.is_terminal());
        let snapshot = from.catalog.snapshot_version().await?;
        let manifest = from.catalog.manifest().await?;
        // The manifest is that of the shared database, and the rest is read from the local copy.
        if let Some(replica) = &from.replica {
            ensure!(replica.is_current().await?, PUBLISHED_MEANWHILE);
        }
        if runs.is_empty() && manifest.shows.is_empty() {
            bail!("there is nothing to copy: no update has published anything");
        }
        let left_behind = self.left_behind(&runs).await?;
        runs.reverse();

        // The snapshot is published by the update that published it before.
        let publisher = runs.iter().rposition(|run| run.state == RunState::Succeeded);
        let (earlier, rest) = runs.split_at(publisher.unwrap_or(runs.len()));
        let later = rest.get(1..).unwrap_or_default();
        self.save_all(earlier).await?;
        let mut copied = Copied { runs: u32::try_from(runs.len())?, ..Copied::default() };
        if !manifest.shows.is_empty() {
            let stored = rest.first().and_then(|run| left_behind.get(&run.request_id));
            let attempt = stored.map_or(0, |stored| stored.attempt + 1);
            let (started, final_status) = self.publisher(rest.first(), attempt);
            let ownership = Ownership { lock: true, lease: false };
            let session = to.queue.begin(&started, ownership).await?;
            session.discard_staging().await?;
            let session = Session { session: session.as_ref(), status: &started };
            self.stage_shows(&session, &manifest, &mut copied).await?;
            let published_at = snapshot.published_at.unwrap_or(started.updated_at);
            let top = self.top_shows(&mut copied).await?;
            let detailed =
                self.stage_details(&session, &manifest, &top, published_at, &mut copied).await?;
            stage_pages(&session, &manifest).await?;
            let staged = session.session.staged_show_count().await?;
            ensure!(
                from.catalog.snapshot_version().await? == snapshot && staged == copied.shows,
                PUBLISHED_MEANWHILE
            );
            session.session.publish(&top, &detailed, published_at, final_status).await?;
        }
        self.save_all(later).await?;
        Ok(copied)
    }

    /// Returns what a copy of the same database left behind. Fails if the target has anything else.
    async fn left_behind(&self, runs: &[RunStatus]) -> anyhow::Result<BTreeMap<RunId, RunStatus>> {
        let known: BTreeSet<RunId> = runs.iter().map(|run| run.request_id).collect();
        let stored = self.to.queue.list(u32::MAX).await?;
        let is_foreign = |run: &RunStatus| {
            !known.contains(&run.request_id) && !run.instance.starts_with(HOLDER_PREFIX)
        };
        if stored.iter().any(is_foreign) || !self.to.catalog.manifest().await?.shows.is_empty() {
            bail!("it is not empty; choose a new file or an empty database");
        }
        Ok(stored.into_iter().map(|run| (run.request_id, run)).collect())
    }

    async fn save_all(&self, runs: &[RunStatus]) -> anyhow::Result<()> {
        for run in runs {
            self.to.queue.save_status(run).await?;
        }
        Ok(())
    }

    /// Returns the status with which the run that publishes the snapshot starts, and its final one.
    fn publisher(&self, run: Option<&RunStatus>, min_attempt: u32) -> (RunStatus, FinalStatus) {
        let instance = self.holder.to_owned();
        if let Some(run) = run {
            let attempt = run.attempt.max(min_attempt);
            let ended = RunStatus { attempt, ..run.clone() };
            let started = RunStatus {
                state: RunState::Running,
                running: true,
                progress: 0,
                finished_at: None,
                revision: run.revision.saturating_sub(1),
                instance,
                ..ended.clone()
            };
            return (started, Arc::new(move |_| ended.clone()));
        }
        // The history does not have it any more.
        let now = Timestamp::now();
        let queued = RunStatus::queued(RunId::random(), RunParameters::default(), &instance, now);
        let mut started = RunStatus { trigger: Some(Trigger::CommandLine), ..queued };
        started.apply(RunEvent::Started, now);
        let ended = started.clone();
        let final_status = move |changes| {
            let mut status = ended.clone();
            status.apply(RunEvent::Succeeded(changes), Timestamp::now());
            status
        };
        (started, Arc::new(final_status))
    }

    /// Stages the shows in the order of their ids, each with the time when it was fetched.
    async fn stage_shows(
        &self,
        session: &Session<'_>,
        manifest: &PublishedManifest,
        copied: &mut Copied,
    ) -> anyhow::Result<()> {
        let times = fetch_times(self.from.catalog.as_ref(), Table::AllShows, "id").await?;
        self.bar.set_length(manifest.shows.len() as u64);
        let sort = Sort { by: SortBy::Id, descending: false };
        let mut query = ShowQuery { sort, limit: PAGE_SIZE, ..ShowQuery::default() };
        loop {
            let page = self.from.catalog.shows(query.clone()).await?;
            let number = page.shows.len();
            let mut batches: BTreeMap<Timestamp, Vec<Show>> = BTreeMap::new();
            for show in page.shows {
                let version = manifest.shows.get(&show.id).map(|version| version.fetched_at());
                let version = version.context(PUBLISHED_MEANWHILE)?;
                // The row is more precise. The manifest is newer if the show was fetched again and had not changed.
                let row = times.get(&show.id).filter(|row| row.as_second() == version.as_second());
                batches.entry(row.copied().unwrap_or(version)).or_default().push(show);
            }
            for (at, shows) in batches {
                session.stage(StagedBatch::Shows { shows, details: Vec::new(), at }).await?;
            }
            copied.shows += u32::try_from(number)?;
            self.bar.set_position(copied.shows.into());
            if page.next.is_none() {
                return Ok(());
            }
            query.after = page.next;
        }
    }

    /// Returns the top shows, best first.
    async fn top_shows(&self, copied: &mut Copied) -> anyhow::Result<Vec<ShowId>> {
        let top = self.from.catalog.top_shows(u32::MAX).await?;
        copied.top_shows = u32::try_from(top.len())?;
        Ok(top.into_iter().map(|show| show.id).collect())
    }

    /// Stages all casts and episodes, each with the time when it was fetched. Returns the shows whose episodes are
    /// stored.
    async fn stage_details(
        &self,
        session: &Session<'_>,
        manifest: &PublishedManifest,
        top: &[ShowId],
        published_at: Timestamp,
        copied: &mut Copied,
    ) -> anyhow::Result<Vec<ShowId>> {
        let catalog = self.from.catalog.as_ref();
        let mut times = fetch_times(catalog, Table::ShowCast, "show_id").await?;
        times.append(&mut fetch_times(catalog, Table::Episodes, "show_id").await?);
        let mut batches: BTreeMap<Timestamp, Vec<ShowDetails>> = BTreeMap::new();
        let shows: BTreeSet<ShowId> = manifest.details.keys().chain(top).copied().collect();
        let mut detailed = Vec::new();
        for show_id in shows {
            let Some(cast) = catalog.cast(show_id).await? else { continue };
            let cast: Vec<_> = cast.into_iter().map(|row| row.member).collect();
            let episodes = catalog.episodes(show_id).await?;
            copied.cast_rows += u32::try_from(cast.len())?;
            if let Some(episodes) = &episodes {
                copied.episodes += u32::try_from(episodes.len())?;
                detailed.push(show_id);
            }
            let updated = manifest.details.get(&show_id).and_then(|version| version.updated);
            let at = times.get(&show_id).copied().unwrap_or(published_at);
            let details = ShowDetails { show_id, updated, cast, episodes };
            batches.entry(at).or_default().push(details);
            if batches.values().map(Vec::len).sum::<usize>() == DETAILS_BATCH_SIZE {
                session.stage_details(&mut batches).await?;
            }
        }
        session.stage_details(&mut batches).await?;
        Ok(detailed)
    }
}

/// The attempt that fills the target.
struct Session<'a> {
    session: &'a dyn RunSession,
    status: &'a RunStatus,
}

impl Session<'_> {
    async fn stage(&self, batch: StagedBatch) -> anyhow::Result<()> {
        Ok(self.session.commit(Some(Arc::new(batch)), self.status).await?)
    }

    /// Stages all details, by the time when they were fetched.
    async fn stage_details(
        &self,
        batches: &mut BTreeMap<Timestamp, Vec<ShowDetails>>,
    ) -> anyhow::Result<()> {
        while let Some((at, details)) = batches.pop_first() {
            self.stage(StagedBatch::Shows { shows: Vec::new(), details, at }).await?;
        }
        Ok(())
    }
}

/// Stages when each index page was fetched. Their shows are staged already.
async fn stage_pages(session: &Session<'_>, manifest: &PublishedManifest) -> anyhow::Result<()> {
    let mut batches: BTreeMap<Timestamp, Vec<(u32, Vec<Show>)>> = BTreeMap::new();
    for (page, at) in &manifest.pages {
        batches.entry(*at).or_default().push((*page, Vec::new()));
    }
    for (at, pages) in batches {
        session.stage(StagedBatch::Pages { pages, at }).await?;
    }
    Ok(())
}

/// Reads when the rows of each show were fetched, to the millisecond.
async fn fetch_times(
    catalog: &dyn Catalog,
    table: Table,
    id_column: &str,
) -> anyhow::Result<FetchTimes> {
    let times = Arc::new(Mutex::new(FetchTimes::new()));
    let index = |name| table.column_names().position(|column| column == name);
    let columns = index(id_column).zip(index("processed_at"));
    let columns = columns.with_context(|| format!("{} lacks a column", table.name()))?;
    let writer = FetchTimesWriter { columns, times: Arc::clone(&times) };
    let make_writer = |_| Ok(Box::new(writer) as Box<dyn RowWriter>);
    catalog.export(table, ShowFilter::default(), Box::new(make_writer)).await?;
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *times))
}

struct FetchTimesWriter {
    /// The indexes of the show's id and of `processed_at`.
    columns: (usize, usize),
    times: Arc<Mutex<FetchTimes>>,
}

impl RowWriter for FetchTimesWriter {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        let (id, processed_at) = self.columns;
        if let (CellValue::Integer(id), CellValue::Text(at)) = (cells[id], cells[processed_at])
            && let (Ok(id), Ok(at)) = (u32::try_from(id), at.parse())
        {
            let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            times.insert(ShowId(id), at);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tvshows_testkit::PostgresServer;

    use super::*;
    use crate::database::{self, Need};
    use crate::location::{Location, SharedDatabase};

    /// Publishes a show.
    async fn publish(stores: &Stores, name: &str) {
        let now = Timestamp::now();
        let parameters = RunParameters::default();
        let mut status = RunStatus::queued(RunId::random(), parameters, &stores.instance, now);
        status.apply(RunEvent::Started, now);
        assert!(stores.lock.acquire(&stores.instance, None).await.unwrap());
        let ownership = Ownership { lock: true, lease: false };
        let session = stores.queue.begin(&status, ownership).await.unwrap();
        let show = Show { id: ShowId(1), name: name.into(), ..Show::default() };
        let batch = StagedBatch::Pages { pages: vec![(0, vec![show])], at: now };
        session.commit(Some(Arc::new(batch)), &status).await.unwrap();
        let final_status = move |changes| {
            let mut status = status.clone();
            status.apply(RunEvent::Succeeded(changes), now);
            status
        };
        session.publish(&[], &[], now, Arc::new(final_status)).await.unwrap();
        stores.lock.release(&stores.instance).await;
    }

    #[tokio::test]
    async fn content_and_versions_are_those_of_one_snapshot() {
        let url = PostgresServer::shared().await.create_database().await;
        let shared = SharedDatabase { url: url.into(), setting: "DATABASE_URL", copy: None };
        let location = Location::Shared(shared);
        let writer = database::open(&location).await.unwrap();
        publish(&writer, "Old").await;
        let source = database::open_reader(&location, Need::Shows).await.unwrap();
        publish(&writer, "New").await;
        let folder = tempfile::tempdir().unwrap();
        let file = Location::File(folder.path().join("tvshows.db"));
        let target = database::open(&file).await.unwrap();
        let bar = ProgressBar::hidden();
        let error = copy(&source, &target, &bar, pending()).await.unwrap_err();
        assert_eq!(error.to_string(), PUBLISHED_MEANWHILE);
        let source = database::open_reader(&location, Need::Shows).await.unwrap();
        assert_eq!(copy(&source, &target, &bar, pending()).await.unwrap().shows, 1);
    }
}
