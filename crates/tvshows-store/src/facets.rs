//! The table `Show_Facets`: what lists filter and sort by.

use rusqlite::Connection;

use crate::error::SqlResult;

/// Brings the table to what is about to be published.
pub(crate) fn publish(connection: &Connection, keeps_published: bool) -> SqlResult<()> {
    connection.execute_batch(if keeps_published {
        "DELETE FROM Show_Facets WHERE id IN (SELECT id FROM Staged_Drops)"
    } else {
        "DELETE FROM Show_Facets"
    })?;
    connection.execute_batch(
        "INSERT OR REPLACE INTO Show_Facets
             SELECT id, name, type, language, genres, status, premiered, rating_average, updated, weight,
                 ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name'))
             FROM Staged_Shows",
    )
}
