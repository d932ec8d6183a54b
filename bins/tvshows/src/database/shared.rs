//! A PostgreSQL database, whose published shows are read from a local copy.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tvshows_core::{Catalog, SnapshotCopy, SnapshotSource, StoreError, TopShow};
use tvshows_postgres::PostgresStore;
use tvshows_replica::{OpenCopy, ReplicaCatalog};

use super::local_copy::LocalCopy;
use super::{Need, Stores, instance_name};
use crate::config_error::ConfigError;
use crate::location::SharedDatabase;
use crate::output;

/// How long a start waits for the server if there is no copy to serve meanwhile.
const START_TIMEOUT: Duration = Duration::from_mins(1);
const START_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Of the copies of commands, which are brought up to date first.
const UNLIMITED: Duration = Duration::MAX;

/// The local copy, and what keeps it current.
#[derive(Clone)]
pub(crate) struct Replica {
    catalog: Arc<ReplicaCatalog>,
    store: Arc<PostgresStore>,
    /// Deleted when the last clone is dropped.
    _folder: Option<Arc<TempDir>>,
}

impl Replica {
    /// Keeps the copy current until it is dropped. First upgrades the schema, in case that the server was not available
    /// before.
    pub(crate) async fn follow(&self) -> Infallible {
        let mut is_reported = false;
        while let Err(error) = try_migrate(&self.store).await {
            if !error.is_transient() && !is_reported {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "cannot upgrade the schema of the database; retrying");
                is_reported = true;
            }
            sleep(START_RETRY_INTERVAL).await;
        }
        self.catalog.follow().await
    }

    /// Returns the first `limit` top shows of the shared database, best first, without bringing the copy up to date.
    pub(crate) async fn published_top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        self.store.top_shows(limit).await
    }

    /// Whether the shared database has published nothing since the copy was brought up to date.
    pub(crate) async fn is_current(&self) -> Result<bool, StoreError> {
        Ok(self.store.position().await?.version == self.catalog.snapshot_version().await?)
    }

    /// Releases the copy for other processes.
    pub(crate) async fn close(&self) {
        self.catalog.close().await;
    }
}

/// Opens a database for a command that updates it. Waits for the server.
pub(super) async fn open(shared: &SharedDatabase) -> anyhow::Result<Stores> {
    let store = connect(shared)?;
    migrate_when_available(&store, false).await?;
    // Updates read nothing from the copy.
    stores(store, LocalCopy::temporary().await?, UNLIMITED).await
}

/// Opens a database for a service. If the server is not available, the copy is served as it is.
pub(super) async fn open_service(
    shared: &SharedDatabase,
    max_staleness: Duration,
) -> anyhow::Result<Stores> {
    let store = connect(shared)?;
    let copy = match &shared.copy {
        Some(path) => LocalCopy::open(path).await.with_context(|| path.display().to_string())?,
        None => LocalCopy::temporary().await?,
    };
    let can_serve = SnapshotCopy::position(copy.store.as_ref()).await?.is_some();
    let is_available = migrate_when_available(&store, can_serve).await?;
    let stores = stores(store, copy, max_staleness).await?;
    if is_available && let Some(replica) = &stores.replica {
        // Before the first request. What fails now is repeated later.
        if let Err(error) = replica.catalog.catch_up().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot update the local copy yet");
        }
    }
    Ok(stores)
}

/// Opens a database for a command that reads, with a copy that is current. If the server is not available, the copy at
/// `shared.copy` is used as it is.
pub(super) async fn open_reader(shared: &SharedDatabase, need: Need) -> anyhow::Result<Stores> {
    let store = connect(shared)?;
    let schema = match store.schema().await {
        Err(error) if error.is_transient() && matches!(need, Need::Shows | Need::Everything) => {
            return open_outdated(shared, store, error).await;
        }
        schema => schema?,
    };
    schema.check()?;
    if need == Need::Runs {
        return history(store).await;
    }
    if matches!(need, Need::Shows | Need::Manifest)
        && let Some(path) = &shared.copy
        && let Some((copy, position)) = LocalCopy::existing(path).await
        && position == store.position().await?
    {
        return stores(store, copy, UNLIMITED).await;
    }
    let copy = match &shared.copy {
        Some(path) => own_or_temporary_copy(path).await?,
        None => LocalCopy::temporary().await?,
    };
    let stores = stores(store, copy, UNLIMITED).await?;
    if let Some(replica) = &stores.replica {
        replica.catalog.catch_up().await?;
    }
    Ok(stores)
}

