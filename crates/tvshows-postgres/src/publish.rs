//! Publishing: the next snapshot gets the next number. No row is moved or copied.

use futures::try_join;
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tvshows_core::{ChangeCounts, RunId, ShowId};

use crate::details::{self, Chosen};
use crate::error::{Error, corrupt};
use crate::staging::{self, Base};

/// How many earlier snapshots a copy can be updated from.
const RETAINED_SNAPSHOTS: i64 = 50;
/// How many old rows one transaction deletes.
const SWEEP_BATCH: u64 = 5000;

/// How the next snapshot differs from the published one.
pub(crate) struct Difference {
    pub(crate) counts: ChangeCounts,
    /// Whether it differs in nothing but the times when its rows were fetched.
    pub(crate) is_unchanged: bool,
}

/// Counts the shows of the next snapshot.
pub(crate) async fn count_shows(client: &Client, base: Base) -> Result<u32, Error> {
    let counts = count_changes(client, base).await?;
    Ok(counts.added + counts.changed + counts.unchanged)
}

/// Compares the next snapshot with the published one.
pub(crate) async fn compare(
    client: &Client,
    base: Base,
    top: &[ShowId],
    details: &Chosen,
) -> Result<Difference, Error> {
    let (counts, is_same_top, has_same_details) = try_join!(
        count_changes(client, base),
        has_same_top(client, top),
        details::settle(client, base, details),
    )?;
    let ChangeCounts { added, changed, deleted, unchanged: _ } = counts;
    let has_same_shows = base.published > 0 && (added, changed, deleted) == (0, 0, 0);
    Ok(Difference { counts, is_unchanged: has_same_shows && is_same_top && has_same_details })
}

async fn count_changes(client: &Client, base: Base) -> Result<ChangeCounts, Error> {
    let sql = "WITH published AS NOT MATERIALIZED ( \
             SELECT id FROM _show_versions WHERE until IS NULL AND since <= $1), \
         staged AS NOT MATERIALIZED (SELECT id FROM _show_versions WHERE since > $1) \
         SELECT (SELECT count(*) FROM published), (SELECT count(*) FROM staged), \
             (SELECT count(*) FROM staged JOIN published USING (id)), (SELECT count(*) FROM _staged_shows_seen), \
             (SELECT count(*) FROM _staged_deletions d JOIN published USING (id) \
              WHERE NOT EXISTS (SELECT FROM staged s WHERE s.id = d.id) \
              AND NOT EXISTS (SELECT FROM _staged_shows_seen s WHERE s.id = d.id))";
    let row = client.query_typed_one(sql, &[(&base.published, Type::INT8)]).await?;
    let count = |column: usize| -> Result<u32, Error> {
        let count: i64 = row.try_get(column)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    };
    let (before, staged, changed, seen) = (count(0)?, count(1)?, count(2)?, count(3)?);
    let deleted = if base.is_incremental { count(4)? } else { before - changed - seen };
    Ok(ChangeCounts {
        added: staged - changed,
        changed,
        deleted,
        unchanged: before - changed - deleted,
    })
}

async fn has_same_top(client: &Client, top: &[ShowId]) -> Result<bool, Error> {
    let rows = client.query_typed("SELECT id FROM _top_shows ORDER BY rank", &[]).await?;
    let published: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(published? == ids(top))
}

fn ids(shows: &[ShowId]) -> Vec<i64> {
    shows.iter().map(|show| show.0.into()).collect()
}

/// Gives the next snapshot its number, and empties the staging tables.
pub(crate) async fn publish_changes(
    client: &Client,
    base: Base,
    run: RunId,
    top: &[ShowId],
    details: &Chosen,
    at: Timestamp,
) -> Result<(), Error> {
    let next = base.next();
    end_versions(client, base).await?;
    record_fetch_times(client).await?;
    let sql = "DELETE FROM _shows_seen s USING _show_versions v WHERE v.id = s.id AND v.until = $1";
    client.execute_typed(sql, &[(&next, Type::INT8)]).await?;
    details::publish(client, base, details).await?;
    publish_top_shows(client, top).await?;
    publish_pages(client, base).await?;
    let sql = "INSERT INTO _snapshots (number, published_at, run) VALUES ($1, $2, $3)";
    let parameters = [
        (&next as _, Type::INT8),
        (&at as _, Type::TIMESTAMPTZ),
        (&run.to_string() as _, Type::TEXT),
    ];
    client.execute_typed(sql, &parameters).await?;
    staging::discard(client).await?;
    staging::remove_owner(client).await
}

