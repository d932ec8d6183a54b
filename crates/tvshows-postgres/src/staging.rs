//! The staging tables, which a run writes to before it publishes.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::try_join;
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tvshows_core::{
    FetchMode, Ownership, PublishedManifest, RunId, RunStatus, Show, ShowId, ShowMap, ShowVersion,
    StagedBatch, StagingState, StoreError, TopShowsCriteria,
};

use crate::details_row::DetailsRow;
use crate::error::{Error, corrupt};
use crate::show_row::{self, ShowRow, ShowRows, show_id};
use crate::{details, runs};

/// An attempt at a run. It owns the staging tables until another one begins.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) run: RunId,
    pub(crate) number: u32,
    /// The process that works on it. After a failover that lost its beginning, another process may begin an attempt
    /// with the same number.
    pub(crate) holder: String,
    /// The term of the run lock that it holds; 0 if it has none.
    term: i64,
}

/// What the staging tables of an attempt start from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    pub(crate) is_incremental: bool,
    /// The number of the published snapshot; 0 if none is.
    pub(crate) published: i64,
}

impl Base {
    /// The number that staged rows have.
    pub(crate) fn next(self) -> i64 {
        self.published + 1
    }
}

/// Locks the row that each write of a session locks first, and returns it if the attempt still owns it.
const FENCE: &str = "SELECT is_incremental, coalesce((SELECT max(number) FROM _snapshots), 0) FROM _staged_run \
     WHERE request_id = $1 AND attempt = $2 AND holder = $3 AND term = $4 FOR UPDATE";
/// The same without a lock, for transactions that cannot write.
const CHECK: &str = "SELECT is_incremental, coalesce((SELECT max(number) FROM _snapshots), 0) FROM _staged_run \
     WHERE request_id = $1 AND attempt = $2 AND holder = $3 AND term = $4";

/// Fails unless the attempt owns the staging tables, and prevents others from taking them over.
pub(crate) async fn fence(client: &Client, attempt: &Attempt) -> Result<Base, Error> {
    base(client, attempt, FENCE).await
}

/// Fails unless the attempt owns the staging tables.
pub(crate) async fn check(client: &Client, attempt: &Attempt) -> Result<Base, Error> {
    base(client, attempt, CHECK).await
}

async fn base(client: &Client, attempt: &Attempt, sql: &str) -> Result<Base, Error> {
    let parameters = [
        (&attempt.run.to_string() as _, Type::TEXT),
        (&i64::from(attempt.number) as _, Type::INT8),
        (&attempt.holder as _, Type::TEXT),
        (&attempt.term as _, Type::INT8),
    ];
    let row = client.query_typed_opt(sql, &parameters).await?.ok_or(StoreError::Fenced)?;
    Ok(Base { is_incremental: row.try_get(0)?, published: row.try_get(1)? })
}

/// Saves a status and makes its attempt the owner of the staging tables, and counts it. What another run staged is
/// discarded, except what an attempt in mode `auto` can reuse. May be repeated, since the answer to the first time may be
/// lost.
pub(crate) async fn begin(
    client: &Client,
    status: &RunStatus,
    ownership: Ownership,
) -> Result<Attempt, Error> {
    let (run, holder) = (status.request_id.to_string(), &status.instance);
    let number = i64::from(status.attempt);
    let sql = "SELECT request_id = $1, request_id = $1 AND attempt = $2 AND holder = $3, term \
               FROM _staged_run FOR UPDATE";
    let parameters =
        [(&run as _, Type::TEXT), (&number as _, Type::INT8), (holder as _, Type::TEXT)];
    let row = client.query_typed_one(sql, &parameters).await?;
    let (is_resumed, is_begun): (Option<bool>, Option<bool>) = (row.try_get(0)?, row.try_get(1)?);
    let begun_term: i64 = row.try_get(2)?;
    let term = lock_term(client, holder, ownership).await?;
    let attempt =
        Attempt { run: status.request_id, number: status.attempt, holder: holder.clone(), term };
    if is_begun == Some(true) && begun_term == term {
        return Ok(attempt);
    }
    let stored = runs::find(client, status.request_id).await?;
    let is_late = stored.is_some_and(|run| run.status.attempt >= status.attempt);
    if is_late || !runs::upsert(client, status, None).await? {
        return Err(StoreError::Fenced.into());
    }
    match status.mode {
        _ if is_resumed == Some(true) => {}
        FetchMode::Auto => discard_unless_reusable(client).await?,
        FetchMode::Full => discard(client).await?,
    }
    let sql = "UPDATE _staged_run SET attempt = $2, holder = $3, term = $4, owns_lock = $5, owns_lease = $6, \
               stalled_attempts = CASE WHEN request_id = $1 THEN stalled_attempts + 1 ELSE 1 END, request_id = $1";
    let parameters = [
        (&run as _, Type::TEXT),
        (&number as _, Type::INT8),
        (holder as _, Type::TEXT),
        (&term as _, Type::INT8),
        (&ownership.lock as _, Type::BOOL),
        (&ownership.lease as _, Type::BOOL),
    ];
    client.execute_typed(sql, &parameters).await?;
    Ok(attempt)
}

