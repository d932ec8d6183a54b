//! The details of shows, which are staged and published in `_details_versions`.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::{TryStreamExt, try_join};
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tvshows_core::{DetailsVersion, ShowId};

use crate::cast_row;
use crate::details_row::{self, DetailsRow};
use crate::error::Error;
use crate::show_row::show_id;
use crate::staging::Base;

/// The `since` of staged details.
pub(crate) const STAGED: i64 = i64::MAX;
/// How many old rows one transaction deletes. A row can have megabytes.
const SWEEP_BATCH: u64 = 500;

/// Stages details, in place of what is staged of the same shows.
pub(crate) async fn stage(
    client: &Client,
    rows: &[DetailsRow<'_>],
    at: Timestamp,
) -> Result<(), Error> {
    let last: BTreeMap<_, _> = rows.iter().map(|row| (row.show_id(), row)).collect();
    details_row::upsert(client, &last.into_values().collect::<Vec<_>>(), STAGED, at).await
}

pub(crate) async fn discard(client: &Client) -> Result<(), Error> {
    let sql = "DELETE FROM _details_versions WHERE since = $1";
    client.execute_typed(sql, &[(&STAGED, Type::INT8)]).await?;
    Ok(())
}

/// Reads which details are published.
pub(crate) async fn published_versions(
    client: &Client,
    published: i64,
) -> Result<BTreeMap<ShowId, DetailsVersion>, Error> {
    // Without those that an earlier release published: they lack some fields.
    let sql = "SELECT show_id, updated, episodes IS NOT NULL FROM _details_versions \
               WHERE until IS NULL AND since <= $1 AND cast_digest IS NOT NULL";
    versions(&client.query_typed(sql, &[(&published, Type::INT8)]).await?)
}

/// Reads which details are staged.
pub(crate) async fn staged_versions(
    client: &Client,
) -> Result<BTreeMap<ShowId, DetailsVersion>, Error> {
    let sql =
        "SELECT show_id, updated, episodes IS NOT NULL FROM _details_versions WHERE since = $1";
    versions(&client.query_typed(sql, &[(&STAGED, Type::INT8)]).await?)
}

fn versions(rows: &[Row]) -> Result<BTreeMap<ShowId, DetailsVersion>, Error> {
    let version = |row: &Row| -> Result<_, Error> {
        let version = DetailsVersion { updated: row.try_get(1)?, has_episodes: row.try_get(2)? };
        Ok((show_id(row.try_get(0)?)?, version))
    };
    rows.iter().map(version).collect()
}

/// The shows whose details a snapshot has.
pub(crate) struct Chosen {
    top: Vec<i64>,
    /// Those with episodes.
    detailed: Vec<i64>,
    both: Vec<i64>,
}

impl Chosen {
    pub(crate) fn new(top: &[ShowId], detailed: &[ShowId]) -> Chosen {
        let ids = |shows: &[ShowId]| shows.iter().map(|show| show.0.into()).collect::<Vec<i64>>();
        let (top, detailed) = (ids(top), ids(detailed));
        let both = top.iter().chain(&detailed).copied().collect();
        Chosen { top, detailed, both }
    }
}

/// Reduces what is staged to the details that differ from the published ones. Returns whether the next snapshot has the
/// same details.
pub(crate) async fn settle(client: &Client, base: Base, chosen: &Chosen) -> Result<bool, Error> {
    let delete_others = "DELETE FROM _details_versions WHERE since = $1 AND show_id <> ALL($2)";
    let remove_episodes = "UPDATE _details_versions SET episodes = NULL, episodes_digest = NULL \
         WHERE since = $1 AND episodes IS NOT NULL AND show_id <> ALL($2)";
    // Top shows that are no longer among those with episodes.
    let stage_casts_alone = "INSERT INTO _details_versions \
         (show_id, since, updated, processed_at, cast_digest, cast_members) \
         SELECT show_id, $1, updated, processed_at, cast_digest, cast_members FROM _details_versions \
         WHERE until IS NULL AND since <= $2 AND episodes IS NOT NULL AND show_id = ANY($3) AND show_id <> ALL($4) \
         ON CONFLICT DO NOTHING";
    let delete_unchanged = "WITH same AS (DELETE FROM _details_versions s USING _details_versions v \
             WHERE s.since = $1 AND v.show_id = s.show_id AND v.until IS NULL AND v.since <= $2 \
             AND v.cast_digest = s.cast_digest AND v.episodes_digest IS NOT DISTINCT FROM s.episodes_digest \
             RETURNING v.show_id, v.since, s.updated) \
         UPDATE _details_versions v SET updated = same.updated FROM same \
         WHERE v.show_id = same.show_id AND v.since = same.since AND v.updated IS DISTINCT FROM same.updated";
    let is_same = "SELECT NOT EXISTS (SELECT FROM _details_versions WHERE since = $1) AND NOT EXISTS ( \
             SELECT FROM _details_versions WHERE until IS NULL AND since <= $2 AND show_id <> ALL($3))";
    let staged = (&STAGED as _, Type::INT8);
    let published = (&base.published as _, Type::INT8);
    let top = (&chosen.top as _, Type::INT8_ARRAY);
    let detailed = (&chosen.detailed as _, Type::INT8_ARRAY);
    let both = (&chosen.both as _, Type::INT8_ARRAY);
    let is_same_of = [staged.clone(), published.clone(), both.clone()];
    let ((), (), (), (), row) = try_join!(
        execute(client, delete_others, [staged.clone(), both]),
        execute(client, remove_episodes, [staged.clone(), detailed.clone()]),
        execute(client, stage_casts_alone, [staged.clone(), published.clone(), top, detailed]),
        execute(client, delete_unchanged, [staged, published]),
        async { Ok(client.query_typed_one(is_same, &is_same_of).await?) },
    )?;
    Ok(row.try_get(0)?)
}

/// Publishes what [`settle`] left, and ends the versions of all other details that are not chosen. The shows of the next
/// snapshot are published, and its top shows not yet.
pub(crate) async fn publish(client: &Client, base: Base, chosen: &Chosen) -> Result<(), Error> {
    let end = "UPDATE _details_versions v SET until = $1 + 1 WHERE until IS NULL AND since <= $1 AND ( \
             show_id <> ALL($3) OR EXISTS ( \
                 SELECT FROM _details_versions s WHERE s.show_id = v.show_id AND s.since = $2) \
             OR NOT EXISTS (SELECT FROM _show_versions s WHERE s.id = v.show_id AND s.until IS NULL))";
    let publish = "UPDATE _details_versions v SET since = $1 + 1 WHERE since = $2 \
             AND EXISTS (SELECT FROM _show_versions s WHERE s.id = v.show_id AND s.until IS NULL)";
    // Of the top shows that have another cast, or were none.
    let other_casts = "SELECT show_id, processed_at, cast_members FROM _details_versions v \
         WHERE until IS NULL AND since <= $1 + 1 AND show_id = ANY($2) \
         AND (since > $1 OR NOT EXISTS (SELECT FROM _top_shows t WHERE t.id = v.show_id))";
    let published = (&base.published as _, Type::INT8);
    let staged = (&STAGED as _, Type::INT8);
    let top = (&chosen.top as _, Type::INT8_ARRAY);
    let both = (&chosen.both as _, Type::INT8_ARRAY);
    let other_casts_of = [published.clone(), top];
    let ((), (), (), casts) = try_join!(
        async { Ok(client.batch_execute("SET LOCAL tvshows.publishes_details = 'on'").await?) },
        execute(client, end, [published.clone(), staged.clone(), both]),
        execute(client, publish, [published, staged]),
        async { Ok(client.query_typed(other_casts, &other_casts_of).await?) },
    )?;
    let cast = |row: &Row| -> Result<_, Error> {
        let show_id = show_id(row.try_get(0)?)?;
        Ok((row.try_get(1)?, show_id, details_row::read_cast(show_id, row.try_get(2)?)?))
    };
    let casts = casts.iter().map(cast).collect::<Result<Vec<_>, Error>>()?;
    cast_row::replace(client, &casts, &chosen.top).await
}

async fn execute<const N: usize>(
    client: &Client,
    sql: &str,
    parameters: [(&(dyn ToSql + Sync), Type); N],
) -> Result<(), Error> {
    client.execute_typed(sql, &parameters).await?;
    Ok(())
}

/// Deletes some versions that no remembered snapshot has, and returns whether there may be more.
pub(crate) async fn delete_old_versions(client: &Client) -> Result<bool, Error> {
    let sql = format!(
        "DELETE FROM _details_versions v USING (SELECT show_id, since FROM _details_versions \
         WHERE until <= (SELECT min(number) FROM _snapshots) LIMIT {SWEEP_BATCH}) o \
         WHERE v.show_id = o.show_id AND v.since = o.since"
    );
    Ok(client.execute_typed(&sql, &[]).await? == SWEEP_BATCH)
}

/// Compares the published details with their digests, and with the other tables. Adds a description of each defect.
pub(crate) async fn integrity_check(
    client: &Client,
    defects: &mut Vec<String>,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT {}, v.cast_digest, v.episodes_digest FROM _details_versions v WHERE v.until IS NULL \
         AND v.since <= (SELECT max(number) FROM _snapshots) ORDER BY v.show_id",
        details_row::COLUMNS
    );
    let no_parameters: [(i64, Type); 0] = [];
    let mut rows = pin!(client.query_typed_raw(&sql, no_parameters).await?);
    while let Some(row) = rows.try_next().await? {
        let id: i64 = row.try_get(0)?;
        match details_row::read(&row) {
            Ok(_) if details_row::has_stored_content(&row)? => {}
            Ok(_) => {
                defects.push(format!("the details of show {id} are not those that were stored"));
            }
            Err(error) => defects.push(error.to_string()),
        }
    }
    let published = "SELECT show_id FROM _details_versions WHERE until IS NULL \
                     AND since <= (SELECT max(number) FROM _snapshots)";
    let sql = format!("{published} AND show_id NOT IN (SELECT id FROM all_shows)");
    for row in client.query_typed(&sql, &[]).await? {
        let id: i64 = row.try_get(0)?;
        defects.push(format!("show {id} has details, and is not among the shows"));
    }
    // Not the texts: those with a NUL character differ.
    let rows = |view: &str| {
        format!(
            "SELECT show_id, position, person_id, character_id, processed_at FROM {view} \
             WHERE show_id IN (SELECT id FROM _top_shows)"
        )
    };
    let (top, all) = (rows("top_shows_cast"), rows("show_cast"));
    let sql = format!(
        "SELECT DISTINCT show_id FROM (({top} EXCEPT {all}) UNION ({all} EXCEPT {top})) d ORDER BY show_id"
    );
    for row in client.query_typed(&sql, &[]).await? {
        let id: i64 = row.try_get(0)?;
        defects.push(format!("Top_Shows_Cast and Show_Cast have different casts of show {id}"));
    }
    Ok(())
}
