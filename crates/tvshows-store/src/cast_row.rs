//! A row of `Staged_Cast`.

use rusqlite::{Statement, params};
use tvshows_core::CastMember;

use crate::error::SqlResult;

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
