//! A row of `Show_Cast` and `_Staged_Cast_Rows`.

use std::sync::LazyLock;

use rusqlite::{Connection, Row, Statement, params};
use tvshows_core::{CastMember, CastRow, ShowId, Table};

use crate::error::{SqlResult, invalid_text};
use crate::{columns, extra};

/// Stages a row for [`insert`].
pub(crate) static INSERT_STAGED: LazyLock<String> = LazyLock::new(|| {
    columns::insert("INSERT INTO _Staged_Cast_Rows", Table::ShowCast.column_names())
});

/// Binds the columns in their order.
pub(crate) fn insert(
    statement: &mut Statement<'_>,
    position: u32,
    member: &CastMember,
    at: &str,
) -> SqlResult<usize> {
    statement.execute(params![
        member.show_id.0,
        member.show_name,
        member.person_id,
        member.person_name,
        member.person_birthday,
        member.person_deathday,
        member.person_gender,
        member.person_country_name,
        member.character_id,
        member.character_name,
        member.image,
        at,
        member.plays_self,
        member.voice,
        position,
        extra::to_text(&member.extra)?,
    ])
}

/// Returns the published rows of a show.
pub(crate) fn published(connection: &Connection, show: ShowId) -> SqlResult<Vec<CastRow>> {
    let mut select = connection
        .prepare_cached("SELECT * FROM Show_Cast WHERE show_id = ?1 ORDER BY position")?;
    select.query_map([show.0], read)?.collect()
}

/// Reads a row by the names of its columns.
fn read(row: &Row<'_>) -> SqlResult<CastRow> {
    let processed_at: String = row.get("processed_at")?;
    let member = CastMember {
        show_id: ShowId(row.get("show_id")?),
        show_name: row.get("show_name")?,
        person_id: row.get("person_id")?,
        person_name: row.get("person_name")?,
        person_birthday: row.get("person_birthday")?,
        person_deathday: row.get("person_deathday")?,
        person_gender: row.get("person_gender")?,
        person_country_name: row.get("person_country_name")?,
        character_id: row.get("character_id")?,
        character_name: row.get("character_name")?,
        image: row.get("image")?,
        plays_self: row.get("self")?,
        voice: row.get("voice")?,
        extra: extra::read(row, row.as_ref().column_index("extra")?)?,
    };
    let processed_at = processed_at.parse().map_err(|error| invalid_text(11, error))?;
    Ok(CastRow { member, processed_at, position: row.get("position")? })
}
