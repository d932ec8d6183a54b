//! What copies of the database read.

use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use futures::try_join;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, RowStream};
use tvshows_core::{
    ShowId, SnapshotChanges, SnapshotPosition, SnapshotVersion, StoreError, StoredDetails, TopShow,
};

use crate::database::{BEGIN_READ, BULK_TIMEOUT, Connection, Database, Parameters};
use crate::error::Error;
use crate::show_row::{self, ShowRow, show_id};
use crate::{details, details_row, migrations};

/// How many shows are read at a time.
const SHOW_BATCH: usize = 1000;
/// The details of how many shows are read at a time. Those of one can have megabytes.
const DETAILS_BATCH: usize = 20;

const POSITION: &str = "SELECT d.id, s.number, s.published_at, v.version, v.oldest_reader \
     FROM _schema_version v CROSS JOIN _data d \
     LEFT JOIN (SELECT number, published_at FROM _snapshots ORDER BY number DESC LIMIT 1) s ON true";

pub(crate) fn position(row: &Row) -> Result<SnapshotPosition, Error> {
    let number: Option<i64> = row.try_get(1)?;
    let number = number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    let version = SnapshotVersion { number, published_at: row.try_get(2)? };
    Ok(SnapshotPosition { database_id: row.try_get(0)?, version })
}

pub(crate) async fn current_position(client: &Client) -> Result<SnapshotPosition, Error> {
    let row = client.query_typed_one(POSITION, &[]).await?;
    // A later release may have upgraded the schema while this one is running.
    migrations::schema(&row, 3)?.check()?;
    position(&row)
}

pub(crate) async fn top_shows(database: &Database, limit: u32) -> Result<Vec<TopShow>, StoreError> {
    let sql = "SELECT id, name, rating_average, premiered FROM top_shows ORDER BY rank LIMIT $1";
    let rows = database.query("top_shows", sql, &[(&i64::from(limit), Type::INT8)]).await?;
    let top_show = |row: &Row| -> Result<TopShow, Error> {
        Ok(TopShow {
            id: show_id(row.try_get(0)?)?,
            name: row.try_get(1)?,
            rating: row.try_get(2)?,
            premiered: row.try_get(3)?,
        })
    };
    let shows: Result<_, Error> = rows.iter().map(top_show).collect();
    shows.map_err(|error| error.into_store_error(&database.backend))
}

const DETAILED: &str =
    "SELECT show_id FROM _details_versions WHERE until IS NULL AND since <= $1 ORDER BY show_id";

/// Everything but the shows and their details.
struct SmallParts {
    target: SnapshotPosition,
    show_count: u32,
    /// The number of the snapshot that the changes start from; `None` if they are complete.
    since: Option<i64>,
    deleted: Vec<ShowId>,
    top: Vec<ShowId>,
    detailed: Vec<ShowId>,
}

/// Begins a transaction in which the snapshot and the difference are read. The stream of shows keeps its connection, and
/// then passes it on to that of the details.
pub(crate) async fn changes_since(
    database: &Database,
    since: Option<&SnapshotPosition>,
) -> Result<SnapshotChanges, StoreError> {
    let begin = || async move {
        let connection = database.connection().await?;
        connection.batch_execute(BEGIN_READ).await?;
        let parts = small_parts(&connection, since).await?;
        let rows = changed_rows(&connection, "_show_versions", &show_row::COLUMNS, &parts).await?;
        Ok((connection, parts, rows))
    };
    let (connection, parts, rows) = database.run("changes_since", BULK_TIMEOUT, begin).await?;
    let (sender, receiver) = oneshot::channel();
    let batches = Batches { database: database.clone(), connection, rows: Box::pin(rows) };
    let shows = batches.read(SHOW_BATCH, show_row::read, Some(sender));
    Ok(SnapshotChanges {
        target: parts.target.clone(),
        show_count: parts.show_count,
        is_complete: parts.since.is_none(),
        deleted: parts.deleted.clone(),
        top: parts.top.clone(),
        detailed: parts.detailed.clone(),
        shows,
        details: changed_details(database.clone(), receiver, parts),
    })
}

