use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tvshows_core::{
    Enqueued, LockError, LockExpiry, NextRun, Ownership, PublishedManifest, RunId, RunLock,
    RunQueue, RunRecord, RunSession, RunState, RunStatus, SnapshotChanges, SnapshotPosition,
    SnapshotSource, StoreError, TopShow,
};

use crate::database::{BEGIN_READ, BULK_TIMEOUT, Connection, Database, Limit, OPERATION_TIMEOUT};
use crate::error::Error;
use crate::migrations::{self, Schema};
use crate::session::PostgresSession;
use crate::{changes, lock, replicas, runs, staging};

/// A [`RunQueue`], [`RunLock`] and [`SnapshotSource`] in PostgreSQL, shared by all processes that use the database.
///
/// It connects when it is needed, with at most four connections, and reconnects after PostgreSQL was unavailable. It
/// names no statements and keeps no state in its sessions, so a pooler in transaction mode can be in between.
pub struct PostgresStore {
    database: Database,
    /// The same for what clients of the API request.
    clients: Database,
    id: Arc<OnceCell<String>>,
}

impl PostgresStore {
    /// Uses the database at a URL, without connecting to it yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidDatabase`] if the URL is invalid, or would send data without TLS to another machine and
    /// does not say `sslmode=disable`. No error contains the URL, since it may hold a password.
    pub fn new(url: &str) -> Result<PostgresStore, StoreError> {
        let database = Database::new(url)?;
        Ok(PostgresStore { clients: database.for_clients(), database, id: Arc::default() })
    }

    /// Connects to the database at a URL, and checks that this program can use it.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new) and of [`Schema::check`]; [`StoreError::Unreachable`] if the server does not answer.
    pub async fn connect(url: &str) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::new(url)?;
        store.schema().await?.check()?;
        Ok(store)
    }

    /// Returns the server with its address, such as `PostgreSQL at localhost:5432`.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.database.backend
    }

    /// Returns the schema of the database, without changing it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] if the server does not answer, [`StoreError::InvalidDatabase`] if it refuses the login
    /// or is too old.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        migrations::read(&self.database).await
    }

    /// Creates the tables and views, or brings them up to date. Several processes may do so at the same time.
    ///
    /// # Errors
    ///
    /// Those of [`schema`](Self::schema); [`StoreError::InvalidDatabase`] if the database has tables of another program,
    /// which leaves it unchanged.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrations::migrate(&self.database).await
    }

    /// Begins a transaction that writes.
    async fn begin_write(&self, limit: Limit) -> Result<Connection, Error> {
        let connection = self.database.connection().await?;
        connection.batch_execute(&limit.begin_write()).await?;
        Ok(connection)
    }

    /// Waits until replicas have the snapshots that some runs have published a moment ago.
    async fn when_copied(&self, runs: impl IntoIterator<Item = runs::StoredRun>) -> Vec<RunStatus> {
        let runs: Vec<_> = runs.into_iter().collect();
        let newest = runs.iter().filter_map(runs::StoredRun::recent_snapshot).max();
        if let Some(number) = newest {
            replicas::wait_until_copied(&self.clients, number).await;
        }
        runs.into_iter().map(|run| run.status).collect()
    }

    async fn try_enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, Error> {
        let connection = self.clients.connection().await?;
        if let Some(joined) = runs::join(&connection, status, except).await? {
            connection.release();
            return Ok(joined);
        }
        connection.batch_execute(&Limit::Short.begin_write()).await?;
        let enqueued = runs::enqueue(&connection, status, except, max_waiting).await?;
        connection.commit().await?;
        Ok(enqueued)
    }

    async fn try_begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<staging::Attempt, Error> {
        let connection = self.begin_write(Limit::Bulk).await?;
        let attempt = staging::begin(&connection, status, ownership).await?;
        connection.commit().await?;
        Ok(attempt)
    }
}

#[async_trait]
impl RunQueue for PostgresStore {
    async fn database_id(&self) -> Result<String, StoreError> {
        let read = async || self.position().await.map(|position| position.database_id);
        self.id.get_or_try_init(read).await.cloned()
    }

    async fn enqueue(
        &self,
        status: &RunStatus,
        except: &[RunId],
        max_waiting: u32,
    ) -> Result<Enqueued, StoreError> {
        let enqueue = || self.try_enqueue(status, except, max_waiting);
        self.clients.run("enqueue", OPERATION_TIMEOUT, enqueue).await
    }

    async fn next(&self, except: &[RunId]) -> Result<Option<NextRun>, StoreError> {
        let next = || async move {
            let connection = self.database.connection().await?;
            let mut unfinished = runs::unfinished(&connection).await?.into_iter();
            connection.release();
            let next = unfinished.find(|run| !except.contains(&run.status.request_id));
            Ok(next.map(runs::StoredRun::into_next))
        };
        self.database.run("next_run", OPERATION_TIMEOUT, next).await
    }

    async fn list(&self, limit: u32) -> Result<Vec<RunStatus>, StoreError> {
        let list = || async move {
            let connection = self.clients.connection().await?;
            let runs = runs::list_newest(&connection, limit).await?;
            connection.release();
            Ok(runs)
        };
        let runs = self.clients.run("list_runs", OPERATION_TIMEOUT, list).await?;
        Ok(self.when_copied(runs).await)
    }