/// Returns the term of the lock that `holder` has; 0 if it needs none.
async fn lock_term(client: &Client, holder: &str, ownership: Ownership) -> Result<i64, Error> {
    if !ownership.lock {
        return Ok(0);
    }
    let sql = "SELECT term FROM _run_lock WHERE holder = $1";
    let row = client.query_typed_opt(sql, &[(&holder, Type::TEXT)]).await?;
    Ok(row.ok_or(StoreError::Fenced)?.try_get(0)?)
}

/// Locks the staging tables, and returns which process owns them, if they belong to the attempt of a status. After a
/// failover that lost the beginning of that attempt, it may be another process than that of the status.
pub(crate) async fn lock_holder(
    client: &Client,
    status: &RunStatus,
) -> Result<Option<String>, Error> {
    // A run that waits has no attempt, and is canceled without waiting for the one in progress.
    let sql = "SELECT CASE WHEN request_id = $1 AND attempt = $2 THEN holder END FROM _staged_run \
               WHERE $2 > 0 FOR UPDATE";
    let parameters = [
        (&status.request_id.to_string() as _, Type::TEXT),
        (&i64::from(status.attempt) as _, Type::INT8),
    ];
    let row = client.query_typed_opt(sql, &parameters).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}

/// Removes the owner of the staging tables. If nothing is staged, the next run starts as the first one.
pub(crate) async fn remove_owner(client: &Client) -> Result<(), Error> {
    let sql = "UPDATE _staged_run SET request_id = NULL, attempt = 0, holder = NULL, term = 0, \
               stalled_attempts = 0, owns_lock = false, owns_lease = false, \
               is_incremental = is_incremental AND (EXISTS (SELECT FROM _staged_shows_seen) \
                   OR EXISTS (SELECT FROM _show_versions \
                       WHERE since > coalesce((SELECT max(number) FROM _snapshots), 0)) \
                   OR EXISTS (SELECT FROM _details_versions WHERE since = $1))";
    client.execute_typed(sql, &[(&details::STAGED, Type::INT8)]).await?;
    Ok(())
}

/// Discards the pages and the deletions and, unless the run was incremental, the shows: they came with the pages. The
/// row in `_staged_run` must be locked already, as for [`discard`].
pub(crate) async fn discard_unless_reusable(client: &Client) -> Result<(), Error> {
    let sql = "DELETE FROM _staged_pages; DELETE FROM _staged_deletions; \
         DELETE FROM _staged_shows_seen WHERE NOT (SELECT is_incremental FROM _staged_run); \
         DELETE FROM _show_versions WHERE since > coalesce((SELECT max(number) FROM _snapshots), 0) \
             AND NOT (SELECT is_incremental FROM _staged_run)";
    Ok(client.batch_execute(sql).await?)
}

