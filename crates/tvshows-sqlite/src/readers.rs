use std::sync::{Mutex, MutexGuard, PoisonError};

use deadpool_sqlite::{Object, Pool};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tvshows_core::StoreError;

use crate::error::{SqlResult, from_interact, from_pool, from_sql, unavailable};

/// The connections of a pool, held from read to read. The pool itself asks each connection whether it is well
/// whenever it hands it out, on a blocking thread: that is as much work as a read.
pub(crate) struct Readers {
    pool: Pool,
    /// One for each connection that the pool has.
    turns: Semaphore,
    idle: Mutex<Vec<Object>>,
}

impl Readers {
    pub(crate) fn of(pool: Pool) -> Readers {
        let turns = Semaphore::new(pool.status().max_size);
        Readers { pool, turns, idle: Mutex::default() }
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.turns.acquire().await.map_err(unavailable)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.pool.get().await.map_err(from_pool)?,
        };
        // One whose work panics, or is not waited for, goes back to the pool, which looks after it.
        let answer = connection.interact(move |connection| work(connection)).await;
        let answer = answer.map_err(from_interact)?.map_err(from_sql);
        if !self.pool.is_closed() {
            self.idle().push(connection);
        }
        answer
    }

    /// Closes every connection, one that reads after its work.
    pub(crate) fn close(&self) {
        self.pool.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Object>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
