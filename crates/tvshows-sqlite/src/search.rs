//! Whether searches find what is in `All_Shows`.
//!
//! The words are read once per snapshot. If another program changes a name or a summary, triggers record that in
//! `_Search_State`, and the next publish assigns a new version to the snapshot even if nothing else has changed.

use rusqlite::Connection;

use crate::error::SqlResult;

/// Whether another program has changed `All_Shows` since the last publish.
pub(crate) fn is_stale(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT is_stale FROM _Search_State", [], |row| row.get(0))
}

/// Records that the words of the snapshot will be read again. The triggers that detect changes by other programs have
/// also detected the publish itself.
pub(crate) fn mark_current(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE _Search_State SET is_stale = 0")
}
