//! The full-text index `_Show_Search`.
//!
//! The index does not store the texts, so removing a show requires the texts that it was added with. These are
//! in `All_Shows`, unless another program has changed them; then the index is stale and must be rebuilt.

use rusqlite::Connection;

use crate::error::SqlResult;

/// Updates the index to the next snapshot. Must run before the published tables change.
pub(crate) fn sync_index(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    let must_rebuild = "SELECT is_stale OR NOT EXISTS (SELECT 1 FROM All_Shows) FROM _Search_State";
    if connection.query_row(must_rebuild, [], |row| row.get(0))? {
        rebuild_index(connection)
    } else {
        update_index(connection, is_incremental)
    }
}

/// Whether another program has changed `All_Shows` since the index was written.
pub(crate) fn is_stale(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT is_stale FROM _Search_State", [], |row| row.get(0))
}

fn rebuild_index(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "INSERT INTO _Show_Search (_Show_Search) VALUES ('delete-all');
         INSERT INTO _Show_Search (rowid, name, summary, joined_name)
             SELECT id, name, plain_text(summary), joined_words(name) FROM _Staged_Shows UNION ALL
             SELECT id, name, plain_text(summary), joined_words(name) FROM All_Shows
                 WHERE id IN (SELECT id FROM _Retained_Facets);",
    )
}

/// Updates only the shows that are new or deleted, or whose name or summary has changed.
fn update_index(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    let deleted = if is_incremental {
        "SELECT id FROM _Staged_Deletions WHERE id NOT IN (SELECT id FROM _Staged_Shows)"
    } else {
        "SELECT id FROM All_Shows WHERE id NOT IN (SELECT id FROM _Staged_Shows)"
    };
    let mut select = connection.prepare(&format!(
        "SELECT id FROM _Staged_Shows s WHERE NOT EXISTS
             (SELECT 1 FROM All_Shows a WHERE a.id = s.id AND a.name = s.name AND a.summary IS s.summary)
         UNION ALL {deleted}"
    ))?;
    let changed = select.query_map([], |row| row.get(0))?.collect::<SqlResult<Vec<u32>>>()?;
    let changed = serde_json::json!(changed).to_string();
    connection.execute(
        "INSERT INTO _Show_Search (_Show_Search, rowid, name, summary, joined_name)
             SELECT 'delete', id, name, plain_text(summary), joined_words(name) FROM All_Shows
             WHERE id IN (SELECT value FROM json_each(?1))",
        [&changed],
    )?;
    connection.execute(
        "INSERT INTO _Show_Search (rowid, name, summary, joined_name)
             SELECT id, name, plain_text(summary), joined_words(name) FROM _Staged_Shows
             WHERE id IN (SELECT value FROM json_each(?1))",
        [&changed],
    )?;
    Ok(())
}

/// Records that the index matches `All_Shows`. The triggers that detect changes by other programs have also
/// detected the publish itself.
pub(crate) fn mark_current(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE _Search_State SET is_stale = 0")
}