/// Empties the staging tables, but keeps their owner.
///
/// The row in `_staged_run` must be locked already: a statement that waits for it does not see the snapshot that was
/// published meanwhile, whose rows it would take for staged ones.
pub(crate) async fn discard(client: &Client) -> Result<(), Error> {
    let sql = "UPDATE _staged_run SET is_incremental = false; DELETE FROM _staged_pages; \
         DELETE FROM _staged_shows_seen; DELETE FROM _staged_deletions; DELETE FROM _staged_cast_shows; \
         DELETE FROM _staged_cast_rows; \
         DELETE FROM _show_versions WHERE since > coalesce((SELECT max(number) FROM _snapshots), 0)";
    try_join!(async { Ok(client.batch_execute(sql).await?) }, details::discard(client)).map(|_| ())
}

/// Resets the count of stalled attempts.
pub(crate) async fn reset_stalled(client: &Client) -> Result<(), Error> {
    let sql = "UPDATE _staged_run SET stalled_attempts = 0 WHERE stalled_attempts <> 0";
    Ok(client.batch_execute(sql).await?)
}

/// A batch with what is derived from its shows, which takes a while and is done before a transaction begins.
pub(crate) enum PreparedBatch<'a> {
    Shows {
        pages: Vec<u32>,
        rows: Vec<ShowRow<'a>>,
        replaces: Replaces,
        details: Vec<DetailsRow<'a>>,
        at: Timestamp,
    },
    Deletions(&'a [ShowId]),
}

/// Which staged version of a show is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaces {
    Any,
    UnlessNewer,
}

impl<'a> PreparedBatch<'a> {
    pub(crate) fn new(batch: &'a StagedBatch) -> PreparedBatch<'a> {
        match batch {
            StagedBatch::Pages { pages, at } => PreparedBatch::Shows {
                pages: pages.iter().map(|(page, _)| *page).collect(),
                rows: pages.iter().flat_map(|(_, shows)| shows).map(ShowRow::new).collect(),
                replaces: Replaces::UnlessNewer,
                details: Vec::new(),
                at: *at,
            },
            StagedBatch::Shows { shows, details, at } => PreparedBatch::Shows {
                pages: Vec::new(),
                rows: shows.iter().map(ShowRow::new).collect(),
                replaces: Replaces::Any,
                details: details.iter().map(DetailsRow::new).collect(),
                at: *at,
            },
            StagedBatch::Deletions(shows) => PreparedBatch::Deletions(shows),
        }
    }

    /// Stages the batch and saves the status, in the transaction that has begun, and commits it.
    pub(crate) async fn stage(
        &self,
        client: &Client,
        base: Base,
        stored: StoredVersions,
        status: &RunStatus,
    ) -> Result<(), Error> {
        match self {
            PreparedBatch::Shows { pages, rows, replaces, details, at } => {
                let chosen = choose(rows, &stored, *replaces);
                let changes = Changes::new(&chosen, &stored);
                let rows = ShowRows::new(&changes.changed);
                let staged_shows = async {
                    try_join!(
                        unstage_versions(client, base, &changes.unstaged_versions),
                        unstage_seen(client, &changes.unstaged_seen),
                        rows.insert(client, base.next(), *at),
                        stage_seen(client, &changes.unchanged, *at),
                        stage_pages(client, pages, *at),
                        details::stage(client, details, *at),
                    )
                };
                try_join!(staged_shows, finish(client, status)).map(|_| ())
            }
            PreparedBatch::Deletions(shows) => {
                let ids: Vec<i64> = shows.iter().map(|show| show.0.into()).collect();
                try_join!(
                    unstage_versions(client, base, &ids),
                    unstage_seen(client, &ids),
                    stage_deletions(client, &ids),
                    finish(client, status),
                )
                .map(|_| ())
            }
        }
    }

    /// Returns the ids of the shows whose stored versions are needed to stage the batch.
    pub(crate) fn ids(&self) -> Vec<i64> {
        match self {
            PreparedBatch::Shows { rows, .. } => {
                rows.iter().map(|row| row.show.id.0.into()).collect()
            }
            PreparedBatch::Deletions(_) => Vec::new(),
        }
    }
}

/// What ends each staging transaction. All statements are sent without waiting for each other: a failure of one makes
/// the commit undo the others.
async fn finish(client: &Client, status: &RunStatus) -> Result<(), Error> {
    let commit = async { Ok(client.batch_execute("COMMIT").await?) };
    try_join!(reset_stalled(client), runs::update(client, status), commit).map(|_| ())
}

/// The stored versions of some shows.
#[derive(Default)]
pub(crate) struct StoredVersions {
    published: HashMap<i64, StoredVersion>,
    staged: HashMap<i64, StoredVersion>,
    /// Staged, with the published version.
    seen: HashSet<i64>,
}

struct StoredVersion {
    digest: Vec<u8>,
    updated: Option<i64>,
}

impl StoredVersions {
    pub(crate) async fn read(client: &Client, ids: &[i64]) -> Result<StoredVersions, Error> {
        if ids.is_empty() {
            return Ok(StoredVersions::default());
        }
        // Each id by itself, which OFFSET prevents from being planned as one join: the statistics of a table that is
        // being filled make the planner read it as a whole.
        let versions = "SELECT v.* FROM unnest($1::bigint[]) AS ids(id), LATERAL (SELECT v.id, v.digest, v.updated, \
             v.since <= coalesce((SELECT max(number) FROM _snapshots), 0) FROM _show_versions v \
             WHERE v.id = ids.id AND v.until IS NULL OFFSET 0) v";
        let seen = "SELECT s.id FROM unnest($1::bigint[]) AS ids(id), LATERAL ( \
             SELECT s.id FROM _staged_shows_seen s WHERE s.id = ids.id OFFSET 0) s";
        let parameters = [(&ids as _, Type::INT8_ARRAY)];
        let (versions, seen) = try_join!(
            client.query_typed(versions, &parameters),
            client.query_typed(seen, &parameters)
        )?;
        let mut stored = StoredVersions::default();
        for row in versions {
            let version = StoredVersion { digest: row.try_get(1)?, updated: row.try_get(2)? };
            let is_published: bool = row.try_get(3)?;
            let versions = if is_published { &mut stored.published } else { &mut stored.staged };
            versions.insert(row.try_get(0)?, version);
        }
        for row in seen {
            stored.seen.insert(row.try_get(0)?);
        }
        Ok(stored)
    }