/// Selects the versions that were published after the snapshot that the changes start from.
async fn changed_rows(
    client: &Client,
    table: &str,
    columns: &str,
    parts: &SmallParts,
) -> Result<RowStream, Error> {
    let sql = format!(
        "SELECT {columns} FROM {table} v WHERE v.since > $1 AND v.since <= $2 AND v.until IS NULL"
    );
    let (after, target) = (parts.since.unwrap_or(-1), number(&parts.target));
    Ok(client.query_typed_raw(&sql, [(after, Type::INT8), (target, Type::INT8)]).await?)
}

/// Reads the details once the shows were read.
fn changed_details(
    database: Database,
    connection: oneshot::Receiver<Connection>,
    parts: SmallParts,
) -> BoxStream<'static, Result<Vec<StoredDetails>, StoreError>> {
    let backend = Arc::clone(&database.backend);
    let rows = async move {
        let begin = async {
            let connection = connection.await.map_err(|_| Error::Timeout)?;
            let columns = details_row::COLUMNS;
            let rows = changed_rows(&connection, "_details_versions", columns, &parts).await?;
            Ok(Batches { database, connection, rows: Box::pin(rows) })
        };
        let batches = timeout(BULK_TIMEOUT, begin).await.unwrap_or(Err(Error::Timeout))?;
        Ok(batches.read(DETAILS_BATCH, details_row::read, None))
    };
    stream::once(rows)
        .map_err(move |error: Error| error.into_store_error(&backend))
        .try_flatten()
        .boxed()
}

fn number(position: &SnapshotPosition) -> i64 {
    i64::try_from(position.version.number).unwrap_or(i64::MAX)
}

async fn small_parts(
    client: &Client,
    since: Option<&SnapshotPosition>,
) -> Result<SmallParts, Error> {
    let target = current_position(client).await?;
    let since = match since {
        Some(since) if since.database_id == target.database_id => find(client, since).await?,
        _ => None,
    };
    let number = number(&target);
    let published = [(&number as _, Type::INT8)];
    let (show_count, deleted, top, detailed) = try_join!(
        count_shows(client, &published),
        deleted(client, since),
        client.query_typed("SELECT id FROM _top_shows ORDER BY rank", &[]),
        client.query_typed(DETAILED, &published),
    )?;
    Ok(SmallParts {
        target,
        show_count: u32::try_from(show_count).unwrap_or(u32::MAX),
        since,
        deleted: show_ids(&deleted)?,
        top: show_ids(&top)?,
        detailed: show_ids(&detailed)?,
    })
}

/// Counts the published shows. Both parts need only an index.
async fn count_shows(
    client: &Client,
    published: &Parameters<'_>,
) -> Result<i64, tokio_postgres::Error> {
    let sql = "SELECT (SELECT count(*) FROM _show_versions WHERE since <= $1) \
               - (SELECT count(*) FROM _show_versions WHERE until IS NOT NULL)";
    client.query_typed_one(sql, published).await?.try_get(0)
}

/// Returns the number of a snapshot, if it is still known.
async fn find(client: &Client, position: &SnapshotPosition) -> Result<Option<i64>, Error> {
    let number = number(position);
    let sql = "SELECT number FROM _snapshots WHERE number = $1 AND published_at = $2";
    let parameters =
        [(&number as _, Type::INT8), (&position.version.published_at as _, Type::TIMESTAMPTZ)];
    let row = client.query_typed_opt(sql, &parameters).await?;
    Ok(row.map(|_| number))
}

