//! The version of the published snapshot.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use tvshows_core::SnapshotVersion;

use crate::error::{SqlResult, invalid_text};

/// Assigns a new version to the snapshot that is about to be committed.
pub(crate) fn bump(connection: &Connection, at: Timestamp) -> SqlResult<()> {
    let sql = "UPDATE _Snapshot_Version SET number = number + 1, published_at = ?1";
    connection.execute(sql, [at.to_string()]).map(|_| ())
}

/// Assigns the version that the snapshot has in the database that it is copied from.
pub(crate) fn set(connection: &Connection, version: SnapshotVersion) -> SqlResult<()> {
    let published_at = version.published_at.map(|at| at.to_string());
    let sql = "UPDATE _Snapshot_Version SET number = ?1, published_at = ?2";
    connection.execute(sql, params![version.number, published_at]).map(|_| ())
}

pub(crate) fn current(connection: &Connection) -> SqlResult<SnapshotVersion> {
    let mut select =
        connection.prepare_cached("SELECT number, published_at FROM _Snapshot_Version")?;
    select.query_row([], |row| {
        let published_at: Option<String> = row.get(1)?;
        let published_at = published_at.map(|text| text.parse()).transpose();
        Ok(SnapshotVersion {
            number: row.get(0)?,
            published_at: published_at.map_err(|error| invalid_text(1, error))?,
        })
    })
}
