//! The details of a show as a row of `_details_versions`.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tvshows_core::{CastMember, Episode, ShowDetails, ShowId, StoredDetails};

use crate::error::{Error, corrupt};
use crate::show_row::{digest, show_id};

/// The columns that [`read`] expects, in their order.
pub(crate) const COLUMNS: &str = "v.show_id, v.updated, v.processed_at, v.cast_members, v.episodes";

const UPSERT: &str = "INSERT INTO _details_versions \
     (since, processed_at, show_id, updated, cast_digest, cast_members, episodes_digest, episodes) \
     SELECT $1, $2, unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bytea[]), unnest($6::text[]), \
     unnest($7::bytea[]), unnest($8::text[]) \
     ON CONFLICT (show_id, since) DO UPDATE SET processed_at = excluded.processed_at, updated = excluded.updated, \
     cast_digest = excluded.cast_digest, cast_members = excluded.cast_members, \
     episodes_digest = excluded.episodes_digest, episodes = excluded.episodes";

/// An element of `cast_members`: the columns of `Show_Cast`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct MemberRow(#[serde(with = "MemberColumns")] CastMember);

#[derive(Serialize, Deserialize)]
#[serde(remote = "CastMember")]
struct MemberColumns {
    #[serde(skip)]
    show_id: ShowId,
    show_name: String,
    person_id: u32,
    person_name: String,
    person_birthday: Option<String>,
    person_deathday: Option<String>,
    person_gender: Option<String>,
    person_country_name: Option<String>,
    character_id: u32,
    character_name: String,
    image: Option<String>,
    #[serde(rename = "self")]
    plays_self: Option<bool>,
    voice: Option<bool>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    extra: Map<String, Value>,
}

/// An element of `episodes`: the columns of `Episodes`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct EpisodeRow(#[serde(with = "EpisodeColumns")] Episode);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Episode")]
struct EpisodeColumns {
    id: u32,
    #[serde(skip)]
    show_id: ShowId,
    season: Option<i64>,
    number: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    airdate: Option<String>,
    airtime: Option<String>,
    airstamp: Option<String>,
    runtime: Option<i64>,
    rating_average: Option<f64>,
    summary: Option<String>,
    image_medium: Option<String>,
    image_original: Option<String>,
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    extra: Map<String, Value>,
}

/// The details of a show with what is derived from them for their row.
pub(crate) struct DetailsRow<'a> {
    details: &'a ShowDetails,
    cast_members: String,
    episodes: Option<String>,
}

impl<'a> DetailsRow<'a> {
    pub(crate) fn new(details: &'a ShowDetails) -> DetailsRow<'a> {
        let member = |member: &CastMember| MemberRow(member.clone());
        let episode = |episode: &Episode| EpisodeRow(episode.clone());
        let episodes = details.episodes.as_ref();
        DetailsRow {
            details,
            cast_members: json(details.cast.iter().map(member)),
            episodes: episodes.map(|episodes| json(episodes.iter().map(episode))),
        }
    }

    pub(crate) fn show_id(&self) -> ShowId {
        self.details.show_id
    }
}

/// Returns a JSON array. Its backslashes are escaped as numbers, so that `\u0000` is always a NUL character, which the
/// views replace.
fn json<T: Serialize>(rows: impl Iterator<Item = T>) -> String {
    let rows: Vec<T> = rows.collect();
    let json = serde_json::to_string(&rows).expect("the keys of all objects are texts");
    if json.contains(r"\\") { json.replace(r"\\", r"\u005c") } else { json }
}

/// Inserts or replaces the versions `since` of the details of shows, each of another show.
pub(crate) async fn upsert(
    client: &Client,
    rows: &[&DetailsRow<'_>],
    since: i64,
    at: Timestamp,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let shows: Vec<_> = rows.iter().map(|row| i64::from(row.details.show_id.0)).collect();
    let updated: Vec<_> = rows.iter().map(|row| row.details.updated).collect();
    let casts: Vec<_> = rows.iter().map(|row| row.cast_members.as_str()).collect();
    let episodes: Vec<_> = rows.iter().map(|row| row.episodes.as_deref()).collect();
    let cast_digests: Vec<_> = casts.iter().map(|json| digest(json.as_bytes())).collect();
    let episodes_digests: Vec<_> =
        episodes.iter().map(|json| json.map(|json| digest(json.as_bytes()))).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
        (&since, Type::INT8),
        (&at, Type::TIMESTAMPTZ),
        (&shows, Type::INT8_ARRAY),
        (&updated, Type::INT8_ARRAY),
        (&cast_digests, Type::BYTEA_ARRAY),
        (&casts, Type::TEXT_ARRAY),
        (&episodes_digests, Type::BYTEA_ARRAY),
        (&episodes, Type::TEXT_ARRAY),
    ];
    client.execute_typed(UPSERT, &parameters).await?;
    Ok(())
}

/// Reads a row with the columns [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<StoredDetails, Error> {
    let show_id = show_id(row.try_get(0)?)?;
    let episodes: Option<&str> = row.try_get(4)?;
    let details = ShowDetails {
        show_id,
        updated: row.try_get(1)?,
        cast: read_cast(show_id, row.try_get(3)?)?,
        episodes: episodes.map(|json| read_episodes(show_id, json)).transpose()?,
    };
    Ok(StoredDetails { details, processed_at: row.try_get(2)? })
}