/// Selects the shows that the snapshot `since` has and the published one does not.
async fn deleted(client: &Client, since: Option<i64>) -> Result<Vec<Row>, tokio_postgres::Error> {
    let Some(since) = since else { return Ok(Vec::new()) };
    let sql = "SELECT v.id FROM _show_versions v WHERE v.until > $1 AND v.since <= $1 AND NOT EXISTS \
               (SELECT FROM _show_versions n WHERE n.id = v.id AND n.until IS NULL \
                AND n.since <= (SELECT max(number) FROM _snapshots))";
    client.query_typed(sql, &[(&since, Type::INT8)]).await
}

fn show_ids(rows: &[Row]) -> Result<Vec<ShowId>, Error> {
    rows.iter().map(|row| show_id(row.try_get(0)?)).collect()
}

/// Rows that are read as they are needed. The server sends no more than fit into the buffers of the connection.
struct Batches {
    database: Database,
    connection: Connection,
    rows: Pin<Box<RowStream>>,
}

impl Batches {
    /// Reads `size` rows at a time. At the end, passes the connection on to `next`, or ends the transaction.
    fn read<T: Send + 'static>(
        self,
        size: usize,
        read: fn(&Row) -> Result<T, Error>,
        next: Option<oneshot::Sender<Connection>>,
    ) -> BoxStream<'static, Result<Vec<T>, StoreError>> {
        let backend = Arc::clone(&self.database.backend);
        let batches = stream::try_unfold(Some((self, next)), move |state| async move {
            let Some((mut batches, next)) = state else { return Ok(None) };
            let read = batches.next(size, read);
            let batch = timeout(BULK_TIMEOUT, read).await.unwrap_or(Err(Error::Timeout))?;
            if batch.len() == size {
                return Ok(Some((batch, Some((batches, next)))));
            }
            let Batches { connection, rows, .. } = batches;
            drop(rows);
            match next {
                // If the receiver was dropped, so is the connection.
                Some(next) => drop(next.send(connection)),
                None => connection.commit().await?,
            }
            Ok((!batch.is_empty()).then_some((batch, None)))
        });
        batches.map_err(move |error: Error| error.into_store_error(&backend)).boxed()
    }

    async fn next<T>(
        &mut self,
        size: usize,
        read: fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut batch = Vec::with_capacity(size);
        while batch.len() < size {
            let Some(row) = self.rows.try_next().await? else { break };
            batch.push(read(&row)?);
        }
        Ok(batch)
    }
}

/// Compares each published row with its digest, and the tables with each other. Returns a description of each defect.
pub(crate) async fn integrity_check(client: &Client) -> Result<Vec<String>, Error> {
    let mut defects = Vec::new();
    let sql = format!(
        "SELECT {}, v.digest FROM _show_versions v WHERE v.until IS NULL \
         AND v.since <= (SELECT max(number) FROM _snapshots)",
        *show_row::COLUMNS
    );
    let no_parameters: [(i64, Type); 0] = [];
    let rows = client.query_typed_raw(&sql, no_parameters).await?;
    let mut rows = Box::pin(rows);
    while let Some(row) = rows.try_next().await? {
        let id: i64 = row.try_get(0)?;
        let digest: Vec<u8> = row.try_get("digest")?;
        match show_row::read(&row) {
            Ok(stored) if ShowRow::new(&stored.show).digest == digest => {}
            Ok(_) => defects.push(format!("show {id} does not have the content that was stored")),
            Err(error) => defects.push(format!("show {id} cannot be read: {error}")),
        }
    }
    let sql = "SELECT id, count(*) FROM all_shows GROUP BY id HAVING count(*) > 1";
    for row in client.query_typed(sql, &[]).await? {
        let id: i64 = row.try_get(0)?;
        defects.push(format!("show {id} is stored twice"));
    }
    let sql = "SELECT id FROM _top_shows WHERE id NOT IN (SELECT id FROM all_shows)";
    for row in client.query_typed(sql, &[]).await? {
        let id: i64 = row.try_get(0)?;
        defects.push(format!("the top show {id} is not among the shows"));
    }
    details::integrity_check(client, &mut defects).await?;
    Ok(defects)
}
