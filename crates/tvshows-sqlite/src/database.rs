use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use tvshows_core::StoreError;

use crate::error::{DbError, from_interact};
use crate::migrations;
use crate::pool::{self, Pool, from_pool};

/// The connections that read and write shows and runs.
///
/// Work runs on blocking threads. Dropping a future does not interrupt its transaction.
#[derive(Clone)]
pub(crate) struct Database {
    writer: Pool,
    readers: Pool,
}

impl Database {
    /// Opens the file, and creates it or migrates its schema.
    pub(crate) async fn open(path: &Path) -> Result<Database, StoreError> {
        let (writer, readers) = (pool::writer(path)?, pool::readers(path)?);
        let connection = writer.get().await.map_err(from_pool)?;
        connection.interact(migrations::migrate).await.map_err(from_interact)??;
        drop(connection);
        Ok(Database { writer, readers })
    }

    pub(crate) async fn read<T: Send + 'static, E: Into<DbError> + Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.readers.get().await.map_err(from_pool)?;
        let read = connection.interact(move |connection| work(connection)).await;
        Ok(read.map_err(from_interact)?.map_err(E::into)?)
    }

    /// Works in a transaction, whose duration is recorded under its `kind`.
    pub(crate) async fn write<T: Send + 'static, E: Into<DbError> + Send + 'static>(
        &self,
        kind: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.writer.get().await.map_err(from_pool)?;
        let written = connection.interact(move |connection| {
            let _timer = TransactionTimer { kind, started: Instant::now() };
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction).map_err(E::into)?;
            transaction.commit()?;
            Ok::<_, DbError>(result)
        });
        Ok(written.await.map_err(from_interact)??)
    }

    /// Closes every connection and leaves everything in the main file.
    pub(crate) async fn close(&self) {
        // A connection in use closes after its work.
        self.readers.close();
        if let Ok(connection) = self.writer.get().await {
            let checkpoint = |connection: &mut Connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            let _ = connection.interact(checkpoint).await;
        }
        self.writer.close();
    }
}

/// Records the duration of a transaction when it ends, even by an error.
struct TransactionTimer {
    kind: &'static str,
    started: Instant,
}

impl Drop for TransactionTimer {
    fn drop(&mut self) {
        let kind = self.kind;
        metrics::histogram!("tvshows_store_transaction_duration_seconds", "kind" => kind)
            .record(self.started.elapsed());
    }
}
