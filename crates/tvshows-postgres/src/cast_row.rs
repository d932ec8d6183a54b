//! The casts of the top shows in `_cast_rows`, for the view `Top_Shows_Cast` and earlier releases.

use futures::try_join;
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
use tvshows_core::{CastMember, ShowId};

use crate::error::Error;
use crate::nul;

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

const INSERT: &str = "INSERT INTO _cast_rows \
     (processed_at, show_id, position, exact_texts, person_id, character_id, self, voice, show_name, person_name, \
     person_birthday, person_deathday, person_gender, person_country_name, character_name, image) \
     SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], \
     $7::boolean[], $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], \
     $15::text[], $16::text[]) AS rows";

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

/// Replaces some casts of top shows, each fetched at a time, and removes those of shows that are not in `top`.
pub(crate) async fn replace(
    client: &Client,
    casts: &[(Timestamp, ShowId, Vec<CastMember>)],
    top: &[i64],
) -> Result<(), Error> {
    let replaced: Vec<_> = casts.iter().map(|(_, show, _)| i64::from(show.0)).collect();
    let delete = "DELETE FROM _cast_rows WHERE show_id = ANY($1) OR show_id <> ALL($2)";
    let parameters = [(&replaced as _, Type::INT8_ARRAY), (&top as _, Type::INT8_ARRAY)];
    let delete = async { Ok(client.execute_typed(delete, &parameters).await?) };
    try_join!(delete, insert(client, casts)).map(|_| ())
}

async fn insert(
    client: &Client,
    casts: &[(Timestamp, ShowId, Vec<CastMember>)],
) -> Result<(), Error> {
    let rows = casts.iter().flat_map(|(at, show, cast)| {
        (0_i64..).zip(cast).map(|(position, member)| (*at, i64::from(show.0), position, member))
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let members = || rows.iter().map(|(.., member)| *member);
    let exact_texts = |member| nul::exact_texts(TEXT_COLUMNS.into_iter().zip(texts(member)));
    let times: Vec<_> = rows.iter().map(|(at, ..)| *at).collect();
    let shows: Vec<_> = rows.iter().map(|(_, show, ..)| *show).collect();
    let positions: Vec<_> = rows.iter().map(|(_, _, position, _)| *position).collect();
    let exact_texts: Vec<_> = members().map(exact_texts).collect();
    let people: Vec<_> = members().map(|member| i64::from(member.person_id)).collect();
    let characters: Vec<_> = members().map(|member| i64::from(member.character_id)).collect();
    let plays_self: Vec<_> = members().map(|member| member.plays_self).collect();
    let voice: Vec<_> = members().map(|member| member.voice).collect();
    let columns: Vec<Vec<_>> = (0..TEXT_COLUMNS.len())
        .map(|column| members().map(|member| texts(member)[column].map(nul::visible)).collect())
        .collect();
    let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&shows, Type::INT8_ARRAY),
        (&positions, Type::INT8_ARRAY),
        (&exact_texts, Type::TEXT_ARRAY),
        (&people, Type::INT8_ARRAY),
        (&characters, Type::INT8_ARRAY),
        (&plays_self, Type::BOOL_ARRAY),
        (&voice, Type::BOOL_ARRAY),
    ];
    parameters.extend(columns.iter().map(|column| (column as _, Type::TEXT_ARRAY)));
    client.execute_typed(INSERT, &parameters).await?;
    Ok(())
}
