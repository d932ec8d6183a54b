//! Which snapshots the replicas have.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::types::Type;
use tvshows_core::{SnapshotPosition, StoreError};

use crate::database::Database;

/// How long others wait for the replicas that lack a new snapshot.
const COPY_TIMEOUT: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A replica that has not reported for this long is not waited for.
const ARE_BEHIND: &str = "SELECT EXISTS (SELECT FROM _replicas \
     WHERE number < $1 AND seen_at > clock_timestamp() - interval '3 s')";

const REPORT: &str = "INSERT INTO _replicas (replica, number, seen_at) VALUES ($1, coalesce( \
         (SELECT $3 FROM _data d, _snapshots s WHERE d.id = $2 AND s.number = $3 AND s.published_at = $4), 0), \
         clock_timestamp()) \
     ON CONFLICT (replica) DO UPDATE SET number = excluded.number, seen_at = excluded.seen_at";

/// Waits until each live replica has a snapshot, for a second at most, so that it is not reported before all of them serve
/// it.
pub(crate) async fn wait_until_copied(database: &Database, number: i64) {
    let wait = async {
        while let Ok(rows) = database.query("replicas", ARE_BEHIND, &[(&number, Type::INT8)]).await
            && rows.first().is_some_and(|row| row.get(0))
        {
            sleep(POLL_INTERVAL).await;
        }
    };
    let _ = timeout(COPY_TIMEOUT, wait).await;
}

/// Records which snapshot a replica has; none if it is not one of this database.
pub(crate) async fn report(
    database: &Database,
    replica: &str,
    has: &SnapshotPosition,
) -> Result<(), StoreError> {
    let number = i64::try_from(has.version.number).unwrap_or_default();
    let parameters = [
        (&replica as _, Type::TEXT),
        (&has.database_id as _, Type::TEXT),
        (&number as _, Type::INT8),
        (&has.version.published_at as _, Type::TIMESTAMPTZ),
    ];
    database.execute("report_replica", REPORT, &parameters).await.map(|_| ())
}