/// Whether a row with the columns [`COLUMNS`] and the digests of both texts has the content that was stored.
pub(crate) fn has_stored_content(row: &Row) -> Result<bool, Error> {
    for column in [3, 4] {
        let (text, stored): (Option<&str>, Option<&[u8]>) =
            (row.try_get(column)?, row.try_get(column + 2)?);
        // A cast that an earlier release published has no digest.
        if stored.is_some() && text.map(|text| digest(text.as_bytes())).as_deref() != stored {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) fn read_cast(show_id: ShowId, json: &str) -> Result<Vec<CastMember>, Error> {
    let rows: Vec<MemberRow> = parse(show_id, json)?;
    Ok(rows.into_iter().map(|MemberRow(member)| CastMember { show_id, ..member }).collect())
}

fn read_episodes(show_id: ShowId, json: &str) -> Result<Vec<Episode>, Error> {
    let rows: Vec<EpisodeRow> = parse(show_id, json)?;
    Ok(rows.into_iter().map(|EpisodeRow(episode)| Episode { show_id, ..episode }).collect())
}

fn parse<T: DeserializeOwned>(show_id: ShowId, json: &str) -> Result<T, Error> {
    let invalid = |error| corrupt(format!("the details of show {show_id}: {error}"));
    serde_json::from_str(json).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use tvshows_core::Table;
    use tvshows_core::conformance::fixtures::{cast_member, episode};

    use super::*;

    #[test]
    fn every_column_is_stored() {
        let derived = ["show_id", "processed_at", "position"];
        let keys = |row: Value| -> Vec<String> {
            let mut keys: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
            keys.sort_unstable();
            keys
        };
        let columns = |table: Table| -> Vec<String> {
            let names = table.column_names().filter(|name| !derived.contains(name));
            let mut names: Vec<_> = names.map(str::to_owned).collect();
            names.sort_unstable();
            names
        };
        let member = serde_json::to_value(MemberRow(cast_member(1, 2, 3))).unwrap();
        assert_eq!(keys(member), columns(Table::ShowCast));
        let episode = serde_json::to_value(EpisodeRow(episode(1, 2, "2026-11-23"))).unwrap();
        assert_eq!(keys(episode), columns(Table::Episodes));
    }

    #[test]
    fn every_text_survives() {
        for text in ["", "\0", r"\u0000", r"\\", "\\\0\"\n\\", "\u{2400}\\n"] {
            let member = CastMember { character_name: text.into(), ..cast_member(1, 2, 3) };
            let json = json([MemberRow(member.clone())].into_iter());
            assert_eq!(json.contains(r"\u0000"), text.contains('\0'), "{json}");
            assert_eq!(read_cast(ShowId(1), &json).unwrap(), [member]);
        }
    }
}