    /// Returns the `updated` of the staged version, 0 if it is unknown; `None` if none is staged.
    fn staged_updated(&self, id: i64) -> Option<i64> {
        let staged = self.staged.get(&id);
        let staged = staged.or_else(|| self.published.get(&id).filter(|_| self.seen.contains(&id)));
        staged.map(|version| version.updated.unwrap_or_default())
    }
}

/// Returns the rows that are staged: of several for a show, the one that remains.
fn choose<'a>(
    rows: &'a [ShowRow<'a>],
    stored: &StoredVersions,
    replaces: Replaces,
) -> BTreeMap<i64, &'a ShowRow<'a>> {
    let mut chosen: BTreeMap<i64, &ShowRow<'_>> = BTreeMap::new();
    for row in rows {
        let id = row.show.id.0.into();
        let updated = |row: &ShowRow<'_>| row.show.updated.unwrap_or_default();
        let staged = chosen.get(&id).map(|row| updated(row)).or_else(|| stored.staged_updated(id));
        let is_older = staged.is_some_and(|staged| staged > updated(row));
        if !is_older || replaces == Replaces::Any {
            chosen.insert(id, row);
        }
    }
    chosen
}

/// What staging some rows changes.
struct Changes<'a> {
    unstaged_versions: Vec<i64>,
    unstaged_seen: Vec<i64>,
    /// These differ from the published version.
    changed: Vec<&'a ShowRow<'a>>,
    unchanged: Vec<i64>,
}

