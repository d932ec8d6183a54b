//! The number of the published snapshot.

use jiff::Timestamp;
use rusqlite::Connection;
use tvshows_core::SnapshotVersion;

use crate::error::{SqlResult, unreadable};

/// Tells that what is about to be committed is another snapshot.
pub(crate) fn advance(connection: &Connection, at: Timestamp) -> SqlResult<()> {
    connection
        .execute(
            "UPDATE Snapshot_Number SET number = number + 1, published_at = ?1",
            [at.to_string()],
        )
        .map(|_| ())
}

pub(crate) fn read(connection: &Connection) -> SqlResult<SnapshotVersion> {
    let mut select =
        connection.prepare_cached("SELECT number, published_at FROM Snapshot_Number")?;
    select.query_row([], |row| {
        let published_at: Option<String> = row.get(1)?;
        let published_at = published_at.map(|text| text.parse()).transpose();
        Ok(SnapshotVersion {
            number: row.get(0)?,
            published_at: published_at.map_err(|error| unreadable(1, error))?,
        })
    })
}
