//! TVmaze's shapes become the domain's, and nothing is lost on the way.

use serde_json::{Error, Value};
use tvmaze_client::ShowId as TvmazeId;
use tvshows_core::{CastMember, Json, Show, ShowId};

pub(crate) fn show(show: tvmaze_client::Show) -> Result<Show, Error> {
    let mut extra = show.extra;
    // The two columns that cannot hold everything that a list and an object can.
    if show.genres.iter().any(|genre| genre.is_empty() || genre.contains(',')) {
        extra.insert("genres".into(), Value::from(show.genres.clone()));
    }
    let rating_average = match show.rating {
        Some(rating) if rating.extra.is_empty() => rating.average,
        Some(rating) => {
            let average = rating.average;
            extra.insert("rating".into(), serde_json::to_value(rating)?);
            average
        }
        None => {
            extra.insert("rating".into(), Value::Null);
            None
        }
    };
    Ok(Show {
        id: ShowId(show.id.0),
        name: show.name,
        kind: show.kind,
        language: show.language,
        genres: show.genres,
        status: show.status,
        premiered: show.premiered,
        ended: show.ended,
        rating_average,
        summary: show.summary,
        updated: show.updated,
        url: show.url,
        runtime: show.runtime,
        average_runtime: show.average_runtime,
        official_site: show.official_site,
        weight: show.weight,
        schedule: json(show.schedule)?,
        network: json(show.network)?,
        web_channel: json(show.web_channel)?,
        dvd_country: json(show.dvd_country)?,
        externals: json(show.externals)?,
        image: json(show.image)?,
        links: json(show.links)?,
        extra,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the text replaces it")]
fn json<T: serde::Serialize>(value: Option<T>) -> Result<Option<Json>, Error> {
    value.as_ref().map(Json::of).transpose()
}

pub(crate) fn cast_member(show: &Show, member: tvmaze_client::CastMember) -> CastMember {
    let (person, character) = (member.person, member.character);
    CastMember {
        show_id: show.id,
        show_name: show.name.clone(),
        person_id: person.id.0,
        person_name: person.name,
        person_birthday: person.birthday,
        person_deathday: person.deathday,
        person_gender: person.gender,
        person_country_name: person.country.and_then(|country| country.name),
        character_id: character.id.0,
        character_name: character.name,
        image: character.image.and_then(|image| image.original),
        plays_self: member.plays_self,
        voice: member.voice,
    }
}

pub(crate) fn tvmaze_id(show: ShowId) -> TvmazeId {
    TvmazeId(show.0)
}