impl<'a> Changes<'a> {
    fn new(chosen: &BTreeMap<i64, &'a ShowRow<'a>>, stored: &StoredVersions) -> Changes<'a> {
        let is_unchanged = |id: &i64, row: &ShowRow<'_>| {
            stored.published.get(id).is_some_and(|version| version.digest == row.digest)
        };
        let staged = |is_staged: &dyn Fn(&i64) -> bool| -> Vec<i64> {
            chosen.keys().copied().filter(|id| is_staged(id)).collect()
        };
        let (unchanged, changed): (Vec<_>, Vec<_>) =
            chosen.iter().partition(|(id, row)| is_unchanged(id, row));
        Changes {
            unstaged_versions: staged(&|id| stored.staged.contains_key(id)),
            unstaged_seen: staged(&|id| stored.seen.contains(id)),
            changed: changed.into_iter().map(|(_, row)| *row).collect(),
            unchanged: unchanged.into_iter().map(|(id, _)| *id).collect(),
        }
    }
}

async fn unstage_versions(client: &Client, base: Base, ids: &[i64]) -> Result<(), Error> {
    let sql = "DELETE FROM _show_versions WHERE id = ANY($1) AND since = $2";
    execute_for(client, sql, ids, (&base.next(), Type::INT8)).await
}

async fn unstage_seen(client: &Client, ids: &[i64]) -> Result<(), Error> {
    execute_for_ids(client, "DELETE FROM _staged_shows_seen WHERE id = ANY($1)", ids).await
}

async fn stage_seen(client: &Client, ids: &[i64], at: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO _staged_shows_seen (id, fetched_at) SELECT unnest($1::bigint[]), $2";
    execute_for(client, sql, ids, (&at, Type::TIMESTAMPTZ)).await
}

async fn stage_pages(client: &Client, pages: &[u32], at: Timestamp) -> Result<(), Error> {
    let pages: Vec<i64> = pages.iter().map(|page| (*page).into()).collect();
    let sql = "INSERT INTO _staged_pages (page, fetched_at) SELECT DISTINCT unnest($1::bigint[]), $2::timestamptz \
               ON CONFLICT (page) DO UPDATE SET fetched_at = excluded.fetched_at";
    execute_for(client, sql, &pages, (&at, Type::TIMESTAMPTZ)).await
}

async fn stage_deletions(client: &Client, ids: &[i64]) -> Result<(), Error> {
    let sql =
        "INSERT INTO _staged_deletions (id) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING";
    execute_for_ids(client, sql, ids).await
}

/// Executes a statement with an array of ids, unless it is empty, and another parameter.
async fn execute_for(
    client: &Client,
    sql: &str,
    ids: &[i64],
    other: (&(dyn tokio_postgres::types::ToSql + Sync), Type),
) -> Result<(), Error> {
    if !ids.is_empty() {
        client.execute_typed(sql, &[(&ids, Type::INT8_ARRAY), other]).await?;
    }
    Ok(())
}

async fn execute_for_ids(client: &Client, sql: &str, ids: &[i64]) -> Result<(), Error> {
    if !ids.is_empty() {
        client.execute_typed(sql, &[(&ids, Type::INT8_ARRAY)]).await?;
    }
    Ok(())
}

/// The published shows, and when each was last fetched.
const PUBLISHED: &str = "SELECT v.id, v.updated, greatest(v.processed_at, s.fetched_at) \
     FROM _show_versions v LEFT JOIN _shows_seen s USING (id) WHERE v.until IS NULL AND v.since <= $1";

/// The condition for a published show `v` that stays in the next snapshot as it is.
const IS_RETAINED: &str = "NOT EXISTS (SELECT FROM _show_versions n WHERE n.id = v.id AND n.since > $1) \
     AND NOT EXISTS (SELECT FROM _staged_shows_seen n WHERE n.id = v.id) \
     AND NOT EXISTS (SELECT FROM _staged_deletions n WHERE n.id = v.id)";

fn retained(base: Base) -> &'static str {
    if base.is_incremental { IS_RETAINED } else { "false" }
}

