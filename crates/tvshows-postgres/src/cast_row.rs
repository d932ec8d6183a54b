//! A row of `_cast_rows` and `_staged_cast_rows`.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use tvshows_core::{CastMember, CastRow, ShowId};

use crate::error::{Error, corrupt};
use crate::nul::{self, ExactTexts};
use crate::show_row::show_id;

const TEXT_COLUMNS: [&str; 8] = [
    "show_name",
    "person_name",
    "person_birthday",
    "person_deathday",
    "person_gender",
    "person_country_name",
    "character_name",
    "image",
];

/// All columns but `processed_at`, which do not change when a cast is fetched again.
pub(crate) const COMPARED: &str = "show_id, position, exact_texts, show_name, person_name, person_birthday, \
     person_deathday, person_gender, person_country_name, character_name, image, person_id, character_id, self, voice";

/// Reads all published casts, in the order of the top shows, each in TVmaze's order.
pub(crate) const SELECT: &str = "SELECT c.show_id, c.position, c.processed_at, c.exact_texts, c.person_id, \
     c.character_id, c.self, c.voice, c.show_name, c.person_name, c.person_birthday, c.person_deathday, \
     c.person_gender, c.person_country_name, c.character_name, c.image \
     FROM _cast_rows c JOIN _top_shows t ON t.id = c.show_id ORDER BY t.rank, c.position";

const INSERT_STAGED: &str = "INSERT INTO _staged_cast_rows \
     (show_id, processed_at, position, exact_texts, person_id, character_id, self, voice, show_name, person_name, \
     person_birthday, person_deathday, person_gender, person_country_name, character_name, image) \
     SELECT $1, $2, rows.* FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[], \
     $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], \
     $16::text[]) AS rows";

fn texts(member: &CastMember) -> [Option<&str>; TEXT_COLUMNS.len()] {
    [
        Some(&member.show_name),
        Some(&member.person_name),
        member.person_birthday.as_deref(),
        member.person_deathday.as_deref(),
        member.person_gender.as_deref(),
        member.person_country_name.as_deref(),
        Some(&member.character_name),
        member.image.as_deref(),
    ]
}

/// Stages the cast of a show that has no staged one.
pub(crate) async fn insert_staged(
    client: &Client,
    show: ShowId,
    cast: &[CastMember],
    at: Timestamp,
) -> Result<(), Error> {
    let show = i64::from(show.0);
    let positions: Vec<i64> = (0..).take(cast.len()).collect();
    let exact_texts = |member| nul::exact_texts(TEXT_COLUMNS.into_iter().zip(texts(member)));
    let exact_texts: Vec<_> = cast.iter().map(exact_texts).collect();
    let people: Vec<_> = cast.iter().map(|member| i64::from(member.person_id)).collect();
    let characters: Vec<_> = cast.iter().map(|member| i64::from(member.character_id)).collect();
    let plays_self: Vec<_> = cast.iter().map(|member| member.plays_self).collect();
    let voice: Vec<_> = cast.iter().map(|member| member.voice).collect();
    let columns: Vec<Vec<_>> = (0..TEXT_COLUMNS.len())
        .map(|column| cast.iter().map(|member| texts(member)[column].map(nul::visible)).collect())
        .collect();
    let mut parameters: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> = vec![
        (&show, Type::INT8),
        (&at, Type::TIMESTAMPTZ),
        (&positions, Type::INT8_ARRAY),
        (&exact_texts, Type::TEXT_ARRAY),
        (&people, Type::INT8_ARRAY),
        (&characters, Type::INT8_ARRAY),
        (&plays_self, Type::BOOL_ARRAY),
        (&voice, Type::BOOL_ARRAY),
    ];
    parameters.extend(columns.iter().map(|column| (column as _, Type::TEXT_ARRAY)));
    client.execute_typed(INSERT_STAGED, &parameters).await?;
    Ok(())
}

/// Reads a row of [`SELECT`].
pub(crate) fn read(row: &Row) -> Result<CastRow, Error> {
    let exact_texts = ExactTexts::parse(row.try_get(3)?)?;
    let text = |index: usize| -> Result<Option<String>, Error> {
        let text: Option<String> = row.try_get(8 + index)?;
        Ok(text.map(|text| exact_texts.restore(TEXT_COLUMNS[index], text)))
    };
    let number = |column: usize| -> Result<u32, Error> {
        let number: i64 = row.try_get(column)?;
        u32::try_from(number).map_err(|_| corrupt(format!("the number {number} in a cast")))
    };
    let member = CastMember {
        show_id: show_id(row.try_get(0)?)?,
        show_name: text(0)?.unwrap_or_default(),
        person_id: number(4)?,
        person_name: text(1)?.unwrap_or_default(),
        person_birthday: text(2)?,
        person_deathday: text(3)?,
        person_gender: text(4)?,
        person_country_name: text(5)?,
        character_id: number(5)?,
        character_name: text(6)?.unwrap_or_default(),
        image: text(7)?,
        plays_self: row.try_get(6)?,
        voice: row.try_get(7)?,
    };
    Ok(CastRow { member, processed_at: row.try_get(2)?, position: number(1)? })
}
