use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tvshows_core::StoreError;

use crate::connect_options::ConnectOptions;
use crate::error::{Error, Remedy};

/// One that follows the snapshots, one that works on a run, and two for everything else.
const MAX_CONNECTIONS: usize = 4;
/// How many connections the requests of clients use at once, however many there are: the others remain for the lock, the
/// run and the copy.
const MAX_CLIENT_CONNECTIONS: usize = 2;
/// The time limit for an operation, including connecting.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for an operation that reads or changes all shows.
pub(crate) const BULK_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a transaction is repeated that the server asks to repeat.
const MAX_REPETITIONS: u32 = 5;
/// The oldest supported version of PostgreSQL, in the form of `server_version_num`.
const MIN_SERVER_VERSION: u32 = 150_000;

/// The parameters of a statement. Their types are given, so that the server never has to name a statement, which
/// poolers in transaction mode would mix up.
pub(crate) type Parameters<'a> = [(&'a (dyn ToSql + Sync), Type)];

/// The connections to the server.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
    /// What limits the use of the pool.
    permits: Option<Arc<Semaphore>>,
    /// The server with its address, such as `PostgreSQL at localhost:5432`.
    pub(crate) backend: Arc<str>,
}

impl Database {
    pub(crate) fn new(url: &str) -> Result<Database, StoreError> {
        let ConnectOptions { config, tls, backend } = ConnectOptions::parse(url)?;
        // Without a check when a connection is reused: that would be another round trip.
        let manager = Manager::from_config(config, tls, ManagerConfig::default());
        let pool = Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .wait_timeout(Some(OPERATION_TIMEOUT))
            .create_timeout(Some(OPERATION_TIMEOUT))
            .recycle_timeout(Some(OPERATION_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { check_server(client).await })
            }))
            .build()
            .map_err(|error| StoreError::Unavailable { source: error.into() })?;
        Ok(Database { pool, permits: None, backend: backend.into() })
    }

    /// Returns the same database for requests of clients, which get only some of its connections.
    pub(crate) fn for_clients(&self) -> Database {
        let permits = Arc::new(Semaphore::new(MAX_CLIENT_CONNECTIONS));
        Database { permits: Some(permits), ..self.clone() }
    }

    pub(crate) async fn connection(&self) -> Result<Connection, Error> {
        let started = Instant::now();
        let permit = match self.permits.clone() {
            Some(permits) => permits.acquire_owned().await.ok(),
            None => None,
        };
        let object = self.pool.get().await;
        metrics::histogram!("tvshows_replica_connection_wait_seconds").record(started.elapsed());
        Ok(Connection { object: Some(object?), is_clean: false, _permit: permit })
    }

    /// Runs an operation within a time limit, and records its duration under `kind`. It is repeated if the server asks
    /// for that, and once if the connection was lost.
    pub(crate) async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        kind: &'static str,
        limit: Duration,
        operation: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let result = timeout(limit, repeat(operation)).await.unwrap_or(Err(Error::Timeout));
        metrics::histogram!("tvshows_store_transaction_duration_seconds", "kind" => kind)
            .record(started.elapsed());
        result.map_err(|error| error.into_store_error(&self.backend))
    }

    /// Reads with one statement.
    pub(crate) async fn query(
        &self,
        kind: &'static str,
        sql: &str,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.run(kind, OPERATION_TIMEOUT, || async move {
            let connection = self.connection().await?;
            let rows = connection.query_typed(sql, parameters).await?;
            connection.release();
            Ok(rows)
        })
        .await
    }

    /// Changes something with one statement, and returns how many rows it changed.
    pub(crate) async fn execute(
        &self,
        kind: &'static str,
        sql: &str,
        parameters: &Parameters<'_>,
    ) -> Result<u64, StoreError> {
        self.run(kind, OPERATION_TIMEOUT, || async move {
            let connection = self.connection().await?;
            let changed = connection.execute_typed(sql, parameters).await?;
            connection.release();
            Ok(changed)
        })
        .await
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

async fn repeat<T, F: Future<Output = Result<T, Error>>>(
    operation: impl Fn() -> F,
) -> Result<T, Error> {
    let mut repetitions = 0;
    let mut has_reconnected = false;
    loop {
        let error = match operation().await {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        match error.remedy() {
            Remedy::Repeat if repetitions < MAX_REPETITIONS => {
                sleep(Duration::from_millis(10) * 2_u32.pow(repetitions)).await;
            }
            Remedy::Reconnect if !has_reconnected => has_reconnected = true,
            _ => return Err(error),
        }
        repetitions += 1;
    }
}

async fn check_server(client: &Client) -> Result<(), HookError> {
    let sql =
        "SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding')";
    let row = client.query_typed_one(sql, &[]).await.map_err(HookError::Backend)?;
    let read = || -> Result<(i64, String), tokio_postgres::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?))
    };
    let (version, encoding) = read().map_err(HookError::Backend)?;
    if version < i64::from(MIN_SERVER_VERSION) {
        return Err(HookError::message(format!(
            "PostgreSQL {} is too old; version {} or later is needed",
            version / 10_000,
            MIN_SERVER_VERSION / 10_000
        )));
    }
    if encoding != "UTF8" {
        return Err(HookError::message(format!(
            "the database has the encoding {encoding}; create one with the encoding UTF8"
        )));
    }
    Ok(())
}

/// How long the statements of a transaction may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Short,
    Bulk,
}

impl Limit {
    pub(crate) fn timeout(self) -> Duration {
        match self {
            Limit::Short => OPERATION_TIMEOUT,
            Limit::Bulk => BULK_TIMEOUT,
        }
    }

    /// Begins a transaction that writes. Without JIT, because the costs of a table that is being filled are
    /// overestimated: compiling a lookup takes 200 ms, and the lookup 1 ms. A holder that is paused inside one loses it
    /// before others give up waiting.
    pub(crate) fn begin_write(self) -> String {
        format!(
            "BEGIN; SET LOCAL lock_timeout = '4s'; SET LOCAL idle_in_transaction_session_timeout = '3s'; \
             SET LOCAL statement_timeout = '{}s'; SET LOCAL jit = off",
            self.timeout().as_secs()
        )
    }
}

/// Begins a transaction whose statements read the same snapshot. It ends when its connection is closed, at the latest.
pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL statement_timeout = '600s'; SET LOCAL jit = off";

/// A connection of the pool. Unless it is [released](Self::release), dropping it closes it, which also ends its
/// transaction: after an error or a time limit, its state is unknown.
pub(crate) struct Connection {
    object: Option<Object>,
    is_clean: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Commits the transaction.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.batch_execute("COMMIT").await?;
        self.release();
        Ok(())
    }

    /// Returns the connection to the pool. It has no open transaction.
    pub(crate) fn release(mut self) {
        self.is_clean = true;
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.object.as_ref().expect("it is taken only when the connection is dropped")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take_if(|_| !self.is_clean) {
            drop(Object::take(object));
        }
    }
}