/// The condition for a version `v` of a show that the next snapshot has. `$1` is the number of the published one.
pub(crate) fn in_next_snapshot(base: Base) -> String {
    let retained = retained(base);
    format!(
        "(v.since > $1 OR v.until IS NULL \
         AND (EXISTS (SELECT FROM _staged_shows_seen s WHERE s.id = v.id) OR {retained}))"
    )
}

/// Ranks the shows of the next snapshot. The query only preselects rows; the criteria decide.
pub(crate) async fn rank(
    client: &Client,
    base: Base,
    criteria: TopShowsCriteria,
) -> Result<Vec<Show>, Error> {
    let sql = format!(
        "SELECT {} FROM _show_versions v WHERE v.language = $2 AND strpos(v.genres, $3) > 0 \
         AND v.premiered COLLATE \"C\" >= $4 AND {}",
        *show_row::COLUMNS,
        in_next_snapshot(base)
    );
    let parameters = [
        (&base.published as _, Type::INT8),
        (&TopShowsCriteria::LANGUAGE as _, Type::TEXT),
        (&TopShowsCriteria::GENRE as _, Type::TEXT),
        (&criteria.first_year().to_string() as _, Type::TEXT),
    ];
    let rows = client.query_typed(&sql, &parameters).await?;
    criteria.rank(rows.iter().map(|row| Ok(show_row::read(row)?.show)))
}

/// Reads what planning the next run needs to know about the published snapshot.
pub(crate) async fn manifest(client: &Client, published: i64) -> Result<PublishedManifest, Error> {
    let parameters = [(&published as _, Type::INT8)];
    let (shows, pages, details) = try_join!(
        async { Ok(client.query_typed(PUBLISHED, &parameters).await?) },
        async { Ok(client.query_typed("SELECT page, fetched_at FROM _index_pages", &[]).await?) },
        details::published_versions(client, published),
    )?;
    Ok(PublishedManifest { shows: versions(&shows)?, pages: timestamps(&pages)?, details })
}

/// Reads what a run that resumes needs to know.
pub(crate) async fn state(client: &Client, base: Base) -> Result<StagingState, Error> {
    let retained = retained(base);
    let shows = format!(
        "SELECT id, updated, processed_at FROM _show_versions WHERE since > $1 UNION ALL \
         SELECT v.id, v.updated, s.fetched_at FROM _staged_shows_seen s JOIN _show_versions v USING (id) \
         WHERE v.until IS NULL AND v.since <= $1 UNION ALL {PUBLISHED} AND {retained}"
    );
    let parameters = [(&base.published as _, Type::INT8)];
    let (shows, pages, details) = try_join!(
        async { Ok(client.query_typed(&shows, &parameters).await?) },
        async { Ok(client.query_typed("SELECT page, fetched_at FROM _staged_pages", &[]).await?) },
        details::staged_versions(client),
    )?;
    let pages = timestamps(&pages)?;
    let mut snapshot = PublishedManifest::default();
    if base.is_incremental {
        snapshot = manifest(client, base.published).await?;
    }
    snapshot.shows = versions(&shows)?;
    snapshot.pages.extend(&pages);
    snapshot.details.extend(details);
    Ok(StagingState { is_incremental: base.is_incremental, pages, snapshot })
}

fn versions(rows: &[tokio_postgres::Row]) -> Result<ShowMap<ShowVersion>, Error> {
    let version = |row: &tokio_postgres::Row| -> Result<_, Error> {
        let version = ShowVersion::new(row.try_get(1)?, row.try_get(2)?);
        Ok((show_id(row.try_get(0)?)?, version))
    };
    rows.iter().map(version).collect()
}

fn timestamps(rows: &[tokio_postgres::Row]) -> Result<BTreeMap<u32, Timestamp>, Error> {
    let timestamp = |row: &tokio_postgres::Row| -> Result<_, Error> {
        let page: i64 = row.try_get(0)?;
        let page = u32::try_from(page).map_err(|_| corrupt(format!("the page {page}")))?;
        Ok((page, row.try_get(1)?))
    };
    rows.iter().map(timestamp).collect()
}