/// Records when the shows of an unchanged snapshot were fetched, which planning reads, and empties the staging tables.
pub(crate) async fn publish_fetch_times(client: &Client, base: Base) -> Result<(), Error> {
    record_fetch_times(client).await?;
    publish_pages(client, base).await?;
    staging::discard(client).await?;
    staging::remove_owner(client).await
}

/// Ends the published versions that are replaced or deleted.
async fn end_versions(client: &Client, base: Base) -> Result<(), Error> {
    let is_ended = if base.is_incremental {
        "EXISTS (SELECT FROM _show_versions n WHERE n.id = v.id AND n.since > $1) \
         OR EXISTS (SELECT FROM _staged_deletions d WHERE d.id = v.id) \
         AND NOT EXISTS (SELECT FROM _staged_shows_seen s WHERE s.id = v.id)"
    } else {
        "NOT EXISTS (SELECT FROM _staged_shows_seen s WHERE s.id = v.id)"
    };
    let sql = format!(
        "UPDATE _show_versions v SET until = $1 + 1 WHERE until IS NULL AND since <= $1 AND ({is_ended})"
    );
    client.execute_typed(&sql, &[(&base.published, Type::INT8)]).await?;
    Ok(())
}

async fn record_fetch_times(client: &Client) -> Result<(), Error> {
    let sql = "INSERT INTO _shows_seen SELECT id, fetched_at FROM _staged_shows_seen \
               ON CONFLICT (id) DO UPDATE SET fetched_at = excluded.fetched_at";
    Ok(client.batch_execute(sql).await?)
}

async fn publish_top_shows(client: &Client, top: &[ShowId]) -> Result<(), Error> {
    client.batch_execute("DELETE FROM _top_shows").await?;
    let sql = "INSERT INTO _top_shows (id, rank) SELECT t.id, t.rank \
               FROM unnest($1::bigint[]) WITH ORDINALITY AS t(id, rank) \
               WHERE EXISTS (SELECT FROM _show_versions v WHERE v.id = t.id AND v.until IS NULL)";
    let inserted = client.execute_typed(sql, &[(&ids(top), Type::INT8_ARRAY)]).await?;
    if usize::try_from(inserted) == Ok(top.len()) {
        Ok(())
    } else {
        Err(corrupt("a top show is not among the shows"))
    }
}

async fn publish_pages(client: &Client, base: Base) -> Result<(), Error> {
    if !base.is_incremental {
        client.batch_execute("DELETE FROM _index_pages").await?;
    }
    let sql = "INSERT INTO _index_pages SELECT page, fetched_at FROM _staged_pages \
               ON CONFLICT (page) DO UPDATE SET fetched_at = excluded.fetched_at";
    Ok(client.batch_execute(sql).await?)
}

/// Forgets the oldest snapshots. Copies of them will be filled again.
pub(crate) async fn forget_snapshots(client: &Client) -> Result<(), Error> {
    let sql = "DELETE FROM _snapshots WHERE number < (SELECT max(number) FROM _snapshots) - $1";
    client.execute_typed(sql, &[(&RETAINED_SNAPSHOTS, Type::INT8)]).await?;
    let sql = "DELETE FROM _replicas WHERE seen_at < clock_timestamp() - interval '1 day'";
    Ok(client.batch_execute(sql).await?)
}

/// Deletes some versions of shows that no remembered snapshot has, and returns whether there may be more.
pub(crate) async fn delete_old_versions(client: &Client) -> Result<bool, Error> {
    let sql = format!(
        "DELETE FROM _show_versions v USING (SELECT id, since FROM _show_versions \
         WHERE until <= (SELECT min(number) FROM _snapshots) LIMIT {SWEEP_BATCH}) o \
         WHERE v.id = o.id AND v.since = o.since"
    );
    Ok(client.execute_typed(&sql, &[]).await? == SWEEP_BATCH)
}

/// Updates what the server knows of the shows: what it plans queries by, and which rows everybody can see.
pub(crate) async fn update_statistics(client: &Client) -> Result<(), Error> {
    // A small sample is exact enough, and takes 50 ms instead of a second.
    let analyze = "BEGIN; SET LOCAL default_statistics_target = 10; \
                   ANALYZE (SKIP_LOCKED) _show_versions, _top_shows, _shows_seen; COMMIT";
    client.batch_execute(analyze).await?;
    // In a request of its own, because it cannot be part of a transaction.
    Ok(client.batch_execute("VACUUM (SKIP_LOCKED) _show_versions").await?)
}
