//! The ids of the published shows in other databases, in memory: 8 bytes each.

use rusqlite::{Connection, OptionalExtension};
use tvshows_core::{ExternalDatabase, ExternalId, Show};

use crate::error::SqlResult;
use crate::facets::text;
use crate::show_row;

pub(crate) struct ExternalIdIndex {
    /// For each database, in the order of [`ExternalDatabase::ALL`], the number in each id and its show, sorted.
    databases: [Vec<(u32, u32)>; ExternalDatabase::ALL.len()],
}

impl ExternalIdIndex {
    pub(crate) fn read(connection: &Connection) -> SqlResult<ExternalIdIndex> {
        let mut databases = [const { Vec::new() }; ExternalDatabase::ALL.len()];
        let mut select = connection.prepare("SELECT id, externals FROM All_Shows")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (Ok(show), Some(externals)) = (row.get(0), text(row.get_ref(1)?)) else { continue };
            for id in ExternalId::from_externals(externals) {
                databases[id.database() as usize].push((number(&id), show));
            }
        }
        for shows in &mut databases {
            shows.sort_unstable();
            shows.shrink_to_fit();
        }
        Ok(ExternalIdIndex { databases })
    }

    /// Reads the show with an id, the one with the lowest TVmaze id if there are several.
    pub(crate) fn find(&self, connection: &Connection, id: &ExternalId) -> SqlResult<Option<Show>> {
        let (shows, number) = (&self.databases[id.database() as usize], number(id));
        let start = shows.partition_point(|(other, _)| *other < number);
        let mut select = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
        for (_, show) in shows[start..].iter().take_while(|(other, _)| *other == number) {
            let show = select.query_row([show], show_row::read).optional()?;
            if let Some(show) = show.filter(|show| id.identifies(show)) {
                return Ok(Some(show));
            }
        }
        Ok(None)
    }
}

/// Returns the last nine digits of an id as a number. Different ids can have the same number.
fn number(id: &ExternalId) -> u32 {
    let digits = id.id().trim_start_matches("tt");
    digits[digits.len().saturating_sub(9)..].parse().unwrap_or_default()
}