/// Opens the copy as it is, while the server is not available.
async fn open_outdated(
    shared: &SharedDatabase,
    store: Arc<PostgresStore>,
    error: StoreError,
) -> anyhow::Result<Stores> {
    let error = anyhow::Error::new(error);
    let Some(path) = &shared.copy else { return Err(error) };
    let Some((copy, _)) = LocalCopy::existing(path).await else { return Err(error) };
    let warning = format!("warning: {error:#}; the local copy is used, which may be out of date");
    output::eprint_line(warning);
    stores(store, copy, UNLIMITED).await
}

/// Opens a temporary copy of the history of updates only.
async fn history(store: Arc<PostgresStore>) -> anyhow::Result<Stores> {
    let copy = LocalCopy::temporary().await?;
    copy.store.replace_run_history(store.run_history().await?).await?;
    let catalog = copy.store.clone();
    Ok(Stores { catalog, ..stores(store, copy, UNLIMITED).await? })
}

/// Opens the copy at `path`, or a temporary one if a service uses that or it cannot be written.
async fn own_or_temporary_copy(path: &Path) -> anyhow::Result<LocalCopy> {
    match LocalCopy::open(path).await {
        Ok(copy) => Ok(copy),
        Err(StoreError::ReadOnly) => LocalCopy::temporary().await,
        Err(_) if LocalCopy::existing(path).await.is_some() => LocalCopy::temporary().await,
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Prepares connections. The server need not be available.
fn connect(shared: &SharedDatabase) -> anyhow::Result<Arc<PostgresStore>> {
    match PostgresStore::new(shared.url.expose_secret()) {
        Ok(store) => Ok(Arc::new(store)),
        Err(StoreError::InvalidDatabase { reason: problem }) => {
            Err(ConfigError { setting: shared.setting, problem }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Connects to a database whose schema this release can use.
pub(super) async fn connect_existing(
    shared: &SharedDatabase,
) -> anyhow::Result<Arc<PostgresStore>> {
    let store = connect(shared)?;
    store.schema().await?.check()?;
    Ok(store)
}

/// Creates or upgrades the schema, and returns its version. Waits for the server.
pub(super) async fn migrate(shared: &SharedDatabase) -> anyhow::Result<u32> {
    let store = connect(shared)?;
    // The command has no log.
    if let Err(error) = store.schema().await
        && error.is_transient()
    {
        let error = anyhow::Error::new(error);
        let seconds = START_TIMEOUT.as_secs();
        output::eprint_line(format!("warning: {error:#}; waiting up to {seconds} s for it"));
    }
    migrate_when_available(&store, false).await?;
    Ok(store.schema().await?.version)
}

/// Returns the version of the schema, or fails if this release cannot use it.
pub(super) async fn require_schema(shared: &SharedDatabase) -> anyhow::Result<u32> {
    let schema = connect(shared)?.schema().await?;
    schema.check()?;
    Ok(schema.version)
}

/// Upgrades the schema as soon as the server is available, and returns whether it is: with `can_serve`, nothing waits
/// for it.
async fn migrate_when_available(store: &PostgresStore, can_serve: bool) -> anyhow::Result<bool> {
    let deadline = Instant::now() + START_TIMEOUT;
    let mut is_waiting = false;
    loop {
        let error = match try_migrate(store).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        if !error.is_transient() || (!can_serve && Instant::now() >= deadline) {
            return Err(error.into());
        }
        let cause = &error as &dyn std::error::Error;
        if can_serve {
            tracing::warn!(error = cause, "serving the local copy until the database is available");
            return Ok(false);
        }
        if !is_waiting {
            let seconds = START_TIMEOUT.as_secs();
            tracing::warn!(error = cause, "waiting up to {seconds} s for the database");
            is_waiting = true;
        }
        sleep(START_RETRY_INTERVAL).await;
    }
}

async fn try_migrate(store: &PostgresStore) -> Result<(), StoreError> {
    if store.schema().await?.is_outdated() {
        store.migrate().await?;
    }
    store.schema().await?.check()
}

async fn stores(
    store: Arc<PostgresStore>,
    copy: LocalCopy,
    max_staleness: Duration,
) -> anyhow::Result<Stores> {
    let instance = instance_name();
    let catalog = ReplicaCatalog::new(store.clone(), copy.store, instance.clone(), max_staleness);
    let catalog = match copy.path {
        Some(path) => catalog.await?.reopen_with(open_again(path)),
        None => catalog.await?,
    };
    let catalog = Arc::new(catalog);
    Ok(Stores {
        catalog: catalog.clone(),
        queue: store.clone(),
        lock: store.clone(),
        instance,
        is_read_only: false,
        replica: Some(Replica { catalog, store, _folder: copy.folder.map(Arc::new) }),
    })
}

fn open_again(path: PathBuf) -> OpenCopy {
    Box::new(move || {
        let path = path.clone();
        Box::pin(async move {
            let copy: Arc<dyn SnapshotCopy> = LocalCopy::open(&path).await?.store;
            Ok(copy)
        })
    })
}