    async fn get(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let find = || async move {
            let connection = self.clients.connection().await?;
            let found = runs::find(&connection, run).await?;
            connection.release();
            Ok(found)
        };
        let found = self.clients.run("find_run", OPERATION_TIMEOUT, find).await?;
        Ok(self.when_copied(found).await.pop())
    }

    async fn save_status(&self, status: &RunStatus) -> Result<(), StoreError> {
        let save = || async move {
            let connection = self.begin_write(Limit::Short).await?;
            let holder = staging::lock_holder(&connection, status).await?;
            if holder.is_none_or(|holder| holder == status.instance) {
                runs::upsert(&connection, status, None).await?;
            }
            connection.commit().await
        };
        self.database.run("save_status", OPERATION_TIMEOUT, save).await
    }

    async fn finish_unpublished(&self, status: &RunStatus) -> Result<(), StoreError> {
        let finish = || async move {
            let connection = self.begin_write(Limit::Bulk).await?;
            let holder = staging::lock_holder(&connection, status).await?;
            let is_owner = holder.as_ref() == Some(&status.instance);
            if is_owner {
                match status.state {
                    RunState::Failed => staging::discard_unless_reusable(&connection).await?,
                    _ => staging::discard(&connection).await?,
                }
                staging::remove_owner(&connection).await?;
            }
            if is_owner || holder.is_none() {
                runs::upsert(&connection, status, None).await?;
            }
            connection.commit().await
        };
        self.database.run("finish_unpublished", BULK_TIMEOUT, finish).await
    }

    async fn begin(
        &self,
        status: &RunStatus,
        ownership: Ownership,
    ) -> Result<Box<dyn RunSession>, StoreError> {
        let begin = || self.try_begin(status, ownership);
        let attempt = self.database.run("begin", BULK_TIMEOUT, begin).await?;
        Ok(Box::new(PostgresSession { database: self.database.clone(), attempt }))
    }

    async fn close(&self) {
        self.database.close();
    }
}

#[async_trait]
impl RunLock for PostgresStore {
    async fn acquire(&self, holder: &str, evict: Option<&str>) -> Result<bool, LockError> {
        lock::acquire(&self.database, holder, evict).await
    }

    async fn renew(&self, holder: &str) -> Result<bool, LockError> {
        lock::renew(&self.database, holder).await
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        lock::holder(&self.database).await
    }

    async fn release(&self, holder: &str) {
        lock::release(&self.database, holder).await;
    }

    fn expiry(&self) -> LockExpiry {
        LockExpiry::After(lock::LOCK_TTL)
    }
}

#[async_trait]
impl SnapshotSource for PostgresStore {
    async fn position(&self) -> Result<SnapshotPosition, StoreError> {
        let read = || async move {
            let connection = self.database.connection().await?;
            let position = changes::current_position(&connection).await?;
            connection.release();
            Ok(position)
        };
        self.database.run("position", OPERATION_TIMEOUT, read).await
    }

    async fn report_replica(
        &self,
        replica: &str,
        has: &SnapshotPosition,
    ) -> Result<(), StoreError> {
        replicas::report(&self.database, replica, has).await
    }

    async fn changes_since(
        &self,
        since: Option<&SnapshotPosition>,
    ) -> Result<SnapshotChanges, StoreError> {
        changes::changes_since(&self.database, since).await
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        let read = || async move {
            let connection = self.database.connection().await?;
            connection.batch_execute(BEGIN_READ).await?;
            let position = changes::current_position(&connection).await?;
            let number = i64::try_from(position.version.number).unwrap_or(i64::MAX);
            let manifest = staging::manifest(&connection, number).await?;
            connection.commit().await?;
            Ok(manifest)
        };
        self.database.run("manifest", BULK_TIMEOUT, read).await
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        changes::top_shows(&self.database, limit).await
    }

    async fn run_history(&self) -> Result<Vec<RunRecord>, StoreError> {
        let read = || async move {
            let connection = self.clients.connection().await?;
            let runs = runs::history(&connection).await?;
            connection.release();
            Ok(runs.into_iter().map(runs::StoredRun::into_record).collect())
        };
        self.clients.run("run_history", BULK_TIMEOUT, read).await
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        let check = || async move {
            let connection = self.database.connection().await?;
            connection.batch_execute(BEGIN_READ).await?;
            let defects = changes::integrity_check(&connection).await?;
            connection.commit().await?;
            Ok(defects)
        };
        self.database.run("integrity_check", BULK_TIMEOUT, check).await
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use tvshows_testkit::PostgresServer;

    use super::*;

    #[tokio::test]
    async fn the_lock_and_the_copy_have_connections_however_many_clients_ask() {
        let url = PostgresServer::shared().await.create_database().await;
        let store = PostgresStore::new(&url).unwrap();
        store.migrate().await.unwrap();
        assert!(store.acquire("here", None).await.unwrap());
        let other = Database::new(&url).unwrap().connection().await.unwrap();
        other.batch_execute("BEGIN; LOCK TABLE _runs").await.unwrap();
        let requests = join_all((0..9).map(|_| store.list(9)));
        let others = async {
            assert!(store.renew("here").await.unwrap());
            store.position().await.unwrap();
        };
        tokio::select! {
            biased;
            answers = requests => panic!("nothing can be read: {answers:?}"),
            () = others => {}
        }
    }
}
