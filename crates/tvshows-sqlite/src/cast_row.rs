//! A row of `Staged_Cast` and `Top_Shows_Cast`.

use rusqlite::{Connection, Row, Statement, params};
use tvshows_core::{CastMember, CastRow, ShowId};

use crate::error::{SqlResult, unreadable};

pub(crate) const INSERT_STAGED: &str = "INSERT INTO Staged_Cast (show_id, show_name, person_id, person_name, \
     person_birthday, person_deathday, person_gender, person_country_name, character_id, character_name, \
     image, processed_at, self, voice, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
     ?13, ?14, ?15)";

pub(crate) fn insert(
    statement: &mut Statement<'_>,
    position: usize,
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
    ])
}

/// The published cast of a show.
pub(crate) fn published(connection: &Connection, show: ShowId) -> SqlResult<Vec<CastRow>> {
    let mut select = connection
        .prepare_cached("SELECT * FROM Top_Shows_Cast WHERE show_id = ?1 ORDER BY position")?;
    select.query_map([show.0], read)?.collect()
}

/// Reads a row by the names of its columns.
fn read(row: &Row<'_>) -> SqlResult<CastRow> {
    let processed_at: String = row.get("processed_at")?;
    Ok(CastRow {
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
        processed_at: processed_at.parse().map_err(|error| unreadable(11, error))?,
        plays_self: row.get("self")?,
        voice: row.get("voice")?,
        position: row.get("position")?,
    })
}
